// rmsnorm_fwd, rmsnorm_bwd.
#include "device.cuh"

namespace sk {

// A block is a row.
template <class T> struct RmsnormFwd {
  static constexpr int THREADS = 128;
  sk_rmsnorm of;

  SK_DEVICE void operator()() const {
    const int64_t C = of.C, row = block_x() * C;
    const T *a = as<T>(of.a) + row, *b = as<T>(of.b), *w = as<T>(of.w);
    T *x = as<T>(of.x), *y = as<T>(of.y) + row;
    float squares = 0;
    for (int64_t c = thread(); c < C; c += THREADS) {
      float v = to_float(a[c]);
      if (b) {
        x[row + c] = from_float<T>(v + to_float(b[row + c]));
        v = to_float(x[row + c]);
      }
      squares += v * v;
    }
    const float sum = block_sum<THREADS>(squares, shared<float>());
    const float r = 1 / root(sum / float(C) + of.eps);
    if (thread() == 0) of.rstd[block_x()] = r;
    const T* from = b ? x + row : a; // each thread reads what it wrote
    for (int64_t c = thread(); c < C; c += THREADS)
      y[c] = from_float<T>(to_float(from[c]) * r * to_float(w[c]));
  }
};

// dx.  A block is a row.
template <class T> struct RmsnormBwd {
  static constexpr int THREADS = 128;
  sk_rmsnorm_gradient of;

  SK_DEVICE void operator()() const {
    const int64_t C = of.C, row = block_x() * C;
    const T *dy = as<T>(of.dy) + row, *x = as<T>(of.x) + row, *w = as<T>(of.w);
    T* dx = as<T>(of.dx) + row;
    const float r = of.rstd[block_x()];
    float dot = 0;
    for (int64_t c = thread(); c < C; c += THREADS) dot += to_float(dy[c]) * to_float(w[c]) * to_float(x[c]);
    const float mean = block_sum<THREADS>(dot, shared<float>()) * r / float(C);
    for (int64_t c = thread(); c < C; c += THREADS) {
      const float g = to_float(dy[c]) * to_float(w[c]), xhat = to_float(x[c]) * r;
      dx[c] = from_float<T>(to_float(dx[c]) + r * (g - xhat * mean));
    }
  }
};

// parts[k,c] = sum of dy*x*rstd over the k-th `rows` rows.  A block is 128 channels and one part.
template <class T> struct RmsnormBwdParts {
  static constexpr int THREADS = 128;
  sk_rmsnorm_gradient of;
  float* parts;
  int64_t rows;

  SK_DEVICE void operator()() const {
    const int64_t C = of.C, c = block_x() * THREADS + thread(), k = block_y();
    if (c >= C) return;
    const T *dy = as<T>(of.dy) + c, *x = as<T>(of.x) + c;
    float sum = 0;
    for (int64_t n = k * rows; n < least(of.N, (k + 1) * rows); n++)
      sum += to_float(dy[n * C]) * (to_float(x[n * C]) * of.rstd[n]);
    parts[k * C + c] = sum;
  }
};

// dw[c] += the sum over K parts, in order
struct RmsnormBwdWeight {
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
SK_KERNEL(rmsnorm_bwd_weight, RmsnormBwdWeight)

} // namespace sk

#ifdef SK_LAUNCHERS
#include "launch.h"

namespace sk {
namespace cuda {

int rmsnorm_fwd(sk_context* ctx, const sk_rmsnorm* a) {
  return dispatch(ctx, [&](auto element) {
    using T = decltype(element);
    launch(ctx, a->N, 1, 32 * sizeof(float), RmsnormFwd<T>{*a});
  });
}

// The sum over rows goes through at most 64 parts, chosen by N alone.
int rmsnorm_bwd(sk_context* ctx, const sk_rmsnorm_gradient* a) {
  const int64_t N = a->N, C = a->C;
  if (N == 0) return 0;
  const int64_t rows = N <= 16 * 64 ? 16 : ceil_div(N, 64), K = ceil_div(N, rows), across = ceil_div(C, 128);
  return dispatch(ctx, [&](auto element) {
    using T = decltype(element);
    launch(ctx, N, 1, 32 * sizeof(float), RmsnormBwd<T>{*a});
    if (!a->dw) return;
    float* parts = reinterpret_cast<float*>(device_scratch(ctx, K * C * int64_t(sizeof(float))));
    launch(ctx, across, K, 0, RmsnormBwdParts<T>{*a, parts, rows});
    launch(ctx, across, 1, 0, RmsnormBwdWeight{a->dw, parts, C, K});
  });
}

} // namespace cuda
} // namespace sk
#endif
