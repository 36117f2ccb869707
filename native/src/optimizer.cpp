// adamw, dot, add_scaled.
#include "kernels.h"
#include "simd.h"

namespace sk {
namespace SK_ISA {

static constexpr int64_t BLOCK = 16384;

// g' = grad_scale g;  m = b1 m + (1-b1) g';  v = b2 v + (1-b2) g'^2;
// w -= lr (m/(1-b1^step) / (sqrt(v/(1-b2^step)) + eps) + decay w)
// all [n]; rounded (or NULL): the new w
int adamw(sk_context* ctx, const sk_adamw_step* a) {
  const float lr = a->lr, b1 = a->b1, b2 = a->b2, eps = a->eps, decay = a->decay, grad_scale = a->grad_scale;
  const float unbias1 = float(1 / (1 - __builtin_pow(double(b1), double(a->step))));
  const float unbias2 = float(1 / (1 - __builtin_pow(double(b2), double(a->step))));
  const float c1 = 1 - b1, c2 = 1 - b2;
  parallel_blocks(ctx, a->n, BLOCK, [=](int64_t begin, int64_t end) {
    float* __restrict w = a->w + begin, * __restrict m = a->m + begin, * __restrict v = a->v + begin;
    const float* __restrict g = a->g + begin;
    for (int64_t i = 0; i < end - begin; i++) {
      float gs = grad_scale * g[i];
      m[i] = b1 * m[i] + c1 * gs;
      v[i] = b2 * v[i] + c2 * (gs * gs);
      w[i] -= lr * (m[i] * unbias1 / (__builtin_sqrtf(v[i] * unbias2) + eps) + decay * w[i]);
    }
    if (a->rounded)
      each_vector(end - begin, [&](int64_t i, auto lanes) {
        lanes.put(elements(a->rounded) + begin + i, lanes.get(w + i));
      });
  });
  return 0;
}

// out[0] = sum of x y [n]: blocks in double, added in order.
int dot(sk_context* ctx, const sk_pair* a) {
  const int64_t blocks = (a->n + BLOCK - 1) / BLOCK;
  double* sums = reinterpret_cast<double*>(shared_scratch(ctx, 2 * blocks));
  parallel_blocks(ctx, a->n, BLOCK, [=](int64_t begin, int64_t end) {
    const float *x = a->x + begin, *y = a->y + begin;
    Sum products;
    each_vector(end - begin,
                [&](int64_t i, auto lanes) { products.add_product(lanes.get(x + i), lanes.get(y + i)); });
    sums[begin / BLOCK] = products.total();
  });
  double total = 0;
  for (int64_t k = 0; k < blocks; k++) total += sums[k];
  *a->out = total;
  return 0;
}

// y += scale x                  all [n]
int add_scaled(sk_context* ctx, const sk_scaled* a) {
  parallel_blocks(ctx, a->n, BLOCK, [=](int64_t begin, int64_t end) {
    float* y = a->y + begin;
    const float *x = a->x + begin, scale = a->scale;
    each_vector(end - begin, [=](int64_t i, auto lanes) {
      lanes.put(y + i, lanes.get(y + i) + scale * lanes.get(x + i));
    });
  });
  return 0;
}

} // namespace SK_ISA
} // namespace sk
