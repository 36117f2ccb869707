// AdamW over bfloat16 as seekr.h has it, one formula after the other, to the bit: for CPUs, whose instruction
// sets need no fused products here, and for devices.
#ifndef SEEKR_TEST_NARROW_ADAMW_H
#define SEEKR_TEST_NARROW_ADAMW_H
#include "../include/seekr.h"
#include <cmath>
#include <cstring>
#include <vector>

namespace plain {

inline float widened(uint16_t x) {
  const uint32_t bits = uint32_t(x) << 16;
  float y;
  memcpy(&y, &bits, sizeof y);
  return y;
}
inline std::vector<float> widened(const std::vector<uint16_t>& x) {
  std::vector<float> y;
  for (uint16_t v : x) y.push_back(widened(v));
  return y;
}

// x moved away from 0 by `random` of the 2^16 parts of a unit, and cut off.
inline uint16_t drawn(float x, uint32_t random) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return uint16_t((bits + random) / 65536);
}
inline std::vector<uint16_t> narrowed(const std::vector<float>& x) {
  std::vector<uint16_t> y;
  for (float v : x) y.push_back(drawn(v, 0));
  return y;
}

enum Which { M, V, W };
inline uint32_t random_bits(int64_t key, int64_t i, Which which) {
  auto mix32 = [](uint32_t h) {
    h ^= h >> 16, h *= 0x85EBCA6B, h ^= h >> 13, h *= 0xC2B2AE35;
    return h ^ h >> 16;
  };
  uint64_t k = uint64_t(key) + uint64_t(i) / (uint64_t(1) << 32);
  k ^= k >> 30, k *= 0xBF58476D1CE4E5B9, k ^= k >> 27, k *= 0x94D049BB133111EB, k ^= k >> 31;
  const uint32_t r = mix32(mix32(uint32_t(uint64_t(i) + k)) ^ uint32_t(k >> 32));
  return which == M ? r % 65536 : which == V ? r / 65536 : mix32(~r) % 65536;
}

// A step on the host, of floats that are to be stored as bfloat16: w where `narrow`, m and v always.
inline void narrow_adamw(const sk_adamw_step& a, bool narrow) {
  const float unbias1 = float(1 / (1 - std::pow(double(a.b1), double(a.step))));
  const float unbias2 = float(1 / (1 - std::pow(double(a.b2), double(a.step))));
  for (int64_t i = 0; i < a.n; i++) {
    const float gs = a.grad_scale * a.g[i];
    const float m = a.b1 * a.m[i] + (1 - a.b1) * gs, v = a.b2 * a.v[i] + (1 - a.b2) * (gs * gs);
    const float w = a.w[i] - a.lr * (m * unbias1 / (std::sqrt(v * unbias2) + a.eps) + a.decay * a.w[i]);
    a.m[i] = widened(drawn(m, random_bits(a.key, i, M)));
    a.v[i] = widened(drawn(v, random_bits(a.key, i, V)));
    a.w[i] = narrow ? widened(drawn(w, random_bits(a.key, i, W))) : w;
  }
}

} // namespace plain
#endif
