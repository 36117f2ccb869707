// linear_few of bfloat16 by AMX: the product that decoding is made of, at the speed of memory. Rows of
// weights are tiles from where they lie, and y comes out transposed: 16 outputs by 16 rows of x.
#include "amx.h"
#include "pairs.h"

namespace sk {
namespace SK_ISA {

static constexpr int64_t BLOCK = 128 * 1024; // weights a task reads
// Strips of outputs that are summed beside each other. For 1 and 16 rows of SmolLM2-135M and LLaMA-2-7B:
// tried 1: up to 19 % slower, 2: up to 14 % slower to 2 % faster, 4: up to 12 % slower to 5 % faster;
// fetching the strips that follow: 10 to 60 % slower
static constexpr int STRIPS = 3;

// 16 rows of weights, from output n on. What is not there reads as 0.
struct Weights {
  const sk_product* a;
  int64_t n;
  const uint16_t* at(int64_t k) const { return reinterpret_cast<const uint16_t*>(a->b) + n * a->K + k; }
  bool whole(int64_t k) const { return n + STRIP <= a->N && k + 2 * UNIT <= a->K; }
  void copy(uint32_t* out, int64_t k) const {
    for (int64_t j = 0; j < STRIP; j++) {
      const __mmask32 there = n + j < a->N ? first2(a->K - k) : 0;
      _mm512_store_si512(out + j * UNIT, _mm512_maskz_loadu_epi16(there, at(k) + j * a->K));
    }
  }
};

// The sum S of a strip grows by tile k of its weights times the tile 7 of x.
template <int S> static void step(const Weights& w, int64_t k) {
  if (w.whole(k)) {
    load_tile<STRIPS + S>(w.at(k), 2 * w.a->K);
  } else {
    alignas(64) uint32_t edge[UNIT * STRIP];
    w.copy(edge, k);
    load_tile<STRIPS + S>(edge, 4 * UNIT);
  }
  multiply_tiles<S, STRIPS + S, 7>();
}

// y[m, n] (+)= alpha x_m . w_n for N strips of outputs from n on; x [K/2][16] of pairs, a column each row of
// x.
template <int N> static void dots(const sk_product* a, const uint32_t* x, int64_t n) {
  const Weights w[STRIPS] = {{a, n}, {a, n + STRIP}, {a, n + 2 * STRIP}};
  clear_tile<0>(), clear_tile<1>(), clear_tile<2>();
  for (int64_t k = 0; k < a->K; k += 2 * UNIT, x += UNIT * STRIP) {
    load_tile<7>(x, 4 * UNIT);
    step<0>(w[0], k);
    if (N > 1) step<1>(w[1], k);
    if (N > 2) step<2>(w[2], k);
  }
  alignas(64) float sum[STRIPS][STRIP][STRIP];
  store_tile<0>(sum[0], 64), store_tile<1>(sum[1], 64), store_tile<2>(sum[2], 64);
  for (int s = 0; s < N; s++) {
    __m512i r[STRIP];
    for (int j = 0; j < STRIP; j++) r[j] = _mm512_load_si512(sum[s][j]);
    transpose(r);
    const Output to = {a, w[s].n, a->M, a->N - w[s].n, nullptr, 0, false, true};
    to.put<STRIP, 1>([&](int m, int) { return _mm512_castsi512_ps(r[m]); });
  }
}

// The bits of a row of y do not depend on the rows beside it: each sum is in the same order everywhere.
int linear_few(sk_context* ctx, const sk_product* a) {
  const Operand rows = {reinterpret_cast<const uint16_t*>(a->a), a->M, a->K, true};
  auto* x = reinterpret_cast<uint32_t*>(shared_scratch(ctx, pairs_of(a->K) * STRIP));
  pack_across(x, rows, 0, 0, a->K);
  constexpr int64_t OUTPUTS = STRIPS * STRIP;
  const int64_t tiles = BLOCK / a->K / OUTPUTS, block = (tiles > 1 ? tiles : 1) * OUTPUTS;
  parallel_blocks(ctx, a->N, block, [=](int64_t begin, int64_t end) {
    const Tiles whole;
    for (int64_t n = begin; n < end; n += OUTPUTS) {
      const int64_t strips = ceil_div(end - n, STRIP);
      strips > 2 ? dots<3>(a, x, n) : strips > 1 ? dots<2>(a, x, n) : dots<1>(a, x, n);
    }
  });
  return 0;
}

} // namespace SK_ISA
} // namespace sk
