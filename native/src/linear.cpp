// linear_few: the product that decoding is made of, a few rows by all weights.
#include "attention_tile.h"
#include "kernels.h"

namespace sk {
namespace SK_ISA {

// Their sums, OUTPUTS vectors of w and one of x fill the register file. For 1 to 16 rows of SmolLM2-135M and
// LLaMA-2-7B:
#if SK_VEC_BYTES == 64
constexpr int ROWS = 4, OUTPUTS = 6; // tried 8 x 3: 4 to 33 % slower, 4 x 5: 0 to 6 %, 4 x 4: 0 to 8 %
#else
constexpr int ROWS = 4, OUTPUTS = 3; // tried 4 x 2: 5 to 28 % slower, 3 x 4: 16 % faster to 5 % slower
#endif

// y[m, n] (+)= alpha x_m . w_n for R rows of x and O rows of w
template <int R, int O, class Y> static inline void dots(const sk_product* a, Y* y, const E* x, const E* w) {
  const int64_t K = a->K;
  vf sum[R][O] = {};
  each_vector(K, [&](int64_t k, auto lanes) {
    vf v[O];
#pragma GCC unroll 8
    for (int o = 0; o < O; o++) v[o] = lanes.get(w + o * K + k);
#pragma GCC unroll 8
    for (int r = 0; r < R; r++) {
      vf u = lanes.get(x + r * K + k);
#pragma GCC unroll 8
      for (int o = 0; o < O; o++) sum[r][o] += u * v[o];
    }
  });
#pragma GCC unroll 8
  for (int r = 0; r < R; r++)
#pragma GCC unroll 8
    for (int o = 0; o < O; o++) {
      Y* out = y + r * a->N + o;
      put(out, (a->accumulate ? widen(*out) : 0) + a->alpha * reduce_add(sum[r][o]));
    }
}

template <class Y> using Dots = void (*)(const sk_product*, Y*, const E*, const E*);

// dots for r <= R rows and o <= O outputs.
template <int R, int O, class Y> static Dots<Y> choose_dots(int64_t r, int64_t o) {
  if constexpr (R > 1)
    if (r < R) return choose_dots<R - 1, O, Y>(r, o);
  if constexpr (O > 1)
    if (o < O) return choose_dots<R, O - 1, Y>(r, o);
  return dots<R, O, Y>;
}

// y[M,N] = alpha a[M,K] b[N,K]^T (+ y when accumulate) for few rows: weights, which b is, are read once and
// from where they lie, so that one row goes at the speed of memory. The bits of a row of y do not depend on
// the rows beside it.
template <class Y> static int linear(sk_context* ctx, const sk_product* a, Y* y) {
  // 256 KiB of weights; tried 64 KiB, 1 MiB: as fast
  const int64_t block = round_up(most(1, 65536 / a->K), OUTPUTS);
  parallel_blocks(ctx, a->N, block, [=](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n += OUTPUTS)
      for (int64_t m = 0; m < a->M; m += ROWS) {
        auto dots = choose_dots<ROWS, OUTPUTS, Y>(least(ROWS, a->M - m), least(OUTPUTS, end - n));
        dots(a, y + m * a->N + n, elements(a->a) + m * a->K, elements(a->b) + n * a->K);
      }
  });
  return 0;
}

int linear_few(sk_context* ctx, const sk_product* a) {
  return a->wide ? linear(ctx, a, a->y) : linear(ctx, a, elements(a->y));
}

} // namespace SK_ISA
} // namespace sk
