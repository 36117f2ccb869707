// The vector vocabulary of the kernels: one register wide, written with GCC vector extensions.
//
// Every kernel source is compiled once for each instruction set (avx512, avx2 or scalar, which is baseline
// x86-64) and each type E of elements: float, or bfloat16 where SK_BF16 is defined. SK_ISA names the two, as
// avx2 or avx2_e16, and all code lives in sk::SK_ISA. Include no header of the C++ library from such a
// source: an inline function shared with baseline code could be kept in its AVX-512 form and run on a CPU
// without it.
#ifndef SEEKR_SIMD_H
#define SEEKR_SIMD_H
#include "bf16.h"
#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__)
#include "intrinsics.h"
#define SK_VEC_BYTES 64
#elif defined(__AVX2__)
#define SK_VEC_BYTES 32
#else
#define SK_VEC_BYTES 16
#endif
#define SK_INLINE static inline __attribute__((always_inline))
#define SK_INLINE_MEMBER inline __attribute__((always_inline))

namespace sk {
namespace SK_ISA {

constexpr int W = SK_VEC_BYTES / 4; // floats in a register

typedef float vf __attribute__((vector_size(SK_VEC_BYTES)));
typedef int32_t vi __attribute__((vector_size(SK_VEC_BYTES)));
typedef uint32_t vu __attribute__((vector_size(SK_VEC_BYTES)));
typedef double vd __attribute__((vector_size(SK_VEC_BYTES))); // W/2 doubles
typedef float v8 __attribute__((vector_size(32)));
typedef float v4 __attribute__((vector_size(16)));
typedef double d4 __attribute__((vector_size(32)));
typedef double d2 __attribute__((vector_size(16)));
typedef float vhalf __attribute__((vector_size(SK_VEC_BYTES / 2)));

// The same in memory, at any address.
typedef float vf_mem __attribute__((vector_size(SK_VEC_BYTES), aligned(4), may_alias));
typedef uint16_t vh_mem __attribute__((vector_size(SK_VEC_BYTES / 2), aligned(2), may_alias));

#ifdef SK_BF16
typedef bf16 E;
#else
typedef float E;
#endif

// What seekr.h calls float and is of the context's elements.
SK_INLINE E* elements(float* p) { return (E*)p; }
SK_INLINE const E* elements(const float* p) { return (const E*)p; }

SK_INLINE vf load(const float* p) { return *(const vf_mem*)p; }
SK_INLINE void store(float* p, vf v) { *(vf_mem*)p = v; }
SK_INLINE vf broadcast(float s) { return s - vf{}; }
SK_INLINE vf vmax(vf a, vf b) { return a > b ? a : b; }
SK_INLINE vf vmin(vf a, vf b) { return a < b ? a : b; }

// To the nearest bfloat16, ties to even; NaN stays NaN.
SK_INLINE vu round_bits(vf v) {
  vu bits = (vu)v, rounded = (bits + (0x7fff + (bits >> 16 & 1))) >> 16;
  return v == v ? rounded : bits >> 16 | 0x40;
}
SK_INLINE vf widen_bits(vu bits) { return (vf)(bits << 16); }

SK_INLINE vf load(const bf16* p) { return widen_bits(__builtin_convertvector(*(const vh_mem*)p, vu)); }
SK_INLINE void store(bf16* p, vf v) {
  typedef uint16_t vh __attribute__((vector_size(SK_VEC_BYTES / 2)));
  *(vh_mem*)p = __builtin_convertvector(round_bits(v), vh);
}

// One element.
SK_INLINE float widen(float x) { return x; }
SK_INLINE float widen(bf16 x) {
  uint32_t bits = uint32_t(x.bits) << 16;
  float f;
  memcpy(&f, &bits, sizeof f);
  return f;
}
SK_INLINE void put(float* p, float x) { *p = x; }
SK_INLINE void put(bf16* p, float x) { p->bits = uint16_t(round_bits(broadcast(x))[0]); }

// v as it reads once it is stored in p.
SK_INLINE vf as_stored(const float*, vf v) { return v; }
SK_INLINE vf as_stored(const bf16*, vf v) { return widen_bits(round_bits(v)); }

// The first n < W lanes; the others read as `fill` and are not written.
SK_INLINE vf load_some(const float* p, int64_t n, float fill = 0) {
  vf v = broadcast(fill);
  for (int64_t i = 0; i < n; i++) v[i] = p[i];
  return v;
}
SK_INLINE void store_some(float* p, vf v, int64_t n) {
  for (int64_t i = 0; i < n; i++) p[i] = v[i];
}
SK_INLINE vf load_some(const bf16* p, int64_t n, float fill = 0) {
  vu bits = {};
  for (int64_t i = 0; i < n; i++) bits[i] = p[i].bits;
  vf v = widen_bits(bits);
  for (int64_t i = n; i < W; i++) v[i] = fill;
  return v;
}
SK_INLINE void store_some(bf16* p, vf v, int64_t n) {
  vu bits = round_bits(v);
  for (int64_t i = 0; i < n; i++) p[i].bits = uint16_t(bits[i]);
}

// All of a row in one body: f(i, lanes) for i = 0, W, 2W, ..., where lanes reads and writes a whole register,
// or what is left of n.
struct AllLanes {
  SK_INLINE_MEMBER vf get(const float* p, float = 0) const { return load(p); }
  SK_INLINE_MEMBER vf get(const uint16_t* p, float = 0) const;
  SK_INLINE_MEMBER vf get(const bf16* p, float = 0) const { return load(p); }
  SK_INLINE_MEMBER void put(float* p, vf v) const { store(p, v); }
  SK_INLINE_MEMBER void put(bf16* p, vf v) const { store(p, v); }
  SK_INLINE_MEMBER vf keep(vf v) const { return v; } // 0 in lanes that are not there
};
struct SomeLanes {
  int64_t n;
  SK_INLINE_MEMBER vf get(const float* p, float fill = 0) const { return load_some(p, n, fill); }
  SK_INLINE_MEMBER vf get(const uint16_t* p, float fill = 0) const;
  SK_INLINE_MEMBER vf get(const bf16* p, float fill = 0) const { return load_some(p, n, fill); }
  SK_INLINE_MEMBER void put(float* p, vf v) const { store_some(p, v, n); }
  SK_INLINE_MEMBER void put(bf16* p, vf v) const { store_some(p, v, n); }
  SK_INLINE_MEMBER vf keep(vf v) const {
    for (int64_t i = n; i < W; i++) v[i] = 0;
    return v;
  }
};
template <class F> SK_INLINE void each_vector(int64_t n, F f) {
  int64_t i = 0;
  for (; i + W <= n; i += W) f(i, AllLanes{});
  if (i < n) f(i, SomeLanes{n - i});
}

// W halves as floats, exactly: the exponent is rebased by a multiplication, so subnormals come out right.
SK_INLINE vf half_to_float(vu h) {
  vu magnitude = (h & 0x7fff) << 13;
  vf rebased = (vf)magnitude * 0x1p112f;
  vu special = (vu)((h & 0x7c00) == 0x7c00) & 0x7f800000;
  return (vf)((vu)rebased | special | (h & 0x8000) << 16);
}
SK_INLINE vf load_half(const uint16_t* p) {
  return half_to_float(__builtin_convertvector(*(const vh_mem*)p, vu));
}
SK_INLINE vf load_half_some(const uint16_t* p, int64_t n, float fill = 0) {
  vu h = {};
  for (int64_t i = 0; i < n; i++) h[i] = p[i];
  vf v = half_to_float(h);
  for (int64_t i = n; i < W; i++) v[i] = fill;
  return v;
}

vf AllLanes::get(const uint16_t* p, float) const { return load_half(p); }
vf SomeLanes::get(const uint16_t* p, float fill) const { return load_half_some(p, n, fill); }

#if SK_VEC_BYTES == 64
#define SK_LOW_HALF 0, 1, 2, 3, 4, 5, 6, 7
#define SK_HIGH_HALF 8, 9, 10, 11, 12, 13, 14, 15
#elif SK_VEC_BYTES == 32
#define SK_LOW_HALF 0, 1, 2, 3
#define SK_HIGH_HALF 4, 5, 6, 7
#else
#define SK_LOW_HALF 0, 1
#define SK_HIGH_HALF 2, 3
#endif
SK_INLINE vhalf low_half(vf v) { return __builtin_shufflevector(v, v, SK_LOW_HALF); }
SK_INLINE vhalf high_half(vf v) { return __builtin_shufflevector(v, v, SK_HIGH_HALF); }
SK_INLINE vf narrow(vd low, vd high) {
  return __builtin_shufflevector(__builtin_convertvector(low, vhalf), __builtin_convertvector(high, vhalf),
                                 SK_LOW_HALF, SK_HIGH_HALF);
}
#if SK_VEC_BYTES == 64 // GCC 12 makes eight instructions of this conversion where one does it
SK_INLINE vd doubles(vhalf v) { return (vd)_mm512_maskz_cvtps_pd(0xff, (__m256)v); }
#else
SK_INLINE vd doubles(vhalf v) { return __builtin_convertvector(v, vd); }
#endif
SK_INLINE vd widen_low(vf v) { return doubles(low_half(v)); }
SK_INLINE vd widen_high(vf v) { return doubles(high_half(v)); }

// Horizontal reductions, as a tree.
#if SK_VEC_BYTES == 64
SK_INLINE v4 sum_to_4(vf v) {
  v8 h = low_half(v) + high_half(v);
  return __builtin_shufflevector(h, h, 0, 1, 2, 3) + __builtin_shufflevector(h, h, 4, 5, 6, 7);
}
SK_INLINE v4 max_to_4(vf v) {
  v8 a = low_half(v), b = high_half(v), h = a > b ? a : b;
  v4 c = __builtin_shufflevector(h, h, 0, 1, 2, 3), d = __builtin_shufflevector(h, h, 4, 5, 6, 7);
  return c > d ? c : d;
}
SK_INLINE d2 sum_to_2(vd v) {
  d4 h = __builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7);
  return __builtin_shufflevector(h, h, 0, 1) + __builtin_shufflevector(h, h, 2, 3);
}
#elif SK_VEC_BYTES == 32
SK_INLINE v4 sum_to_4(vf v) { return low_half(v) + high_half(v); }
SK_INLINE v4 max_to_4(vf v) {
  v4 a = low_half(v), b = high_half(v);
  return a > b ? a : b;
}
SK_INLINE d2 sum_to_2(vd v) {
  return __builtin_shufflevector(v, v, 0, 1) + __builtin_shufflevector(v, v, 2, 3);
}
#else
SK_INLINE v4 sum_to_4(vf v) { return v; }
SK_INLINE v4 max_to_4(vf v) { return v; }
SK_INLINE d2 sum_to_2(vd v) { return v; }
#endif
SK_INLINE float reduce_add(vf v) {
  v4 h = sum_to_4(v);
  return (h[0] + h[2]) + (h[1] + h[3]);
}
SK_INLINE float reduce_max(vf v) {
  v4 h = max_to_4(v);
  float a = h[0] > h[1] ? h[0] : h[1], b = h[2] > h[3] ? h[2] : h[3];
  return a > b ? a : b;
}
SK_INLINE double reduce_add(vd v) {
  d2 h = sum_to_2(v);
  return h[0] + h[1];
}

// A sum of floats kept in double, a lane each.
struct Sum {
  vd low = {}, high = {};
  SK_INLINE_MEMBER void add(vf v) {
    low += widen_low(v);
    high += widen_high(v);
  }
  SK_INLINE_MEMBER void add_product(vf a, vf b) {
    low += widen_low(a) * widen_low(b);
    high += widen_high(a) * widen_high(b);
  }
  SK_INLINE_MEMBER double total() const { return reduce_add(low + high); }
};

// e^x within 2 ulp. Below -87.336, where the result would be subnormal, it is 0; NaN stays NaN.
SK_INLINE vf vexp(vf x) {
  vf t = x * 1.44269504f + 0x1.8p23f; // the low bits of t are now n = round(x / ln 2)
  vf n = t - 0x1.8p23f;
  vf r = x - n * 0.693359375f; // ln 2 in two parts, n times the first is exact
  r = r + n * 2.12194440e-4f;
  vf p = 1.9875691500e-4f * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  vf y = (vf)((vu)p + ((vu)t << 23)); // times 2^n
  y = x > -87.336f ? y : vf{};
  return x < 88.7228f ? y : x + __builtin_inff();
}

// log x within 2 ulp; log 0 = -inf, NaN for x < 0 and NaN.
SK_INLINE vf vlog(vf x) {
  vf tiny = x < 0x1p-126f ? broadcast(23.0f) : vf{}; // subnormals are scaled first
  vf s = x < 0x1p-126f ? x * 0x1p23f : x;
  vi e = ((vi)s - 0x3f3504f3) >> 23; // s = 2^e m, sqrt(1/2) <= m < sqrt(2)
  vf f = (vf)((vi)s - (vi)((vu)e << 23)) - 1.0f;
  vf n = __builtin_convertvector(e, vf) - tiny;
  vf p = 7.0376836292e-2f * f - 1.1514610310e-1f;
  p = p * f + 1.1676998740e-1f;
  p = p * f - 1.2420140846e-1f;
  p = p * f + 1.4249322787e-1f;
  p = p * f - 1.6668057665e-1f;
  p = p * f + 2.0000714765e-1f;
  p = p * f - 2.4999993993e-1f;
  p = p * f + 3.3333331174e-1f;
  vf z = f * f;
  vf y = p * f * z - n * 2.12194440e-4f - 0.5f * z;
  y = (f + y) + n * 0.693359375f;
  y = x < __builtin_inff() ? y : x; // +inf, and NaN
  y = x == 0.0f ? broadcast(-__builtin_inff()) : y;
  return x < 0.0f ? broadcast(__builtin_nanf("")) : y;
}

} // namespace SK_ISA
} // namespace sk
#endif
