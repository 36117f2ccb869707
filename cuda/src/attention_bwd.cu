// attention_bwd: the gradient of attention, with the sensitivity and the distillation of sampled rows read
// off the same tiles. Two passes, each over all tiles: one block of queries collects dq over its keys, one
// block of keys dk and dv over its queries. Nothing is added across blocks, so no sum depends on who comes
// first.
#include "attention_bwd.h"

namespace sk {

// delta_t = do_t.o_t            dout, o [N,NH*HS], delta [N,NH].  A warp is a token and head.
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
#include "attention_rows.h"

namespace sk {
namespace cuda {

int attention_bwd(sk_context* ctx, float* dqkv, double* sens, double* kl, const float* dout, const float* qkv,
                  const float* o, const float* lse, const int32_t* cu_seqlens, int64_t S, int64_t NH,
                  int64_t NKV, int64_t HS, const sk_rows* rows, float eps) {
  const int64_t N = cu_seqlens[S], R = rows ? rows->row_start[S] : 0, H = rows ? rows->H : 0;
  const HeadShape a{NH, NKV, HS};
  // Doubles first: [R,H] KL, [S,NH] sums, [B,NH] parts; then floats: [N,NH] delta, [R,H] mean.
  const int64_t B = first_blocks(cu_seqlens, S, 64).back(), doubles = sens ? R * H + (S + B) * NH : R * H;
  char* memory = device_scratch(ctx, doubles * 8 + (N * NH + R * H) * 4);
  double *divergence = reinterpret_cast<double*>(memory), *sums = sens ? divergence + R * H : nullptr;
  float *delta = reinterpret_cast<float*>(memory + doubles * 8), *mean = delta + N * NH;
  Sampled sampled = sampled_rows(ctx, rows, cu_seqlens, S, NH, eps);
  if (sampled.row_of) {
    sampled.mean = mean;
    attention_kl(ctx, divergence, mean, sampled, rows, qkv, lse, cu_seqlens, S, a);
  }
  dispatch(ctx, [&](auto element) {
    using T = decltype(element);
    launch(ctx, ceil_div(N * NH, 4), 1, 0, AttentionDelta<T>{delta, as<T>(dout), as<T>(o), N * NH, HS});
  });
  const Backward x{dqkv, dout, qkv, lse, delta, cu_seqlens, S, a, sampled};
  attention_bwd_q(ctx, sums, sens ? sums + S * NH : nullptr, x);
  attention_bwd_kv(ctx, x);
  if (sens) download(ctx, sens, sums, S * NH * int64_t(sizeof(double)));
  if (R * H > 0) download(ctx, kl, divergence, R * H * int64_t(sizeof(double)));
  return 0;
}

} // namespace cuda
} // namespace sk
#endif
