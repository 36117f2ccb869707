// Factors that are pairs of bfloat16 (attention_factor.h): VDPBF16PS adds both products of a pair to a float,
// twice what a float FMA does. Probabilities and gradients of scores are rounded to be multiplied; sums are
// float. It takes subnormals for 0.
#ifndef SEEKR_ATTENTION_PAIR_H
#define SEEKR_ATTENTION_PAIR_H
#include "intrinsics.h"

namespace sk {
namespace SK_ISA {

typedef uint32_t F __attribute__((may_alias)); // the first in the lower half
typedef __m512bh vF;
constexpr int64_t TERMS = 2;

SK_INLINE vF load(const F* p) { return (vF)_mm512_loadu_si512(p); }
SK_INLINE vF broadcast(F pair) { return (vF)_mm512_set1_epi32(int(pair)); }
SK_INLINE vf add_product(vf sum, vF a, vF b) { return (vf)_mm512_dpbf16_ps((__m512)sum, a, b); }

SK_INLINE void put_left(F* row, int64_t j, vf v) {
  _mm256_storeu_si256((__m256i*)((uint16_t*)row + j), (__m256i)_mm512_cvtneps_pbh((__m512)v));
}

// The first n of 32 elements, and zeros.
SK_INLINE __m512i load_pairs(const E* x, int64_t n) {
  return _mm512_maskz_loadu_epi16(n >= 2 * W ? ~__mmask32(0) : (__mmask32(1) << most(0, n)) - 1, x);
}

// The pairs of the lower and the upper 16 of v.
SK_INLINE __m512i interleave(__m512i v) {
  const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7,
                                         22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  return _mm512_permutexvar_epi16(order, v);
}

static inline void pack_transposed(F* out, int64_t ldo, const E* x, int64_t ldx, int64_t rows,
                                   int64_t columns) {
  const int64_t pairs = (columns + 1) / 2;
  for (int64_t r = 0; r < rows; r += W)
    for (int64_t c = 0; c < pairs; c += W) {
      vf v[W];
      for (int64_t i = 0; i < W; i++)
        v[i] = r + i < rows ? (vf)load_pairs(x + (r + i) * ldx + 2 * c, columns - 2 * c) : vf{};
      transpose(v);
      for (int64_t i = 0; i < least(W, pairs - c); i++)
        _mm512_storeu_si512(out + (c + i) * ldo + r, (__m512i)v[i]);
    }
}

static inline void pack_left(F* out, int64_t HP, const E* x, int64_t ldx, int64_t rows, int64_t n, float) {
  for (int64_t r = 0; r < rows; r++) {
    memcpy(out + r * HP / 2, x + r * ldx, n * sizeof(E));
    memset((uint16_t*)(out + r * HP / 2) + n, 0, (HP - n) * sizeof(E));
  }
}
static inline void pack_right(F* out, int64_t HP, const E* x, int64_t ldx, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; r += 2, x += 2 * ldx, out += HP)
    for (int64_t c = 0; c < n; c += W) {
      const __mmask16 there = n - c >= W ? 0xffff : __mmask16((1 << (n - c)) - 1);
      const __m256i even = _mm256_maskz_loadu_epi16(there, x + c);
      const __m256i odd =
          r + 1 < rows ? _mm256_maskz_loadu_epi16(there, x + ldx + c) : _mm256_setzero_si256();
      _mm512_storeu_si512(out + c, interleave(_mm512_inserti64x4(_mm512_castsi256_si512(even), odd, 1)));
    }
}

struct Sides {
  F *left, *right;
  Sides(float* memory, int64_t rows, int64_t HP) : left((F*)memory), right(left + rows * HP / 2) {}
  void pack(const E* x, int64_t ldx, int64_t rows, int64_t n, int64_t HP, float) const {
    pack_left(left, HP, x, ldx, rows, n, 1);
    pack_right(right, HP, x, ldx, rows, n);
  }
};

// In place: dS along rows takes the first half of each of its rows; of rows r, r + 1 together, P's pairs lie
// in P's row r and dS's in P's row r + 1.
struct Weights {
  const F *p_across, *ds_across, *ds_along;
  Weights(float* p, float* ds, int64_t ld, int64_t rows, int64_t width)
      : p_across((F*)p), ds_across((F*)p + ld), ds_along((F*)ds) {
    for (int64_t r = 0; r < rows; r += 2, p += 2 * ld, ds += 2 * ld)
      for (int64_t j = 0; j < width; j += W) {
        const bool both = r + 1 < rows;
        const vf p1 = both ? load(p + ld + j) : vf{}, ds0 = load(ds + j),
                 ds1 = both ? load(ds + ld + j) : vf{};
        const __m512i ps = (__m512i)_mm512_cvtne2ps_pbh((__m512)p1, (__m512)load(p + j));
        const __m512i dss = (__m512i)_mm512_cvtne2ps_pbh((__m512)ds1, (__m512)ds0);
        _mm512_storeu_si512(p + j, interleave(ps));
        _mm512_storeu_si512(p + ld + j, interleave(dss));
        _mm256_storeu_si256((__m256i*)((uint16_t*)ds + j), _mm512_castsi512_si256(dss));
        _mm256_storeu_si256((__m256i*)((uint16_t*)(ds + ld) + j), _mm512_extracti64x4_epi64(dss, 1));
      }
  }
};

} // namespace SK_ISA
} // namespace sk
#endif
