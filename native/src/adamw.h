// What AdamW does to one element, for every library; seekr.h has the formulas. Sources that include this are
// compiled to fuse no product into a sum, so that all store the same bits.
#ifndef SEEKR_ADAMW_H
#define SEEKR_ADAMW_H
#include "../include/seekr.h"
#ifndef SK_DEVICE
#include "bf16.h"
#endif
#include <string.h>

namespace sk {

#ifdef SK_DEVICE
#define SK_EACH SK_DEVICE
#else
#define SK_EACH static inline __attribute__((always_inline))
SK_EACH float root(float x) { return __builtin_sqrtf(x); }
#endif

SK_EACH uint64_t adamw_mix(uint64_t z) {
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}
SK_EACH uint32_t adamw_mix(uint32_t h) {
  h = (h ^ h >> 16) * 0x85EBCA6Bu;
  h = (h ^ h >> 13) * 0xC2B2AE35u;
  return h ^ h >> 16;
}

SK_EACH float widened(float x) { return x; }
SK_EACH float widened(bf16 x) {
  const uint32_t bits = uint32_t(x.bits) << 16;
  float y;
  memcpy(&y, &bits, sizeof y);
  return y;
}

SK_EACH void put(float* to, float x, uint32_t) { *to = x; }
// Away from 0 where the 16 random bits and those that are cut off come to a unit; NaN stays NaN.
SK_EACH void put(bf16* to, float x, uint32_t random) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  const bool finite = (bits & 0x7F800000u) != 0x7F800000u;
  const uint32_t other = bits >> 16 | uint32_t(x != x) << 6;
  to->bits = uint16_t(finite ? (bits + (random & 0xFFFF)) >> 16 : other);
}
// The nearest, ties to even.
SK_EACH bf16 nearest(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  const uint32_t up = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16, nan = bits >> 16 | 0x40;
  return {uint16_t(x != x ? nan : up)};
}

// The random bits of a vector's elements.
SK_EACH uint32_t adamw_bits(uint64_t k, int64_t i) {
  return adamw_mix(adamw_mix(uint32_t(i) + uint32_t(k)) ^ uint32_t(k >> 32));
}
// k of elements i to the next multiple of 2^32.
SK_EACH uint64_t adamw_key(int64_t key, int64_t i) { return adamw_mix(uint64_t(key) + uint64_t(i >> 32)); }

// unbias: 1 / (1 - b^step). W, S, G: float, or bf16. Returns the new w before it is stored.
template <class W, class S, class G>
SK_EACH float adamw_element(const sk_adamw_step& a, float unbias1, float unbias2, uint64_t k, int64_t i, W* w,
                            S* m, S* v, const G* g) {
  const float gs = a.grad_scale * widened(*g), before = widened(*w);
  const float mi = a.b1 * widened(*m) + (1 - a.b1) * gs;
  const float vi = a.b2 * widened(*v) + (1 - a.b2) * (gs * gs);
  const float wi = before - a.lr * (mi * unbias1 / (root(vi * unbias2) + a.eps) + a.decay * before);
  const uint32_t r = sizeof(S) == 2 ? adamw_bits(k, i) : 0;
  put(m, mi, r);
  put(v, vi, r >> 16);
  put(w, wi, sizeof(W) == 2 ? adamw_mix(~r) : 0);
  return wi;
}

} // namespace sk
#endif
