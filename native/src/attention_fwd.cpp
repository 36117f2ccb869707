#include "attention_softmax.h"

namespace sk {
namespace SK_ISA {

// S_tj = scale q_t.k_j, lse_t = log sum_{j<=t} exp S_tj, A_tj = exp(S_tj - lse_t), o_t = sum_j A_tj v_j
// o [N,NH*HS], lse [N,NH].  A task is a head and a block of queries; scores exist one tile at a time.
int attention_fwd(sk_context* ctx, float* o, float* lse, const float* qkv, const int32_t* cu_seqlens,
                  int64_t S, int64_t NH, int64_t NKV, int64_t HS) {
  Heads a(NH, NKV, HS);
  Packed packed(cu_seqlens, S);
  Blocks blocks{cu_seqlens, S, BQ};
  float* v = shared_scratch(ctx, NKV * packed.rows * (HS + a.HP));
  float* kt = v + NKV * packed.rows * a.HP;
  pack(ctx, packed, a, S, qkv, a.k(0), kt, nullptr);
  pack(ctx, packed, a, S, qkv, a.v(0), nullptr, v);

  parallel(ctx, blocks.slots() * NH, [&](int64_t i, int worker) {
    int64_t h = i / blocks.slots();
    Range b = find(blocks, i % blocks.slots());
    if (!b.rows) return;
    float* q = scratch(ctx, worker, BQ * (a.HP + BK) + Online::floats(BQ, a));
    float* s = q + BQ * a.HP;
    Online state(s + BQ * BK, BQ, a);
    for (int64_t r = 0; r < b.rows; r++)
      pack_row(q + r * a.HP, qkv + (b.begin + b.first + r) * a.ld + a.q(h), HS, a.scale);

    int64_t keys = h / a.G * packed.rows + packed.at(b.s);
    for (int64_t j = 0; j < b.first + b.rows; j += BK) {
      Tile t{b.rows, least(BK, b.length - j), b.first - j};
      scores(t, a, s, q, kt + (keys + j) * HS);
      attend(t, a, state, s, v + (keys + j) * a.HP);
    }

    for (int64_t r = 0; r < b.rows; r++) {
      int64_t n = b.begin + b.first + r;
      float sum = reduce_add(load(state.sum + r * W));
      unpack_row(o + (n * NH + h) * HS, state.o + r * a.HP, HS, 1 / sum);
      lse[n * NH + h] = state.top[r] + vlog(broadcast(sum))[0];
    }
  });
  return 0;
}

} // namespace SK_ISA
} // namespace sk
