// bfloat16 for tests: floats rounded to it and back, and contexts that compute in it.
#ifndef SEEKR_TEST_NARROW_H
#define SEEKR_TEST_NARROW_H
#include "check.h"
#include <cstring>

// The upper half of a float, rounded to nearest, ties to even; of finite numbers.
inline uint16_t narrow(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
inline float widen(uint16_t b) {
  const uint32_t bits = uint32_t(b) << 16;
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}
inline std::vector<uint16_t> narrow(const std::vector<float>& x) {
  std::vector<uint16_t> y;
  for (float v : x) y.push_back(narrow(v));
  return y;
}

// As seekr.h names what is of the context's elements.
inline float* elements(uint16_t* x) { return reinterpret_cast<float*>(x); }

// A context of bfloat16 elements by each instruction set, number of threads and multiplier.
inline void each_bf16_context(const std::function<void(sk_context*, const std::string& label)>& f) {
  each_context([&](sk_context* ctx, const std::string& label) {
    check_ok(sk_configure(ctx, 1, nullptr), "bfloat16");
    f(ctx, label + "/sgemm");
    for (const char* who : {"vdpbf16", "amx"})
      if (sk_multiply_by(ctx, who) == 0) f(ctx, label + "/" + who);
  });
}

#endif
