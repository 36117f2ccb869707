// The exported functions of every kernel library, attention apart (api_attention.cpp): check the arguments,
// then run the context's kernel. Integers they look at lie on the host in every library.
#include "arguments.h"

using namespace sk;

static void check_embedding_gradient(const sk_embedding_gradient& a) {
  SK_NOT_NULL(dw), SK_NOT_NULL(tokens), SK_NOT_NULL(dx);
  SK_AT_LEAST(N, 0), SK_AT_LEAST(C, 1), SK_AT_LEAST(V, 1);
  indices("tokens", a.tokens, a.N, -1, a.V);
}
SK_EXPORT(embedding_bwd, sk_embedding_gradient, check_embedding_gradient)

static void check_rmsnorm(const sk_rmsnorm& a) {
  SK_NOT_NULL(y), SK_NOT_NULL(rstd), SK_NOT_NULL(a), SK_NOT_NULL(w);
  if (a.b) SK_NOT_NULL(x);
  SK_AT_LEAST(N, 0), SK_AT_LEAST(C, 1);
  positive("eps", a.eps);
}
SK_EXPORT(rmsnorm_fwd, sk_rmsnorm, check_rmsnorm)

static void check_rmsnorm_gradient(const sk_rmsnorm_gradient& a) {
  SK_NOT_NULL(dx), SK_NOT_NULL(dy), SK_NOT_NULL(x), SK_NOT_NULL(rstd), SK_NOT_NULL(w);
  SK_AT_LEAST(N, 0), SK_AT_LEAST(C, 1);
}
SK_EXPORT(rmsnorm_bwd, sk_rmsnorm_gradient, check_rmsnorm_gradient)

static void check_rope(const sk_rope& a) {
  SK_NOT_NULL(qkv), SK_NOT_NULL(positions), SK_NOT_NULL(cos), SK_NOT_NULL(sin);
  SK_AT_LEAST(N, 0), SK_AT_LEAST(P, 0);
  heads(a.NH, a.NKV, a.HS);
  if (a.HS % 2 != 0) throw Error("HS is %lld, which is odd", static_cast<long long>(a.HS));
  indices("positions", a.positions, a.N, 0, a.P);
}
SK_EXPORT(rope_fwd, sk_rope, check_rope)
SK_EXPORT(rope_bwd, sk_rope, check_rope)

static void check_swiglu(const sk_swiglu& a) {
  SK_NOT_NULL(h), SK_NOT_NULL(gu);
  SK_AT_LEAST(N, 0), SK_AT_LEAST(F, 1);
}
SK_EXPORT(swiglu_fwd, sk_swiglu, check_swiglu)

static void check_swiglu_gradient(const sk_swiglu_gradient& a) {
  SK_NOT_NULL(dgu), SK_NOT_NULL(dh), SK_NOT_NULL(gu);
  SK_AT_LEAST(N, 0), SK_AT_LEAST(F, 1);
}
SK_EXPORT(swiglu_bwd, sk_swiglu_gradient, check_swiglu_gradient)

static void check_rows(const sk_rows& a, int64_t least) {
  SK_NOT_NULL(x), SK_NOT_NULL(d), SK_NOT_NULL(rows);
  SK_AT_LEAST(R, 0), SK_AT_LEAST(N, 0), SK_AT_LEAST(C, 1);
  indices("rows", a.rows, a.R, least, a.N);
}
static void check_gathered_rows(const sk_rows& a) { check_rows(a, -1); }
static void check_ascending_rows(const sk_rows& a) {
  check_rows(a, 0);
  ascending("rows", a.rows, a.R, 0);
}
SK_EXPORT(gather, sk_rows, check_gathered_rows)
SK_EXPORT(scatter, sk_rows, check_ascending_rows)
SK_EXPORT(scatter_add, sk_rows, check_ascending_rows)

static void check_dropped_rows(const sk_dropped_rows& a) {
  SK_NOT_NULL(y), SK_NOT_NULL(x), SK_NOT_NULL(keys);
  SK_AT_LEAST(N, 0), SK_AT_LEAST(C, 1);
  SK_FLAG(accumulate);
  if (!(a.p >= 0 && a.p < 1)) throw Error("p is %g, not at least 0 and below 1", double(a.p));
}
SK_EXPORT(dropout, sk_dropped_rows, check_dropped_rows)

static void check_loss(const sk_loss_rows& a) {
  SK_NOT_NULL(nll), SK_NOT_NULL(logits), SK_NOT_NULL(target);
  SK_FLAG(teacher_f16), SK_FLAG(grad);
  SK_AT_LEAST(R, 0), SK_AT_LEAST(V, 1);
  if (a.grad) SK_NOT_NULL(w_nll);
  if (a.mode < 0 || a.mode > 2) throw Error("mode is %d, not 0, 1 or 2", a.mode);
  indices("target", a.target, a.R, INT32_MIN, a.V);
  if (a.teacher) {
    SK_NOT_NULL(distill), SK_NOT_NULL(teacher_row);
    if (a.grad) SK_NOT_NULL(w_distill);
  } else if (a.teacher_row) {
    for (int64_t r = 0; r < a.R; r++)
      if (a.teacher_row[r] >= 0)
        throw Error("teacher is null, but teacher_row[%lld] is %d", static_cast<long long>(r),
                    a.teacher_row[r]);
  }
}
SK_EXPORT(loss, sk_loss_rows, check_loss)

static void check_adamw(const sk_adamw_step& a) {
  SK_NOT_NULL(w), SK_NOT_NULL(m), SK_NOT_NULL(v), SK_NOT_NULL(g);
  SK_AT_LEAST(n, 0), SK_AT_LEAST(step, 1);
  SK_FLAG(w_bf16), SK_FLAG(mv_bf16), SK_FLAG(g_bf16), SK_FLAG(rounded_bf16);
  if (a.w_bf16 && !a.mv_bf16) throw Error("w_bf16 is 1, but mv_bf16 is 0");
  if (a.g_bf16 && !a.w_bf16) throw Error("g_bf16 is 1, but w_bf16 is 0");
  if (a.rounded && a.mv_bf16) throw Error("rounded is not null, but mv_bf16 is 1");
}
SK_EXPORT(adamw, sk_adamw_step, check_adamw)

static void check_pair(const sk_pair& a) {
  SK_NOT_NULL(out), SK_NOT_NULL(x), SK_NOT_NULL(y);
  SK_AT_LEAST(n, 0);
  SK_FLAG(bf16);
}
SK_EXPORT(dot, sk_pair, check_pair)

static void check_scaled(const sk_scaled& a) {
  SK_NOT_NULL(y), SK_NOT_NULL(x);
  SK_AT_LEAST(n, 0);
}
SK_EXPORT(add_scaled, sk_scaled, check_scaled)
SK_EXPORT(add_squares, sk_scaled, check_scaled)

static void check_pull(const sk_pull& a) {
  SK_NOT_NULL(out), SK_NOT_NULL(g), SK_NOT_NULL(w), SK_NOT_NULL(fisher), SK_NOT_NULL(anchor);
  SK_AT_LEAST(n, 0);
}
SK_EXPORT(anchor, sk_pull, check_pull)

static void check_vector(const sk_vector& a) {
  SK_NOT_NULL(x);
  SK_AT_LEAST(n, 0);
}
SK_EXPORT(zero, sk_vector, check_vector)
