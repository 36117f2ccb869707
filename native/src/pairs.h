// What products of bfloat16 by pairs share: operands packed into strips, and where their sums go.
//
// A strip is 16 rows of A or 16 columns of B wide. It holds pairs of neighbouring k, [K/2][16] of two
// bfloat16, filled up with 0 to whole units of pairs.
#ifndef SEEKR_PAIRS_H
#define SEEKR_PAIRS_H
#include "intrinsics.h"
#include "kernels.h"

namespace sk {
namespace SK_ISA {

static constexpr int64_t STRIP = 16;
#ifdef __AMX_BF16__
static constexpr int64_t UNIT = 16; // pairs of a tile register's row
#else
static constexpr int64_t UNIT = 1;
#endif

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static __mmask16 first(int64_t n) { return n >= 16 ? 0xffff : n > 0 ? __mmask16((1 << n) - 1) : 0; }
static __mmask32 first2(int64_t n) { return n >= 32 ? 0xffffffff : n > 0 ? (__mmask32(1) << n) - 1 : 0; }

// An operand: x(i, k), i along the strips.
struct Operand {
  const uint16_t* x;
  int64_t n, ld;     // i < n
  bool k_contiguous; // x[i * ld + k], else x[k * ld + i]
};

// 16 x 16 of 32 bits.
static void transpose(__m512i r[16]) {
  __m512i t[16];
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
  }
  for (int i = 0; i < 16; i += 4)
    for (int j = 0; j < 2; j++) {
      r[i + 2 * j] = _mm512_unpacklo_epi64(t[i + j], t[i + j + 2]);
      r[i + 2 * j + 1] = _mm512_unpackhi_epi64(t[i + j], t[i + j + 2]);
    }
  for (int j = 0; j < 4; j++) { // 4 x 4 of the 128-bit lanes of r[j], r[4+j], r[8+j], r[12+j]
    const __m512i a = _mm512_shuffle_i32x4(r[j], r[4 + j], 0x88),
                  b = _mm512_shuffle_i32x4(r[j], r[4 + j], 0xdd);
    const __m512i c = _mm512_shuffle_i32x4(r[8 + j], r[12 + j], 0x88),
                  d = _mm512_shuffle_i32x4(r[8 + j], r[12 + j], 0xdd);
    r[j] = _mm512_shuffle_i32x4(a, c, 0x88);
    r[4 + j] = _mm512_shuffle_i32x4(b, d, 0x88);
    r[8 + j] = _mm512_shuffle_i32x4(a, c, 0xdd);
    r[12 + j] = _mm512_shuffle_i32x4(b, d, 0xdd);
  }
}

// The pairs that hold k elements, whole units of them.
static int64_t pairs_of(int64_t k) { return ceil_div(k, 2 * UNIT) * UNIT; }

// out[pair][16] = the pairs k, k + 1 for begin <= k < end of the strip from i on, and more[pair][16] those of
// the next, where more is not NULL; k is not contiguous. Both strips are of the same cache lines, which do
// not stay: equal steps of k fall into few sets.
static void pack_lines(uint32_t* out, uint32_t* more, const Operand& from, int64_t i, int64_t begin,
                       int64_t end) {
  alignas(64) static constexpr uint16_t FIRST[32] = {0,  32, 1,  33, 2,  34, 3,  35, 4,  36, 5,
                                                     37, 6,  38, 7,  39, 8,  40, 9,  41, 10, 42,
                                                     11, 43, 12, 44, 13, 45, 14, 46, 15, 47};
  const __m512i first_half = _mm512_load_si512(FIRST),
                second_half = _mm512_add_epi16(first_half, _mm512_set1_epi16(16));
  const __mmask32 there = first2(more ? from.n - i : least(STRIP, from.n - i));
  const int64_t stop = begin + 2 * pairs_of(end - begin);
  for (int64_t k = begin, at = 0; k < stop; k += 2, at += STRIP) {
    const uint16_t* x = from.x + k * from.ld + i;
    const __m512i even = k < end ? _mm512_maskz_loadu_epi16(there, x) : _mm512_setzero_si512();
    const __m512i odd = k + 1 < end ? _mm512_maskz_loadu_epi16(there, x + from.ld) : _mm512_setzero_si512();
    _mm512_store_si512(out + at, _mm512_permutex2var_epi16(even, first_half, odd));
    if (more) _mm512_store_si512(more + at, _mm512_permutex2var_epi16(even, second_half, odd));
  }
}

// out[pair][16] = the pairs k, k + 1 for begin <= k < end of the strip from i on
static void pack_across(uint32_t* out, const Operand& from, int64_t i, int64_t begin, int64_t end) {
  if (from.k_contiguous) {
    for (int64_t k = begin; k < end; k += 2 * STRIP) {
      const __mmask32 there = first2(end - k);
      __m512i r[STRIP];
      for (int64_t j = 0; j < STRIP; j++)
        r[j] = i + j < from.n ? _mm512_maskz_loadu_epi16(there, from.x + (i + j) * from.ld + k)
                              : _mm512_setzero_si512();
      transpose(r);
      const int64_t pairs = least(STRIP, pairs_of(end - k));
      for (int64_t p = 0; p < pairs; p++, out += STRIP) _mm512_store_si512(out, r[p]);
    }
  } else {
    pack_lines(out, nullptr, from, i, begin, end);
  }
}

// Where the sums of a tile go: to y[rows][columns], rows of N, of float or bfloat16.
//   sum = products + (has_sum: partial), and into partial where there is more to come, else
//   y = alpha sum (+ y when accumulate)
struct Output {
  const sk_product* a;
  int64_t at, rows, columns; // of y: where the tile begins, what is left from there
  float* partial;            // where the tile begins there, or NULL: y holds partial sums
  int64_t partial_row;       // floats of one of its rows
  bool has_sum, last;

  // Asks for row r of what is going to be written.
  void prefetch(int64_t r) const {
    const char* y = reinterpret_cast<const char*>(a->y) + (at + r * a->N) * (a->wide ? 4 : 2);
    const char* to = partial && !last ? reinterpret_cast<const char*>(partial + r * partial_row) : y;
    __builtin_prefetch(to, 1);
    if (a->wide) __builtin_prefetch(to + 64, 1);
  }

  // sum(r, s) is row r of strip s of R rows by S strips, as far as they are there.
  template <int R, int S, class Sum> void put(Sum sum) const {
    if (partial && !last) {
      has_sum ? each<R, S, true>(partial, partial_row, 1, nullptr, sum)
              : each<R, S, false>(partial, partial_row, 1, nullptr, sum);
    } else if (a->wide) {
      a->accumulate || has_sum ? each<R, S, true>(a->y + at, a->N, a->alpha, nullptr, sum)
                               : each<R, S, false>(a->y + at, a->N, a->alpha, nullptr, sum);
    } else {
      uint16_t* y = reinterpret_cast<uint16_t*>(a->y) + at;
      a->accumulate ? each<R, S, true>(y, a->N, a->alpha, partial, sum)
                    : each<R, S, false>(y, a->N, a->alpha, partial, sum);
    }
  }

private:
  // y = alpha (sum + more) (+ y when ADD), more NULL: 0
  template <int R, int S, bool ADD, class Y, class Sum>
  void each(Y* y, int64_t row, float alpha, const float* more, Sum sum) const {
    __mmask16 there[S];
    for (int s = 0; s < S; s++) there[s] = first(columns - s * STRIP);
    const __m512 factor = _mm512_set1_ps(alpha);
#pragma GCC unroll 8
    for (int r = 0; r < R; r++) {
      if (r >= rows) break;
#pragma GCC unroll 8
      for (int s = 0; s < S; s++) {
        Y* to = y + r * row + s * STRIP;
        __m512 v = sum(r, s);
        if (more) v = _mm512_add_ps(v, load(more + r * partial_row + s * STRIP, there[s]));
        store(to, there[s], ADD ? _mm512_fmadd_ps(factor, v, load(to, there[s])) : _mm512_mul_ps(factor, v));
      }
    }
  }
  static __m512 load(const float* y, __mmask16 there) { return _mm512_maskz_loadu_ps(there, y); }
  static __m512 load(const uint16_t* y, __mmask16 there) {
    return _mm512_castsi512_ps(
        _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(there, y)), 16));
  }
  static void store(float* y, __mmask16 there, __m512 v) { _mm512_mask_storeu_ps(y, there, v); }
  static void store(uint16_t* y, __mmask16 there, __m512 v) {
    _mm256_mask_storeu_epi16(y, there, (__m256i)_mm512_cvtneps_pbh(v));
  }
};

} // namespace SK_ISA
} // namespace sk
#endif
