// dropout: which elements are kept is computed, never stored.
#include "kernels.h"
#include "simd.h"

namespace sk {
namespace SK_ISA {

static constexpr int64_t FLOATS = 16384; // computed by one task; tried 4096, 65536: as fast

static uint64_t mix(uint64_t z) {
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}

SK_INLINE vu mix(vu h) {
  h = (h ^ h >> 16) * 0x85EBCA6Bu;
  h = (h ^ h >> 13) * 0xC2B2AE35u;
  return h ^ h >> 16;
}

// y[n] = kept ? x[n] / (1-p) : 0, or added to y[n]; what is dropped is 0 whatever it was.      y, x [N,C]
int dropout(sk_context* ctx, const sk_dropped_rows* a) {
  const int64_t C = a->C;
  const int32_t least = int32_t(a->p * 0x1p31f);
  const float scale = 1 / (1 - a->p);
  vu lane;
  for (int i = 0; i < W; i++) lane[i] = uint32_t(i);
  parallel_blocks(ctx, a->N, C < FLOATS ? FLOATS / C : 1, [=](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++) {
      const uint64_t key = mix(uint64_t(a->keys[n]) + uint64_t(a->salt));
      const uint32_t low = uint32_t(key), high = uint32_t(key >> 32);
      E* y = elements(a->y) + n * C;
      const E* x = elements(a->x) + n * C;
      each_vector(C, [=](int64_t i, auto lanes) {
        const vi drawn = (vi)(mix(mix(lane + (uint32_t(i) + low)) ^ high) >> 1);
        const vf v = drawn >= least ? lanes.get(x + i) * scale : vf{};
        lanes.put(y + i, a->accumulate ? lanes.get(y + i) + v : v);
      });
    }
  });
  return 0;
}

} // namespace SK_ISA
} // namespace sk
