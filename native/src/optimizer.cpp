// adamw, dot, add_scaled.
#include "kernels.h"
#include "simd.h"

namespace sk {
namespace SK_ISA {

static constexpr int64_t BLOCK = 16384;

// g' = grad_scale g;  m = b1 m + (1-b1) g';  v = b2 v + (1-b2) g'^2;
// w -= lr (m/(1-b1^step) / (sqrt(v/(1-b2^step)) + eps) + decay w)              all [n]; rounded (or NULL) = w
int adamw(sk_context* ctx, float* w, float* m, float* v, const float* g, float* rounded, int64_t n, float lr,
          float b1, float b2, float eps, float decay, float grad_scale, int64_t step) {
  const float unbias1 = float(1 / (1 - __builtin_pow(double(b1), double(step))));
  const float unbias2 = float(1 / (1 - __builtin_pow(double(b2), double(step))));
  const float c1 = 1 - b1, c2 = 1 - b2;
  parallel_blocks(ctx, n, BLOCK, [&](int64_t begin, int64_t end) {
    float* __restrict wi = w + begin, * __restrict mi = m + begin, * __restrict vi = v + begin;
    const float* __restrict gi = g + begin;
    for (int64_t i = 0; i < end - begin; i++) {
      float gs = grad_scale * gi[i];
      mi[i] = b1 * mi[i] + c1 * gs;
      vi[i] = b2 * vi[i] + c2 * (gs * gs);
      wi[i] -= lr * (mi[i] * unbias1 / (__builtin_sqrtf(vi[i] * unbias2) + eps) + decay * wi[i]);
    }
    if (rounded) memcpy(rounded + begin, wi, size_t(end - begin) * sizeof(float));
  });
  return 0;
}

// out[0] = sum of x y [n]: blocks in double, added in order.
int dot(sk_context* ctx, double* out, const float* x, const float* y, int64_t n) {
  const int64_t blocks = (n + BLOCK - 1) / BLOCK;
  double* sums = reinterpret_cast<double*>(shared_scratch(ctx, 2 * blocks));
  parallel_blocks(ctx, n, BLOCK, [&](int64_t begin, int64_t end) {
    Sum products;
    each_vector(end - begin, [&](int64_t i, auto lanes) {
      products.add_product(lanes.get(x + begin + i), lanes.get(y + begin + i));
    });
    sums[begin / BLOCK] = products.total();
  });
  double total = 0;
  for (int64_t k = 0; k < blocks; k++) total += sums[k];
  *out = total;
  return 0;
}

// y += scale x                  all [n]
int add_scaled(sk_context* ctx, float* y, const float* x, int64_t n, float scale) {
  parallel_blocks(ctx, n, BLOCK, [&](int64_t begin, int64_t end) {
    each_vector(end - begin, [&](int64_t i, auto lanes) {
      lanes.put(y + begin + i, lanes.get(y + begin + i) + scale * lanes.get(x + begin + i));
    });
  });
  return 0;
}

} // namespace SK_ISA
} // namespace sk
