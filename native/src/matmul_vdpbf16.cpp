// matmul of bfloat16 by VDPBF16PS, which adds the products of two neighbouring k in each lane of floats,
// twice what a float FMA does, and takes subnormals for 0.
//
// Both operands are packed into strips, 16 rows of A or 16 columns of B wide, of pairs of k: [K/2][16] of two
// bfloat16, filled up with 0. K is summed over in stretches that let strips stay in the cache; sums of
// several stretches are floats until the last. A tile of y is 8 rows by 3 strips: 24 sums in registers. What
// is packed at a time is bounded: a vocabulary's weights would be as much again.
#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 takes its own headers' "undefined" operands, which nothing reads, for a mistake.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include "kernels.h"
#include <immintrin.h>

namespace sk {
namespace vdpbf16 {

static constexpr int64_t STRIP = 16;
// k at most. tried 512: 3 to 21 % slower; 2048: for K above 1024 4 to 8 % faster, into floats as fast, but
// twice the memory for strips
static constexpr int64_t STRETCH = 1024;
// tried 8 x 2: as fast, 4 x 3: 2 % faster to 1 % slower, 4 x 6: 0 to 7 % slower
static constexpr int64_t TILE_ROWS = 8, TILE_STRIPS = 3;
// Strips a task multiplies. tried 4, 16 rows; 6, 24 columns: within 1 % for 1024 rows of y, within 4 % for 64
static constexpr int64_t BLOCK_ROWS = 8, BLOCK_COLUMNS = 12;
// Strips of an operand that are packed at a time. tried 96: 8 to 12 % faster for 64 rows of y, but 8 tasks at
// a time, 2 to 4 % for 256 or 512, as fast for 1024; 192: as fast; all at once: 2 % slower
static constexpr int64_t PANEL = 384;

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

// out[pair][16] = the pairs k, k + 1 for begin <= k < end of the strip from i on
static void pack(uint32_t* out, const Operand& from, int64_t i, int64_t begin, int64_t end) {
  if (from.k_contiguous) {
    for (int64_t k = begin; k < end; k += 2 * STRIP) {
      const __mmask32 there = first2(end - k);
      __m512i r[STRIP];
      for (int64_t j = 0; j < STRIP; j++)
        r[j] = i + j < from.n ? _mm512_maskz_loadu_epi16(there, from.x + (i + j) * from.ld + k)
                              : _mm512_setzero_si512();
      transpose(r);
      const int64_t pairs = least(STRIP, ceil_div(end - k, 2));
      for (int64_t p = 0; p < pairs; p++, out += STRIP) _mm512_store_si512(out, r[p]);
    }
  } else {
    alignas(64) static constexpr uint16_t INTERLEAVED[32] = {0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                                             21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                                             11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    const __m512i order = _mm512_load_si512(INTERLEAVED);
    const __mmask16 there = first(from.n - i);
    for (int64_t k = begin; k < end; k += 2, out += STRIP) {
      const uint16_t* x = from.x + k * from.ld + i;
      const __m256i even = _mm256_maskz_loadu_epi16(there, x);
      const __m256i odd = k + 1 < end ? _mm256_maskz_loadu_epi16(there, x + from.ld) : _mm256_setzero_si256();
      const __m512i both = _mm512_inserti64x4(_mm512_castsi256_si512(even), odd, 1);
      _mm512_store_si512(out, _mm512_permutexvar_epi16(order, both));
    }
  }
}

// Where the products of a tile go: at `at` of y[rows][columns], an element of which is float or bfloat16.
//   sum = products + (has_sum: partial), and into partial where there is more to come, else
//   y = alpha sum (+ y when accumulate)
struct Output {
  const sk_product* a;
  float* partial; // [M,N], or NULL: y holds partial sums
  int64_t at, rows, columns;
  bool has_sum, last;

  void put(int64_t row, int64_t column, __m512 sum) const {
    const __mmask16 there = first(columns - column);
    const int64_t i = at + row * a->N + column;
    float* held = (partial ? partial : a->y) + i;
    if (partial) {
      if (has_sum) sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(there, held));
      if (!last) return _mm512_mask_storeu_ps(held, there, sum);
    }
    const __m512 alpha = _mm512_set1_ps(a->alpha);
    if (a->wide) {
      const bool add = a->accumulate || (has_sum && !partial);
      sum = add ? _mm512_fmadd_ps(alpha, sum, _mm512_maskz_loadu_ps(there, a->y + i))
                : _mm512_mul_ps(alpha, sum);
      return _mm512_mask_storeu_ps(a->y + i, there, sum);
    }
    uint16_t* y = reinterpret_cast<uint16_t*>(a->y) + i;
    if (a->accumulate) {
      const __m512i before = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(there, y));
      sum = _mm512_fmadd_ps(alpha, sum, _mm512_castsi512_ps(_mm512_slli_epi32(before, 16)));
    } else {
      sum = _mm512_mul_ps(alpha, sum);
    }
    _mm256_mask_storeu_epi16(y, there, (__m256i)_mm512_cvtneps_pbh(sum));
  }
};

// A tile: 8 rows of the strip a by STRIPS strips b, which lie one behind the other.
template <int STRIPS>
static void tile(const Output& to, const uint32_t* a, const uint32_t* b, int64_t pairs) {
  __m512 sum[TILE_ROWS][STRIPS];
  for (auto& row : sum)
    for (auto& s : row) s = _mm512_setzero_ps();
  for (int64_t p = 0; p < pairs; p++) {
    __m512bh w[STRIPS];
    for (int s = 0; s < STRIPS; s++) w[s] = (__m512bh)_mm512_load_si512(b + (s * pairs + p) * STRIP);
    for (int r = 0; r < TILE_ROWS; r++) {
      const __m512bh x = (__m512bh)_mm512_set1_epi32(int(a[p * STRIP + r]));
      for (int s = 0; s < STRIPS; s++) sum[r][s] = _mm512_dpbf16_ps(sum[r][s], x, w[s]);
    }
  }
  for (int r = 0; r < TILE_ROWS && r < to.rows; r++)
    for (int s = 0; s < STRIPS; s++) to.put(r, s * STRIP, sum[r][s]);
}

// Strips [begin, end) of an operand.
struct Panel {
  int64_t begin, end;
  int64_t strips() const { return end - begin; }
};

static void multiply(sk_context* ctx, const sk_product* a, const Operand& A, const Operand& B, Panel rows,
                     Panel columns) {
  const int64_t M = a->M, N = a->N, K = a->K, down = rows.strips(), across = columns.strips();
  const int64_t stretches = ceil_div(K, STRETCH), stretch = ceil_div(ceil_div(K, stretches), 2) * 2;
  const bool partial = !a->wide && stretches > 1;
  const int64_t sums_size = partial ? ceil_div(M * N, STRIP) * STRIP : 0;
  float* sums = shared_scratch(ctx, sums_size + (down + across) * STRIP * stretch / 2);
  auto* left = reinterpret_cast<uint32_t*>(sums + sums_size);
  const int64_t blocks_across = ceil_div(across, BLOCK_COLUMNS);
  for (int64_t k = 0; k < K; k += stretch) {
    const int64_t end = least(K, k + stretch), pairs = ceil_div(end - k, 2), strip = pairs * STRIP;
    uint32_t* right = left + down * strip;
    parallel(ctx, down + across, [=](int64_t s, int) {
      if (s < down) pack(left + s * strip, A, (rows.begin + s) * STRIP, k, end);
      else pack(left + s * strip, B, (columns.begin + s - down) * STRIP, k, end);
    });
    parallel(ctx, ceil_div(down, BLOCK_ROWS) * blocks_across, [=](int64_t block, int) {
      const int64_t r = rows.begin + block / blocks_across * BLOCK_ROWS,
                    c0 = columns.begin + block % blocks_across * BLOCK_COLUMNS;
      const int64_t bottom = least(M, least(rows.end, r + BLOCK_ROWS) * STRIP),
                    last = least(columns.end, c0 + BLOCK_COLUMNS);
      for (int64_t c = c0; c < last; c += TILE_STRIPS)
        for (int64_t m = r * STRIP; m < bottom; m += TILE_ROWS) {
          const Output to = {
              a, partial ? sums : nullptr, m * N + c * STRIP, M - m, N - c * STRIP, k > 0, end == K};
          const uint32_t *x = left + (m / STRIP - rows.begin) * strip + m % STRIP,
                         *w = right + (c - columns.begin) * strip;
          switch (last - c) {
          case 1: tile<1>(to, x, w, pairs); break;
          case 2: tile<2>(to, x, w, pairs); break;
          default: tile<TILE_STRIPS>(to, x, w, pairs);
          }
        }
    });
  }
}

// y[M,N] = alpha A B (+ y when accumulate), A is a[M,K] or, ta, a[K,M]; B is b[K,N] or, tb, b[N,K]
int matmul(sk_context* ctx, const sk_product* a) {
  const int64_t M = a->M, N = a->N, K = a->K;
  const Operand A = {reinterpret_cast<const uint16_t*>(a->a), M, a->ta ? M : K, !a->ta},
                B = {reinterpret_cast<const uint16_t*>(a->b), N, a->tb ? K : N, a->tb != 0};
  const int64_t down = ceil_div(M, STRIP), across = ceil_div(N, STRIP); // strips
  for (int64_t r = 0; r < down; r += PANEL)
    for (int64_t c = 0; c < across; c += PANEL)
      multiply(ctx, a, A, B, {r, least(down, r + PANEL)}, {c, least(across, c + PANEL)});
  return 0;
}

} // namespace vdpbf16
} // namespace sk
