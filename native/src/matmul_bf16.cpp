// matmul_bf16: y = alpha A B, where A and B are rounded to bfloat16 (to nearest, ties to even; subnormals
// count as 0) and sums are float. VDPBF16PS adds the products of two neighbouring k in each lane, twice what
// a float FMA does.
//
// Both operands are packed into strips, 16 rows of A or 16 columns of B wide, of pairs of k: [K/2][16] of two
// bfloat16, filled up with 0. K is summed over in stretches that let strips stay in the cache. A tile of y is
// 8 rows by 3 strips: 24 sums in registers.
#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 takes its own headers' "undefined" operands, which nothing reads, for a mistake.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include "kernels.h"
#include <immintrin.h>

namespace sk {
namespace avx512_bf16 {

static constexpr int64_t STRIP = 16;
static constexpr int64_t STRETCH = 1024; // k at most
static constexpr int64_t TILE_ROWS = 8, TILE_STRIPS = 3;
static constexpr int64_t BLOCK_ROWS = 8, BLOCK_COLUMNS = 12; // strips a task multiplies

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static __mmask16 first(int64_t n) { return n >= 16 ? 0xffff : n > 0 ? __mmask16((1 << n) - 1) : 0; }

// An operand: x(i, k), i along the strips.
struct Operand {
  const float* x;
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

// 16 lanes of low, then 16 of high.
static __m512i round2(__m512 low, __m512 high) { return (__m512i)_mm512_cvtne2ps_pbh(high, low); }

// out[pair][16] = the pairs k, k + 1 for begin <= k < end of the strip from i on
static void pack(uint32_t* out, const Operand& from, int64_t i, int64_t begin, int64_t end) {
  if (from.k_contiguous) {
    for (int64_t k = begin; k < end; k += 2 * STRIP) {
      const __mmask16 low = first(end - k), high = first(end - k - STRIP);
      __m512i r[STRIP];
      for (int64_t j = 0; j < STRIP; j++) {
        if (i + j < from.n) {
          const float* x = from.x + (i + j) * from.ld + k;
          r[j] = round2(_mm512_maskz_loadu_ps(low, x), _mm512_maskz_loadu_ps(high, x + STRIP));
        } else {
          r[j] = _mm512_setzero_si512();
        }
      }
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
      const float* x = from.x + k * from.ld + i;
      const __m512 even = _mm512_maskz_loadu_ps(there, x);
      const __m512 odd = k + 1 < end ? _mm512_maskz_loadu_ps(there, x + from.ld) : _mm512_setzero_ps();
      _mm512_store_si512(out, _mm512_permutexvar_epi16(order, round2(even, odd)));
    }
  }
}

// Where the products of a tile go: y[rows][columns] (+)= alpha times them.
struct Output {
  float* y;
  int64_t N, rows, columns; // N: from one row of y to the next
  float alpha;
  bool add;
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
  for (int r = 0; r < TILE_ROWS; r++) {
    if (r >= to.rows) return;
    for (int s = 0; s < STRIPS; s++) {
      const __mmask16 there = first(to.columns - s * STRIP);
      float* out = to.y + r * to.N + s * STRIP;
      const __m512 alpha = _mm512_set1_ps(to.alpha);
      const __m512 result = to.add ? _mm512_fmadd_ps(alpha, sum[r][s], _mm512_maskz_loadu_ps(there, out))
                                   : _mm512_mul_ps(alpha, sum[r][s]);
      _mm512_mask_storeu_ps(out, there, result);
    }
  }
}

// y[M,N] = alpha A B (+ y when accumulate), A is a[M,K] or, ta, a[K,M]; B is b[K,N] or, tb, b[N,K]
int matmul(sk_context* ctx, const sk_product* a) {
  const int64_t M = a->M, N = a->N, K = a->K;
  const Operand A = {a->a, M, a->ta ? M : K, !a->ta}, B = {a->b, N, a->tb ? K : N, a->tb != 0};
  const int64_t down = ceil_div(M, STRIP), across = ceil_div(N, STRIP); // strips
  const int64_t stretches = ceil_div(K, STRETCH), stretch = ceil_div(ceil_div(K, stretches), 2) * 2;
  auto* packed = reinterpret_cast<uint32_t*>(shared_scratch(ctx, (down + across) * STRIP * stretch / 2));
  const int64_t columns = ceil_div(across, BLOCK_COLUMNS), blocks = ceil_div(down, BLOCK_ROWS) * columns;
  for (int64_t k = 0; k < K; k += stretch) {
    const int64_t end = least(K, k + stretch), pairs = ceil_div(end - k, 2), strip = pairs * STRIP;
    parallel(ctx, down + across, [=](int64_t s, int) {
      pack(packed + s * strip, s < down ? A : B, (s < down ? s : s - down) * STRIP, k, end);
    });
    const uint32_t* right = packed + down * strip;
    const bool add = a->accumulate || k > 0;
    parallel(ctx, blocks, [=](int64_t block, int) {
      const int64_t top = block / columns * BLOCK_ROWS, left = block % columns * BLOCK_COLUMNS;
      const int64_t bottom = least(down, top + BLOCK_ROWS) * STRIP,
                    last = least(across, left + BLOCK_COLUMNS);
      for (int64_t c = left; c < last; c += TILE_STRIPS)
        for (int64_t m = top * STRIP; m < least(M, bottom); m += TILE_ROWS) {
          const Output to = {a->y + m * N + c * STRIP, N, M - m, N - c * STRIP, a->alpha, add};
          const uint32_t *x = packed + m / STRIP * strip + m % STRIP, *w = right + c * strip;
          switch (last - c) {
          case 1: tile<1>(to, x, w, pairs); break;
          case 2: tile<2>(to, x, w, pairs); break;
          default: tile<TILE_STRIPS>(to, x, w, pairs);
          }
        }
    });
  }
  return 0;
}

} // namespace avx512_bf16
} // namespace sk
