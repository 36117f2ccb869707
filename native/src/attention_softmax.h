// Softmax over keys that arrive block by block, for the kernels that compute outputs.
#ifndef SEEKR_ATTENTION_SOFTMAX_H
#define SEEKR_ATTENTION_SOFTMAX_H
#include "attention.h"

namespace sk {
namespace SK_ISA {

// A block of query rows on its way over the keys:
//   top [rows] largest score so far    sum [rows, W] partial sums of exp(S - top)
//   o [rows, HP] sum of exp(S - top) v
struct Online {
  float *top, *sum, *o;
  static int64_t floats(int64_t rows, const Heads& a) { return round_up(rows, W) + rows * (W + a.HP); }
  Online(float* memory, int64_t rows, const Heads& a)
      : top(memory), sum(top + round_up(rows, W)), o(sum + rows * W) {
    for (int64_t r = 0; r < rows; r++) top[r] = -__builtin_inff();
    clear(sum, rows * (W + a.HP));
  }
};

// One row: S becomes exp(S - top), a left row in place, zero where it does not see; what came before is
// rescaled when the top rises.
template <bool ALL_SEEN>
SK_INLINE void exponentiate(const Heads& a, Seen<ALL_SEEN> seen, float* s, float& top, float* sum, float* o) {
  vf m = broadcast(top);
#pragma GCC unroll 4
  for (int64_t j = seen.first(); j < seen.end; j += W) m = vmax(m, seen.only(a.scaled(load(s + j)), j, m));
  float high = reduce_max(m);
  vf total = load(sum);
  if (high > top) {
    vf shrink = vexp(broadcast(top) - high);
    total *= shrink;
    for (int64_t c = 0; c < a.HP; c += W) store(o + c, load(o + c) * shrink);
    top = high;
  }
#pragma GCC unroll 4
  for (int64_t j = seen.first(); j < seen.end; j += W) {
    vf e = seen.only(vexp(a.scaled(load(s + j)) - high), j);
    put_left((F*)s, j, e);
    total += e;
  }
  store(sum, total);
  seen.clear_others([s](int64_t j, vf zero) { put_left((F*)s, j, zero); });
}

// S becomes exp(S - top) for all rows, then o += exp(S - top) v.   s [rows, BK], v [keys / TERMS, HP]
static inline void attend(const Tile& t, const Heads& a, Online& state, float* s, const F* v) {
  for (int64_t r = 0; r < t.rows; r++) {
    float *row = s + r * BK, *sum = state.sum + r * W, *o = state.o + r * a.HP;
    if (t.sees_all(r)) exponentiate(a, Seen<true>(t, r), row, state.top[r], sum, o);
    else exponentiate(a, Seen<false>(t, r), row, state.top[r], sum, o);
  }
  gather_keys(t, a, state.o, (const F*)s, v);
}

} // namespace SK_ISA
} // namespace sk
#endif
