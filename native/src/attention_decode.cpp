#include "attention_softmax.h"

namespace sk {
namespace SK_ISA {

// Appends k, v of one new token a sequence to the caches at lengths[b], and attends to lengths[b]+1
// positions. qkv [B,(NH+2NKV)*HS], o [B,NH*HS], kcache, vcache [B,NKV,T,HS], lengths [B]
// A task is a sequence and a key-value head: the query heads that share it are the rows of one tile.
int attention_decode(sk_context* ctx, float* o, float* kcache, float* vcache, const float* qkv,
                     const int32_t* lengths, int64_t B, int64_t T, int64_t NH, int64_t NKV, int64_t HS) {
  Heads a(NH, NKV, HS);
  parallel(ctx, B * NKV, [&](int64_t i, int worker) {
    const int64_t b = i / NKV, kv = i % NKV, last = lengths[b];
    const float* x = qkv + b * a.ld;
    float *k = kcache + i * T * HS, *v = vcache + i * T * HS;
    memcpy(k + last * HS, x + a.k(kv), HS * sizeof(float));
    memcpy(v + last * HS, x + a.v(kv), HS * sizeof(float));

    float* q = scratch(ctx, worker, a.G * (a.HP + BK) + BK * (HS + a.HP) + Online::floats(a.G, a));
    float *s = q + a.G * a.HP, *kt = s + a.G * BK, *padded = kt + BK * HS;
    Online state(padded + BK * a.HP, a.G, a);
    for (int64_t g = 0; g < a.G; g++) pack_row(q + g * a.HP, x + a.q(kv * a.G + g), HS, a.scale);
    for (int64_t j = 0; j <= last; j += BK) {
      Tile t{a.G, least(BK, last + 1 - j), BK};
      pack_transposed(kt, t.width(), k + j * HS, HS, t.keys, HS);
      product<false>(a.G, t.width(), HS, q, a.HP, 1, kt, t.width(), s, BK);
      const float* values = v + j * HS;
      if (HS != a.HP) {
        for (int64_t c = 0; c < t.keys; c++) pack_row(padded + c * a.HP, values + c * HS, HS, 1);
        values = padded;
      }
      attend(t, a, state, s, values);
    }
    for (int64_t g = 0; g < a.G; g++)
      unpack_row(o + (b * NH + kv * a.G + g) * HS, state.o + g * a.HP, HS,
                 1 / reduce_add(load(state.sum + g * W)));
  });
  return 0;
}

} // namespace SK_ISA
} // namespace sk
