#include "attention_softmax.h"

namespace sk {
namespace SK_ISA {

// Rows of floats as they lie, where they lie so; else NULL.
SK_INLINE const float* as_rows(const float* x, bool whole) { return whole ? x : nullptr; }
SK_INLINE const float* as_rows(const bf16*, bool) { return nullptr; }

// Appends k, v of one new token a sequence to the caches at lengths[b], and attends to those of lengths[b]+1
// positions that the window holds.
// qkv [B,(NH+2NKV)*HS], o [B,NH*HS], kcache, vcache [B,NKV,T,HS], lengths [B]
// A task is a sequence and a key-value head: the query heads that share it are the rows of one tile. All of
// them see every key of it, for the tiles begin where the window does.
int attention_decode(sk_context* ctx, const sk_decode* of) {
  const Heads a(*of);
  const int64_t HS = a.HS;
  parallel(ctx, of->B * a.NKV, [=](int64_t i, int worker) {
    const int64_t b = i / a.NKV, kv = i % a.NKV, last = of->lengths[b];
    const E* x = elements(of->qkv) + b * a.ld;
    E *k = elements(of->kcache) + i * of->T * HS, *v = elements(of->vcache) + i * of->T * HS;
    memcpy(k + last * HS, x + a.k(kv), HS * sizeof(E));
    memcpy(v + last * HS, x + a.v(kv), HS * sizeof(E));

    float* q = scratch(ctx, worker, a.G * (a.HP + BK) + BK * (HS + a.HP) + Online::floats(a.G, a));
    float *s = q + a.G * a.HP, *kt = s + a.G * BK, *padded = kt + BK * HS;
    Online state(padded + BK * a.HP, a.G, a);
    for (int64_t g = 0; g < a.G; g++) pack_row(q + g * a.HP, x + a.q(kv * a.G + g), HS, a.q_scale());
    for (int64_t j = a.first_key(last); j <= last; j += BK) {
      Tile t{a.G, least(BK, last + 1 - j), BK, ALL};
      pack_transposed(kt, t.width(), k + j * HS, HS, t.keys, HS);
      product<false>(a.G, t.width(), HS, q, a.HP, 1, kt, t.width(), s, BK);
      const float* values = as_rows(v + j * HS, HS == a.HP);
      if (!values) {
        for (int64_t c = 0; c < t.keys; c++) pack_row(padded + c * a.HP, v + (j + c) * HS, HS, 1);
        values = padded;
      }
      attend(t, a, state, s, values);
    }
    for (int64_t g = 0; g < a.G; g++)
      unpack_row(elements(of->o) + (b * a.NH + kv * a.G + g) * HS, state.o + g * a.HP, HS,
                 1 / reduce_add(load(state.sum + g * W)));
  });
  return 0;
}

} // namespace SK_ISA
} // namespace sk
