// rmsnorm_fwd, rmsnorm_bwd.
#include "device.cuh"

namespace sk {

// x = a + b (b null: x is a);  rstd[n] = 1/sqrt(mean_c x^2 + eps);  y = x * rstd * w
// y, x, a, b [N,C], rstd [N], w [C].  A block is a row.
template <class T> struct RmsnormFwd {
  static constexpr int THREADS = 128;
  T *y, *x;
  float* rstd;
  const T *a, *b, *w;
  int64_t C;
  float eps;

  SK_DEVICE void operator()() const {
    const int64_t row = block_x() * C;
    float squares = 0;
    for (int64_t c = thread(); c < C; c += THREADS) {
      float v = to_float(a[row + c]);
      if (b) {
        x[row + c] = from_float<T>(v + to_float(b[row + c]));
        v = to_float(x[row + c]);
      }
      squares += v * v;
    }
    const float sum = block_sum<THREADS>(squares, shared<float>());
    const float r = 1 / root(sum / float(C) + eps);
    if (thread() == 0) rstd[block_x()] = r;
    const T* from = b ? x : a; // each thread reads what it wrote
    for (int64_t c = thread(); c < C; c += THREADS)
      y[row + c] = from_float<T>(to_float(from[row + c]) * r * to_float(w[c]));
  }
};

// xhat = x*rstd, g = dy*w:  dx += rstd * (g - xhat * mean_c(g*xhat))          dx, dy, x [N,C].
// A block is a row.
template <class T> struct RmsnormBwd {
  static constexpr int THREADS = 128;
  T* dx;
  const T *dy, *x;
  const float* rstd;
  const T* w;
  int64_t C;

  SK_DEVICE void operator()() const {
    const int64_t row = block_x() * C;
    const float r = rstd[block_x()];
    float dot = 0;
    for (int64_t c = thread(); c < C; c += THREADS)
      dot += to_float(dy[row + c]) * to_float(w[c]) * to_float(x[row + c]);
    const float mean = block_sum<THREADS>(dot, shared<float>()) * r / float(C);
    for (int64_t c = thread(); c < C; c += THREADS) {
      const float g = to_float(dy[row + c]) * to_float(w[c]), xhat = to_float(x[row + c]) * r;
      dx[row + c] = from_float<T>(to_float(dx[row + c]) + r * (g - xhat * mean));
    }
  }
};

// parts[k,c] = sum of dy*x*rstd over the k-th `rows` rows.  A block is 128 channels and one part.
template <class T> struct RmsnormBwdParts {
  static constexpr int THREADS = 128;
  float* parts;
  const T *dy, *x;
  const float* rstd;
  int64_t N, C, rows;

  SK_DEVICE void operator()() const {
    const int64_t c = block_x() * THREADS + thread(), k = block_y();
    if (c >= C) return;
    float sum = 0;
    for (int64_t n = k * rows; n < least(N, (k + 1) * rows); n++)
      sum += to_float(dy[n * C + c]) * (to_float(x[n * C + c]) * rstd[n]);
    parts[k * C + c] = sum;
  }
};

// dw[c] += the sum over parts, in order
template <class T> struct RmsnormBwdWeight {
  static constexpr int THREADS = 128;
  float* dw;
  const float* parts;
  int64_t C, K;

  SK_DEVICE void operator()() const {
    const int64_t c = block_x() * THREADS + thread();
    if (c >= C) return;
    double sum = 0;
    for (int64_t k = 0; k < K; k++) sum += double(parts[k * C + c]);
    dw[c] += float(sum);
  }
};

SK_KERNEL(rmsnorm_fwd_f32, RmsnormFwd<float>)
SK_KERNEL(rmsnorm_fwd_bf16, RmsnormFwd<bf16>)
SK_KERNEL(rmsnorm_fwd_f16, RmsnormFwd<f16>)
SK_KERNEL(rmsnorm_bwd_f32, RmsnormBwd<float>)
SK_KERNEL(rmsnorm_bwd_bf16, RmsnormBwd<bf16>)
SK_KERNEL(rmsnorm_bwd_f16, RmsnormBwd<f16>)
SK_KERNEL(rmsnorm_bwd_parts_f32, RmsnormBwdParts<float>)
SK_KERNEL(rmsnorm_bwd_parts_bf16, RmsnormBwdParts<bf16>)
SK_KERNEL(rmsnorm_bwd_parts_f16, RmsnormBwdParts<f16>)
SK_KERNEL(rmsnorm_bwd_weight, RmsnormBwdWeight<float>)

} // namespace sk

#ifdef SK_LAUNCHERS
#include "launch.h"

namespace sk {
namespace cuda {

int rmsnorm_fwd(sk_context* ctx, float* y, float* x, float* rstd, const float* a, const float* b,
                const float* w, int64_t N, int64_t C, float eps) {
  return dispatch(ctx, [&](auto element) {
    using T = decltype(element);
    launch(ctx, N, 1, 32 * sizeof(float),
           RmsnormFwd<T>{as<T>(y), as<T>(x), rstd, as<T>(a), as<T>(b), as<T>(w), C, eps});
  });
}

// The sum over rows goes through at most 64 parts, chosen by N alone.
int rmsnorm_bwd(sk_context* ctx, float* dx, float* dw, const float* dy, const float* x, const float* rstd,
                const float* w, int64_t N, int64_t C) {
  if (N == 0) return 0;
  const int64_t rows = N <= 16 * 64 ? 16 : ceil_div(N, 64), K = ceil_div(N, rows), across = ceil_div(C, 128);
  return dispatch(ctx, [&](auto element) {
    using T = decltype(element);
    launch(ctx, N, 1, 32 * sizeof(float), RmsnormBwd<T>{as<T>(dx), as<T>(dy), as<T>(x), rstd, as<T>(w), C});
    if (!dw) return;
    float* parts = reinterpret_cast<float*>(device_scratch(ctx, K * C * int64_t(sizeof(float))));
    launch(ctx, across, K, 0, RmsnormBwdParts<T>{parts, as<T>(dy), as<T>(x), rstd, N, C, rows});
    launch(ctx, across, 1, 0, RmsnormBwdWeight<float>{dw, parts, C, K});
  });
}

} // namespace cuda
} // namespace sk
#endif
