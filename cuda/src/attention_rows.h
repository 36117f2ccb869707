// Sampled rows, between the launchers of attention_bwd.cu and attention_rows.cu.
#ifndef SEEKR_ATTENTION_ROWS_H
#define SEEKR_ATTENTION_ROWS_H
#include "attention.cuh"

namespace sk {

// A sampled row: its sequence's first token, its position there, and where its probabilities begin (times H).
struct SampledRow {
  int32_t begin, position;
  int64_t prefix;
};

} // namespace sk

#ifdef SK_LAUNCHERS
#include "attention_launch.h"

namespace sk {
// The rows to distil, with tables on the device; row_of is null where there is nothing to distil. `mean` is
// left null.
Sampled sampled_rows(sk_context* ctx, const sk_rows* rows, const int32_t* cu_seqlens, int64_t S, int64_t NH,
                     float eps);
// kl [R,H], and mean [R,H] = sum_j A_j P_j / (A_j + eps)
void attention_kl(sk_context* ctx, double* kl, float* mean, const Sampled& sampled, const sk_rows* rows,
                  const float* qkv, const float* lse, const int32_t* cu_seqlens, int64_t S,
                  const HeadShape& a);
// Two models' activations of the same tokens.
struct Pair {
  const float *qkv[2], *lse[2];
  const int32_t* cu_seqlens;
  int64_t S;
  HeadShape a;
};
// parts [R,NH] = weight_i sum_j (A_ij - A'_ij)^2
void attention_diff_rows(sk_context* ctx, double* parts, const Pair& x, const sk_rows* rows);
} // namespace sk
#endif
#endif
