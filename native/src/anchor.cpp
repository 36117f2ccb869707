// add_squares, anchor: what elastic weight consolidation needs beside an optimizer.
#include "kernels.h"
#include "simd.h"

namespace sk {
namespace SK_ISA {

static constexpr int64_t BLOCK = 16384;

// f += scale g^2                all [n]
int add_squares(sk_context* ctx, float* f, const float* g, int64_t n, float scale) {
  parallel_blocks(ctx, n, BLOCK, [&](int64_t begin, int64_t end) {
    each_vector(end - begin, [&](int64_t i, auto lanes) {
      vf v = lanes.get(g + begin + i);
      lanes.put(f + begin + i, lanes.get(f + begin + i) + scale * (v * v));
    });
  });
  return 0;
}

// g += lambda F (w-a);  out[0] = lambda/2 sum F (w-a)^2: blocks in double, added in order.
int anchor(sk_context* ctx, double* out, float* g, const float* w, const float* fisher, const float* anchor,
           int64_t n, float lambda) {
  const int64_t blocks = (n + BLOCK - 1) / BLOCK;
  double* sums = reinterpret_cast<double*>(shared_scratch(ctx, 2 * blocks));
  parallel_blocks(ctx, n, BLOCK, [&](int64_t begin, int64_t end) {
    Sum penalty;
    each_vector(end - begin, [&](int64_t i, auto lanes) {
      const int64_t at = begin + i;
      vf away = lanes.get(w + at) - lanes.get(anchor + at);
      vf pull = lambda * lanes.get(fisher + at) * away;
      lanes.put(g + at, lanes.get(g + at) + pull);
      penalty.add_product(pull, away);
    });
    sums[begin / BLOCK] = penalty.total() / 2;
  });
  *out = 0;
  for (int64_t k = 0; k < blocks; k++) *out += sums[k];
  return 0;
}

} // namespace SK_ISA
} // namespace sk
