// adamw, dot, add_scaled, add_squares, anchor: passes over flat arrays of floats, whatever the element type.
#include "device.cuh"

namespace sk {

// g' = grad_scale g;  m = b1 m + (1-b1) g';  v = b2 v + (1-b2) g'^2;
// w -= lr (m unbias1 / (sqrt(v unbias2) + eps) + decay w);  rounded (or null) = w             all [n]
template <class T> struct Adamw {
  static constexpr int THREADS = 256;
  float *w, *m, *v;
  const float* g;
  T* rounded;
  int64_t n;
  float lr, b1, b2, eps, decay, grad_scale, unbias1, unbias2;

  SK_DEVICE void operator()() const {
    const int64_t i = block_x() * THREADS + thread();
    if (i >= n) return;
    const float gs = grad_scale * g[i];
    const float mi = m[i] = b1 * m[i] + (1 - b1) * gs;
    const float vi = v[i] = b2 * v[i] + (1 - b2) * (gs * gs);
    const float wi = w[i] -= lr * (mi * unbias1 / (root(vi * unbias2) + eps) + decay * w[i]);
    if (rounded) rounded[i] = from_float<T>(wi);
  }
};

// parts[block] = sum of x y over its elements, which are `each` apart from the next block's
struct Dot {
  static constexpr int THREADS = 256;
  double* parts;
  const float *x, *y;
  int64_t n, each;

  SK_DEVICE void operator()() const {
    double sum = 0;
    const int64_t begin = block_x() * each;
    for (int64_t i = begin + thread(); i < least(n, begin + each); i += THREADS)
      sum += double(x[i]) * double(y[i]);
    sum = block_sum<THREADS>(sum, shared<double>());
    if (thread() == 0) parts[block_x()] = sum;
  }
};

// y += scale x                  all [n]
struct AddScaled {
  static constexpr int THREADS = 256;
  float* y;
  const float* x;
  int64_t n;
  float scale;

  SK_DEVICE void operator()() const {
    const int64_t i = block_x() * THREADS + thread();
    if (i < n) y[i] += scale * x[i];
  }
};

// out[s] = sum of parts[i*across + s % across] over start[s / across] <= i < start[s / across + 1], in order.
// A block is one s.
struct SumParts {
  static constexpr int THREADS = 128;
  double* out;
  const double* parts;
  const int32_t* start;
  int64_t across;

  SK_DEVICE void operator()() const {
    const int64_t s = block_x() / across, column = block_x() % across;
    double sum = 0;
    for (int32_t i = start[s] + thread(); i < start[s + 1]; i += THREADS) sum += parts[i * across + column];
    sum = block_sum<THREADS>(sum, shared<double>());
    if (thread() == 0) out[block_x()] = sum;
  }
};

// f += scale g^2                all [n]
struct AddSquares {
  static constexpr int THREADS = 256;
  float* f;
  const float* g;
  int64_t n;
  float scale;

  SK_DEVICE void operator()() const {
    const int64_t i = block_x() * THREADS + thread();
    if (i < n) f[i] += scale * (g[i] * g[i]);
  }
};

// g += lambda F (w-a);  parts[block] = sum of lambda/2 F (w-a)^2.          g, w, fisher F, anchor a [n]
struct Anchor {
  static constexpr int THREADS = 256;
  double* parts;
  float* g;
  const float *w, *fisher, *anchor;
  int64_t n, each;
  float lambda;

  SK_DEVICE void operator()() const {
    double penalty = 0;
    const int64_t begin = block_x() * each;
    for (int64_t i = begin + thread(); i < least(n, begin + each); i += THREADS) {
      const float away = w[i] - anchor[i], pull = lambda * fisher[i] * away;
      g[i] += pull;
      penalty += double(pull) * double(away);
    }
    penalty = block_sum<THREADS>(penalty, shared<double>());
    if (thread() == 0) parts[block_x()] = penalty / 2;
  }
};

SK_KERNEL(adamw_f32, Adamw<float>)
SK_KERNEL(adamw_bf16, Adamw<bf16>)
SK_KERNEL(adamw_f16, Adamw<f16>)
SK_KERNEL(dot, Dot)
SK_KERNEL(sum_parts, SumParts)
SK_KERNEL(add_scaled, AddScaled)
SK_KERNEL(add_squares, AddSquares)
SK_KERNEL(anchor, Anchor)

} // namespace sk

#ifdef SK_LAUNCHERS
#include "launch.h"
#include "sum_parts.h"

namespace sk {

void sum_parts(sk_context* ctx, double* out, const double* parts, const std::vector<int32_t>& start,
               int64_t across) {
  const int64_t n = (int64_t(start.size()) - 1) * across;
  launch(ctx, n, 1, 32 * sizeof(double), SumParts{out, parts, upload(ctx, start), across});
}

namespace cuda {

int adamw(sk_context* ctx, float* w, float* m, float* v, const float* g, float* rounded, int64_t n, float lr,
          float b1, float b2, float eps, float decay, float grad_scale, int64_t step) {
  const float unbias1 = float(1 / (1 - __builtin_pow(double(b1), double(step))));
  const float unbias2 = float(1 / (1 - __builtin_pow(double(b2), double(step))));
  return dispatch(ctx, [&](auto element) {
    using T = decltype(element);
    launch(ctx, ceil_div(n, Adamw<T>::THREADS), 1, 0,
           Adamw<T>{w, m, v, g, as<T>(rounded), n, lr, b1, b2, eps, decay, grad_scale, unbias1, unbias2});
  });
}

// Elements a block sums up: enough blocks for any GPU, few enough parts for one block to add.
static int64_t elements_of_a_block(int64_t n) { return most<int64_t>(8192, ceil_div(n, 4096)); }

// The sum over `blocks` parts, on the host.
static void sum_blocks(sk_context* ctx, double* out, double* parts, int64_t blocks) {
  sum_parts(ctx, parts + blocks, parts, {0, int32_t(blocks)}, 1);
  download(ctx, out, parts + blocks, sizeof(double));
}

int dot(sk_context* ctx, double* out, const float* x, const float* y, int64_t n) {
  const int64_t each = elements_of_a_block(n), blocks = ceil_div(n, each);
  double* parts = reinterpret_cast<double*>(device_scratch(ctx, (blocks + 1) * int64_t(sizeof(double))));
  launch(ctx, blocks, 1, 32 * sizeof(double), Dot{parts, x, y, n, each});
  sum_blocks(ctx, out, parts, blocks);
  return 0;
}

int add_scaled(sk_context* ctx, float* y, const float* x, int64_t n, float scale) {
  launch(ctx, ceil_div(n, AddScaled::THREADS), 1, 0, AddScaled{y, x, n, scale});
  return 0;
}

int add_squares(sk_context* ctx, float* f, const float* g, int64_t n, float scale) {
  launch(ctx, ceil_div(n, AddSquares::THREADS), 1, 0, AddSquares{f, g, n, scale});
  return 0;
}

int anchor(sk_context* ctx, double* out, float* g, const float* w, const float* fisher, const float* anchor,
           int64_t n, float lambda) {
  const int64_t each = elements_of_a_block(n), blocks = ceil_div(n, each);
  double* parts = reinterpret_cast<double*>(device_scratch(ctx, (blocks + 1) * int64_t(sizeof(double))));
  launch(ctx, blocks, 1, 32 * sizeof(double), Anchor{parts, g, w, fisher, anchor, n, each, lambda});
  sum_blocks(ctx, out, parts, blocks);
  return 0;
}

} // namespace cuda
} // namespace sk
#endif
