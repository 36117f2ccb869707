// The two passes of attention_bwd, between their launchers and the op.
#ifndef SEEKR_ATTENTION_BWD_H
#define SEEKR_ATTENTION_BWD_H
#include "attention.cuh"
#include <type_traits>

#ifdef SK_LAUNCHERS
struct sk_context;

namespace sk {

struct Backward {
  float* dqkv;
  const float *dout, *qkv, *lse, *delta;
  const int32_t* cu_seqlens;
  int64_t S;
  HeadShape a;
  Sampled rows;
};

// dq, and sens [S,NH] on the device unless it is null; parts: room for NH doubles for every 64 queries or
// less of a sequence
void attention_bwd_q(sk_context* ctx, double* sens, double* parts, const Backward& x);
// dk, dv
void attention_bwd_kv(sk_context* ctx, const Backward& x);

} // namespace sk
#endif
#endif
