// linear_few of bfloat16 by VDPBF16PS: the product that decoding is made of, at the speed of memory for one
// row and near that of arithmetic for sixteen.
#include "intrinsics.h"
#include "kernels.h"

namespace sk {
namespace SK_ISA {

static constexpr int64_t PAIRS = 32;         // elements of K in a register
static constexpr int64_t BLOCK = 128 * 1024; // weights a task reads; tried 32, 512 K: as fast

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

// v[i] and v[i+1] to one register, each with half the lanes it is to be summed over.
template <int LOW, int HIGH> static __m512 fold_lanes(__m512 a, __m512 b) {
  return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, LOW), _mm512_shuffle_f32x4(a, b, HIGH));
}
template <int LOW, int HIGH> static __m512 fold(__m512 a, __m512 b) {
  return _mm512_add_ps(_mm512_shuffle_ps(a, b, LOW), _mm512_shuffle_ps(a, b, HIGH));
}

// out[i] = the sum of all lanes of v[i], each in the same order, for n <= 16 of them
static void sums(float* out, const __m512* v, int n) {
  __m512 four[4]; // a 128-bit lane of four[q] is v[4 q + lane], summed to 4
  for (int q = 0; q < 4; q++) {
    __m512 w[4];
    for (int i = 0; i < 4; i++) w[i] = 4 * q + i < n ? v[4 * q + i] : _mm512_setzero_ps();
    four[q] = fold_lanes<0x88, 0xdd>(fold_lanes<0x44, 0xee>(w[0], w[1]), fold_lanes<0x44, 0xee>(w[2], w[3]));
  }
  const __m512 all = fold<0x88, 0xdd>(fold<0x44, 0xee>(four[0], four[1]), fold<0x44, 0xee>(four[2], four[3]));
  // Element q of lane l is v[4 q + l].
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  _mm512_storeu_ps(out, _mm512_permutexvar_ps(order, all));
}

static void put(const sk_product* a, int64_t at, float sum) {
  if (a->wide) {
    a->y[at] = (a->accumulate ? a->y[at] : 0) + a->alpha * sum;
    return;
  }
  uint16_t* y = reinterpret_cast<uint16_t*>(a->y) + at;
  const float before = _mm_cvtss_f32(_mm_castsi128_ps(_mm_cvtsi32_si128(int(*y) << 16)));
  const float after = (a->accumulate ? before : 0) + a->alpha * sum;
  *y = uint16_t(_mm_cvtsi128_si32((__m128i)_mm_cvtneps_pbh(_mm_set_ss(after))));
}

// y[m, n] (+)= alpha x_m . w_n for R rows of x from m on and O rows of w from n on. What comes after these
// rows of w is fetched meanwhile: rows are short, and memory knows no streams but long ones.
template <int R, int O> static void dots(const sk_product* a, int64_t m, int64_t n) {
  const int64_t K = a->K;
  const auto *x = reinterpret_cast<const uint16_t*>(a->a) + m * K,
             *w = reinterpret_cast<const uint16_t*>(a->b) + n * K;
  __m512 sum[R * O];
#pragma GCC unroll 32
  for (int i = 0; i < R * O; i++) sum[i] = _mm512_setzero_ps();
  auto step = [&](int64_t k, auto load) __attribute__((always_inline)) {
    __m512bh v[O];
#pragma GCC unroll 16
    for (int o = 0; o < O; o++) v[o] = (__m512bh)load(w + o * K + k);
#pragma GCC unroll 16
    for (int r = 0; r < R; r++) {
      const __m512bh u = (__m512bh)load(x + r * K + k);
#pragma GCC unroll 16
      for (int o = 0; o < O; o++) sum[r * O + o] = _mm512_dpbf16_ps(sum[r * O + o], u, v[o]);
    }
  };
  int64_t k = 0;
  for (; k + PAIRS <= K; k += PAIRS) {
#pragma GCC unroll 16
    for (int o = 0; o < O; o++) _mm_prefetch(reinterpret_cast<const char*>(w + (O + o) * K + k), _MM_HINT_T0);
    step(k, [](const uint16_t* p) { return _mm512_loadu_si512(p); });
  }
  if (k < K) {
    const __mmask32 there = (__mmask32(1) << (K - k)) - 1;
    step(k, [there](const uint16_t* p) { return _mm512_maskz_loadu_epi16(there, p); });
  }
  float all[(R * O + 15) / 16 * 16];
#pragma GCC unroll 2
  for (int i = 0; i < R * O; i += 16) sums(all + i, sum + i, int(least(16, R * O - i)));
  for (int r = 0; r < R; r++)
    for (int o = 0; o < O; o++) put(a, (m + r) * a->N + n + o, all[r * O + o]);
}

typedef void (*Dots)(const sk_product*, int64_t m, int64_t n);

// dots for r <= R rows and o <= O outputs.
template <int R, int O> static Dots choose(int64_t r, int64_t o) {
  if constexpr (R > 1)
    if (r < R) return choose<R - 1, O>(r, o);
  if constexpr (O > 1)
    if (o < O) return choose<R, O - 1>(r, o);
  return dots<R, O>;
}

// Tiles of ROWS by OUTPUTS sums, which fill the registers. Instead of
//   2 x 8 tried 2 x 4: 3 to 6 % slower, 2 x 12: 23 % slower for 2 rows, for 1 row 6 % faster to 13 % slower
//   4 x 6 tried 4 x 4, 5 x 4: 1 % slower
//   8 x 3 tried 8 x 2: 7 to 16 % slower, 6 x 4: 5 % slower to 8 % faster, 4 x 6: 2 % slower to 3 % faster
template <int ROWS, int OUTPUTS> static int linear(sk_context* ctx, const sk_product* a) {
  const int64_t tiles = BLOCK / a->K / OUTPUTS, block = (tiles > 1 ? tiles : 1) * OUTPUTS;
  parallel_blocks(ctx, a->N, block, [=](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n += OUTPUTS)
      for (int64_t m = 0; m < a->M; m += ROWS)
        choose<ROWS, OUTPUTS>(least(ROWS, a->M - m), least(OUTPUTS, end - n))(a, m, n);
  });
  return 0;
}

// The bits of a row of y do not depend on the rows beside it: each sum is in the same order everywhere.
int linear_few(sk_context* ctx, const sk_product* a) {
  if (a->M <= 2) return linear<2, 8>(ctx, a);
  return a->M <= 4 ? linear<4, 6>(ctx, a) : linear<8, 3>(ctx, a);
}

} // namespace SK_ISA
} // namespace sk
