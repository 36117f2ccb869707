// attention_decode: one new token a sequence against its cache of keys and values.
#include "attention.cuh"

namespace sk {

// A block is a sequence and a head, a warp takes every fourth key and keeps its own maximum, sum and output;
// the four are joined at the end. New keys are read from qkv, so nobody waits for who writes the cache.
template <class E> struct AttentionDecode {
  static constexpr int THREADS = 128, WARPS = 4, EACH = 4; // elements of a head in one lane: HS <= 128
  Heads<sk_decode> a;                                      // lengths lie on the device

  SK_DEVICE void operator()() const {
    const int64_t b = block_x(), h = block_y(), kv = h / a.group(), n = a.lengths[b],
                  cache = (b * a.NKV + kv) * a.T * a.HS;
    const E* token = as<E>(a.qkv) + b * a.row();
    E *keys = as<E>(a.kcache) + cache, *values = as<E>(a.vcache) + cache;
    float q[EACH], out[EACH] = {}, top = -INFINITY, sum = 0;
    SK_UNROLL
    for (int e = 0; e < EACH; e++) {
      const int64_t i = lane() + 32 * e;
      q[e] = i < a.HS ? to_float(token[a.q(h) + i]) * a.scale : 0;
    }
    for (int64_t j = a.first_key(int(n)) + warp(); j <= n; j += WARPS) {
      const E *k = j < n ? keys + j * a.HS : token + a.k(kv),
              *v = j < n ? values + j * a.HS : token + a.v(kv);
      float s = 0;
      SK_UNROLL
      for (int e = 0; e < EACH; e++)
        if (lane() + 32 * e < a.HS) s += q[e] * to_float(k[lane() + 32 * e]);
      s = warp_sum(s);
      const float high = larger(top, s), shrink = exact_exp(top - high), weight = exact_exp(s - high);
      top = high;
      sum = sum * shrink + weight;
      SK_UNROLL
      for (int e = 0; e < EACH; e++)
        if (lane() + 32 * e < a.HS) out[e] = out[e] * shrink + weight * to_float(v[lane() + 32 * e]);
    }

    float *tops = shared<float>(), *sums = tops + WARPS, *outs = sums + WARPS; // [WARPS], [WARPS], [WARPS,HS]
    if (lane() == 0) tops[warp()] = top, sums[warp()] = sum;
    SK_UNROLL
    for (int e = 0; e < EACH; e++)
      if (lane() + 32 * e < a.HS) outs[warp() * a.HS + lane() + 32 * e] = out[e];
    barrier();
    float high = tops[0], total = 0;
    for (int w = 1; w < WARPS; w++) high = larger(high, tops[w]);
    for (int w = 0; w < WARPS; w++) total += sums[w] * exact_exp(tops[w] - high);
    for (int64_t i = thread(); i < a.HS; i += THREADS) {
      float v = 0;
      for (int w = 0; w < WARPS; w++) v += outs[w * a.HS + i] * exact_exp(tops[w] - high);
      as<E>(a.o)[(b * a.NH + h) * a.HS + i] = from_float<E>(v / total);
      if (h % a.group() == 0) {
        keys[n * a.HS + i] = token[a.k(kv) + i];
        values[n * a.HS + i] = token[a.v(kv) + i];
      }
    }
  }
};

SK_KERNEL(attention_decode_f32, AttentionDecode<float>)
SK_KERNEL(attention_decode_bf16, AttentionDecode<bf16>)
SK_KERNEL(attention_decode_f16, AttentionDecode<f16>)

} // namespace sk

#ifdef SK_LAUNCHERS
#include "attention_launch.h"

namespace sk {
namespace cuda {

int attention_decode(sk_context* ctx, const sk_decode* a) {
  Heads<sk_decode> x{*a};
  x.lengths = upload(ctx, a->lengths, a->B);
  x.window = window_of(a->window);
  return dispatch_head(ctx, a->HS, [&](auto element, auto) {
    launch(ctx, a->B, a->NH, (8 + 4 * a->HS) * int64_t(sizeof(float)), AttentionDecode<decltype(element)>{x});
  });
}

} // namespace cuda
} // namespace sk
#endif
