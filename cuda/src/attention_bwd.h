// What the two passes of attention_bwd are given, and their launchers.
#ifndef SEEKR_ATTENTION_BWD_H
#define SEEKR_ATTENTION_BWD_H
#include "attention.cuh"
#include <type_traits>

namespace sk {

// See sk_attention_gradient.
struct Backward {
  Attention a;
  float* dqkv;
  const float *dout, *delta; // delta [N,NH]
  Queries queries;
};

} // namespace sk

#ifdef SK_LAUNCHERS
#include "attention_launch.h"

namespace sk {

// dq; the sensitivity of each block of a sequence's queries in parts [blocks,NH]; kl [R,H], the KL without
// eps. Both may be null. Returns how many queries a block has, at least 64.
int32_t attention_bwd_q(sk_context* ctx, double* parts, double* kl, const Backward& x, const Sequences& in);
// dk, dv
void attention_bwd_kv(sk_context* ctx, const Backward& x, const Sequences& in);

template <class T> bool aligned(const Backward& x) {
  return aligned<T>(x.a.qkv, x.a.HS) && aligned<T>(x.dout, x.a.HS);
}

} // namespace sk
#endif
#endif
