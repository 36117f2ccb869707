// add_squares, anchor: what elastic weight consolidation needs beside an optimizer.
#include "kernels.h"
#include "simd.h"

namespace sk {
namespace SK_ISA {

static constexpr int64_t BLOCK = 16384;

// y += scale x^2                all [n]
int add_squares(sk_context* ctx, const sk_scaled* a) {
  parallel_blocks(ctx, a->n, BLOCK, [=](int64_t begin, int64_t end) {
    float* y = a->y + begin;
    const float *x = a->x + begin, scale = a->scale;
    each_vector(end - begin, [=](int64_t i, auto lanes) {
      vf v = lanes.get(x + i);
      lanes.put(y + i, lanes.get(y + i) + scale * (v * v));
    });
  });
  return 0;
}

// g += lambda F (w-a);  out[0] = lambda/2 sum F (w-a)^2: blocks in double, added in order.
int anchor(sk_context* ctx, const sk_pull* a) {
  const int64_t blocks = (a->n + BLOCK - 1) / BLOCK;
  double* sums = reinterpret_cast<double*>(shared_scratch(ctx, 2 * blocks));
  parallel_blocks(ctx, a->n, BLOCK, [=](int64_t begin, int64_t end) {
    float* g = a->g + begin;
    const float *w = a->w + begin, *fisher = a->fisher + begin, *anchor = a->anchor + begin;
    const float lambda = a->lambda;
    Sum penalty;
    each_vector(end - begin, [&](int64_t i, auto lanes) {
      vf away = lanes.get(w + i) - lanes.get(anchor + i);
      vf pull = lambda * lanes.get(fisher + i) * away;
      lanes.put(g + i, lanes.get(g + i) + pull);
      penalty.add_product(pull, away);
    });
    sums[begin / BLOCK] = penalty.total() / 2;
  });
  *a->out = 0;
  for (int64_t k = 0; k < blocks; k++) *a->out += sums[k];
  return 0;
}

} // namespace SK_ISA
} // namespace sk
