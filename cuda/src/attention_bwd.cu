// attention_bwd: the gradient of attention, with the sensitivity and the distillation of sampled queries read
// off the same tiles. Two passes, each over all tiles: one block of queries collects dq over its keys, one
// block of keys dk and dv over its queries. Nothing is added across blocks, so no sum depends on who comes
// first.
#include "attention_bwd.h"

namespace sk {

// delta_t = do_t.o_t          delta [N,NH].  A warp is a token and head.
template <class T> struct AttentionDelta {
  static constexpr int THREADS = 128;
  float* delta;
  const T *dout, *o;
  int64_t rows, HS; // rows: N*NH

  SK_DEVICE void operator()() const {
    const int64_t row = block_x() * 4 + warp();
    if (row >= rows) return;
    float sum = 0;
    for (int64_t i = lane(); i < HS; i += 32) sum += to_float(dout[row * HS + i]) * to_float(o[row * HS + i]);
    sum = warp_sum(sum);
    if (lane() == 0) delta[row] = sum;
  }
};

SK_KERNEL(attention_delta_f32, AttentionDelta<float>)
SK_KERNEL(attention_delta_bf16, AttentionDelta<bf16>)
SK_KERNEL(attention_delta_f16, AttentionDelta<f16>)

} // namespace sk

#ifdef SK_LAUNCHERS
#include "attention_queries.h"

namespace sk {
namespace cuda {

int attention_bwd(sk_context* ctx, const sk_attention_gradient* a) {
  const sk_attention& of = a->of;
  const Sequences in(of);
  const int64_t rows = of.N * of.NH, RH = distilled(a->queries, of.S);
  // Doubles first: [R,H] KL, [S,NH] sums, [B,NH] parts; then floats: [N,NH] delta, [R,H] mean.
  const int64_t B = in.first_blocks(64).back(), doubles = RH + (a->sens ? (of.S + B) * of.NH : 0);
  char* memory = device_scratch(ctx, doubles * 8 + (rows + RH) * 4);
  double *kl = reinterpret_cast<double*>(memory), *sums = a->sens ? kl + RH : nullptr;
  float *delta = reinterpret_cast<float*>(memory + doubles * 8), *mean = delta + rows;
  Backward x{for_device(of), a->dqkv, a->dout, delta, {}};
  if (RH > 0) {
    x.queries = queries_to_distil(ctx, *a);
    x.queries.mean = mean;
    attention_kl(ctx, kl, mean, *a, x);
  }
  dispatch(ctx, [&](auto element) {
    using T = decltype(element);
    launch(ctx, ceil_div(rows, 4), 1, 0, AttentionDelta<T>{delta, as<T>(a->dout), as<T>(of.o), rows, of.HS});
  });
  attention_bwd_q(ctx, sums, a->sens ? sums + of.S * of.NH : nullptr, x, in);
  attention_bwd_kv(ctx, x, in);
  if (a->sens) download(ctx, a->sens, sums, of.S * of.NH * int64_t(sizeof(double)));
  download(ctx, a->kl, kl, RH * int64_t(sizeof(double)));
  return 0;
}

} // namespace cuda
} // namespace sk
#endif
