#include "attention_softmax.h"

namespace sk {
namespace SK_ISA {

// S_tj = scale q_t.k_j, lse_t = log sum_j exp S_tj, A_tj = exp(S_tj - lse_t), o_t = sum_j A_tj v_j, over
// t - window < j <= t.   o [N,NH*HS], lse [N,NH]
// A task is a head and a block of queries; scores exist one tile at a time.
int attention_fwd(sk_context* ctx, const sk_attention* of) {
  const Heads a(*of);
  const Packed packed(of->cu_seqlens, of->S);
  const Blocks blocks{of->cu_seqlens, of->S, BQ};
  const int64_t HS = a.HS;
  F* v = (F*)shared_scratch(ctx, a.NKV * packed.rows * (a.HF() + a.HQ()));
  F* kt = v + a.NKV * packed.rows * a.HQ();
  pack(ctx, packed, a, of->S, elements(of->qkv), a.k(0), kt, nullptr);
  pack(ctx, packed, a, of->S, elements(of->qkv), a.v(0), nullptr, v);

  parallel(ctx, blocks.slots() * a.NH, [=](int64_t i, int worker) {
    int64_t h = i / blocks.slots();
    Range b = find(blocks, i % blocks.slots());
    if (!b.rows) return;
    const Tiles tiles;
    float* s = scratch(ctx, worker, BQ * (BK + a.HQ()) + Online::floats(BQ, a));
    F* q = (F*)(s + BQ * BK + Online::floats(BQ, a));
    Online state(s + BQ * BK, BQ, a);
    pack_left(q, a.HP, elements(of->qkv) + (b.begin + b.first) * a.ld + a.q(h), a.ld, b.rows, HS,
              a.q_scale());

    int64_t keys = h / a.G * packed.rows + packed.at(b.s);
    for (int64_t j = a.first_block(b.first); j < b.first + b.rows; j += BK) {
      Tile t{b.rows, least(BK, b.length - j), b.first - j, a.window};
      scores(t, a, s, q, kt + (keys + j) * a.HF());
      attend(t, a, state, s, v + (keys + j) * a.HQ());
    }

    for (int64_t r = 0; r < b.rows; r++) {
      int64_t n = b.begin + b.first + r;
      float sum = reduce_add(load(state.sum + r * W));
      unpack_row(elements(of->o) + (n * a.NH + h) * HS, state.o + r * a.HP, HS, 1 / sum);
      of->lse[n * a.NH + h] = state.top[r] + vlog(broadcast(sum))[0];
    }
  });
  return 0;
}

} // namespace SK_ISA
} // namespace sk
