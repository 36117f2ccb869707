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

// sens [S,NH] of parts [blocks,NH], in the order of blocks; first_blocks [S+1].
static void add_parts(sk_context* ctx, double* sens, const double* parts,
                      const std::vector<int32_t>& first_blocks, int64_t NH) {
  std::vector<double> x(size_t(first_blocks.back() * NH));
  download(ctx, x.data(), parts, int64_t(x.size() * sizeof(double)));
  for (size_t s = 0; s + 1 < first_blocks.size(); s++)
    for (int64_t h = 0; h < NH; h++) {
      double sum = 0;
      for (int64_t b = first_blocks[s]; b < first_blocks[s + 1]; b++) sum += x[size_t(b * NH + h)];
      sens[int64_t(s) * NH + h] = sum;
    }
}

int attention_bwd(sk_context* ctx, const sk_attention_gradient* a) {
  const sk_attention& of = a->of;
  const Sequences in(of);
  const int64_t rows = of.N * of.NH, RH = distilled(a->queries, of.S);
  const bool beforehand = RH > 0 && a->eps > 0; // the gradient asks for a query's mean
  // Doubles first: [R,H] KL, [B,NH] parts; then floats: [N,NH] delta, [R,H] mean.
  const int64_t doubles = RH + (a->sens ? in.first_blocks(64).back() * of.NH : 0);
  char* memory = device_scratch(ctx, doubles * 8 + (rows + RH) * 4);
  double *kl = reinterpret_cast<double*>(memory), *parts = a->sens ? kl + RH : nullptr;
  float *delta = reinterpret_cast<float*>(memory + doubles * 8), *mean = delta + rows;
  Backward x{for_device(of), a->dqkv, a->dout, delta, {}};
  if (RH > 0) x.queries = queries_to_distil(ctx, *a, mean);
  if (beforehand) attention_kl(ctx, kl, mean, *a, x);
  dispatch(ctx, [&](auto element) {
    using T = decltype(element);
    launch(ctx, ceil_div(rows, 4), 1, 0, AttentionDelta<T>{delta, as<T>(a->dout), as<T>(of.o), rows, of.HS});
  });
  const int32_t size = attention_bwd_q(ctx, parts, beforehand ? nullptr : kl, x, in);
  attention_bwd_kv(ctx, x, in);
  if (a->sens) add_parts(ctx, a->sens, parts, in.first_blocks(size), of.NH);
  download(ctx, a->kl, kl, RH * int64_t(sizeof(double)));
  return 0;
}

} // namespace cuda
} // namespace sk
#endif
