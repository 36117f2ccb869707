// Sampled queries, between the launchers of attention_bwd.cu, attention_diff.cu and attention_queries.cu.
#ifndef SEEKR_ATTENTION_QUERIES_H
#define SEEKR_ATTENTION_QUERIES_H
#include "attention_bwd.h"

namespace sk {

// A sampled query: its sequence's first token, its position there, and where its probabilities begin (times
// H).
struct QueryPlace {
  int32_t begin, position;
  int64_t prefix;
};

// Two models' activations of the same tokens, and parts of what attention_diff sums up.
struct Change {
  Attention a;
  const float *qkv2, *lse2;
  double* parts;
};

} // namespace sk

#ifdef SK_LAUNCHERS
namespace sk {
// R*H: queries of all selected heads, 0 where none are named.
int64_t distilled(const sk_queries& q, int64_t S);
// With tables on the device.
Queries queries_to_distil(sk_context* ctx, const sk_attention_gradient& a, const float* mean);
// Where eps > 0: kl [R,H], and mean [R,H] = sum_j A_j P_j / (A_j + eps)
void attention_kl(sk_context* ctx, double* kl, float* mean, const sk_attention_gradient& a,
                  const Backward& x);
// parts [R,NH] = weight_i sum_j (A_ij - A'_ij)^2
void attention_diff_queries(sk_context* ctx, const Change& x, const sk_queries& q, const sk_attention& of);
} // namespace sk
#endif
#endif
