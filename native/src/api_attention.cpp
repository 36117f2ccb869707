// The exported attention functions: check the arguments, then run the context's kernel.
#include "arguments.h"

using namespace sk;

static void sequences(const int32_t* cu_seqlens, int64_t S) {
  SK_AT_LEAST(S, 0);
  offsets("cu_seqlens", cu_seqlens, S);
}

// Everything of rows but heads, weight and p.
static void check_positions(const sk_rows* rows, const int32_t* cu_seqlens, int64_t S) {
  offsets("rows.row_start", rows->row_start, S);
  const int64_t R = rows->row_start[S];
  if (R == 0) return;
  not_null("rows.pos", rows->pos);
  not_null("rows.prefix", rows->prefix);
  for (int64_t s = 0; s < S; s++) {
    const int64_t begin = rows->row_start[s], n = rows->row_start[s + 1] - begin;
    indices("rows.pos of a sequence", rows->pos + begin, n, 0, cu_seqlens[s + 1] - cu_seqlens[s]);
    ascending("rows.pos of a sequence", rows->pos + begin, n, 1);
  }
  int64_t prefix = 0;
  for (int64_t i = 0; i < R; prefix += rows->pos[i++] + 1)
    if (rows->prefix[i] != prefix)
      throw Error("rows.prefix[%lld] is %lld, not %lld", static_cast<long long>(i),
                  static_cast<long long>(rows->prefix[i]), static_cast<long long>(prefix));
}

static void check_heads(const sk_rows* rows, int64_t NH) {
  at_least("rows.H", rows->H, 0);
  if (rows->H == 0) return;
  not_null("rows.heads", rows->heads);
  indices("rows.heads", rows->heads, rows->H, 0, NH);
  ascending("rows.heads", rows->heads, rows->H, 1);
}

static bool any_rows(const sk_rows* rows, int64_t S) { return rows->row_start[S] > 0; }

SK_API int sk_attention_fwd(sk_context* ctx, float* o, float* lse, const float* qkv,
                            const int32_t* cu_seqlens, int64_t S, int64_t NH, int64_t NKV, int64_t HS) {
  return call("sk_attention_fwd", ctx, [&](const Kernels& kernels) {
    SK_NOT_NULL(o), SK_NOT_NULL(lse), SK_NOT_NULL(qkv);
    sequences(cu_seqlens, S);
    heads(NH, NKV, HS);
    return kernels.attention_fwd(ctx, o, lse, qkv, cu_seqlens, S, NH, NKV, HS);
  });
}

SK_API int sk_attention_bwd(sk_context* ctx, float* dqkv, double* sens, double* kl, const float* dout,
                            const float* qkv, const float* o, const float* lse, const int32_t* cu_seqlens,
                            int64_t S, int64_t NH, int64_t NKV, int64_t HS, const sk_rows* rows, float eps) {
  return call("sk_attention_bwd", ctx, [&](const Kernels& kernels) {
    SK_NOT_NULL(dqkv), SK_NOT_NULL(dout), SK_NOT_NULL(qkv), SK_NOT_NULL(o), SK_NOT_NULL(lse);
    sequences(cu_seqlens, S);
    heads(NH, NKV, HS);
    if (rows) {
      check_positions(rows, cu_seqlens, S);
      check_heads(rows, NH);
      if (any_rows(rows, S) && rows->H > 0) {
        SK_NOT_NULL(kl);
        not_null("rows.weight", rows->weight);
        not_null("rows.p", rows->p);
      }
      if (!(eps >= 0)) throw Error("eps is %g, not a number >= 0", double(eps));
    }
    return kernels.attention_bwd(ctx, dqkv, sens, kl, dout, qkv, o, lse, cu_seqlens, S, NH, NKV, HS, rows,
                                 eps);
  });
}

SK_API int sk_attention_capture(sk_context* ctx, const sk_rows* rows, const float* qkv, const float* lse,
                                const int32_t* cu_seqlens, int64_t S, int64_t NH, int64_t NKV, int64_t HS) {
  return call("sk_attention_capture", ctx, [&](const Kernels& kernels) {
    SK_NOT_NULL(rows), SK_NOT_NULL(qkv), SK_NOT_NULL(lse);
    sequences(cu_seqlens, S);
    heads(NH, NKV, HS);
    check_positions(rows, cu_seqlens, S);
    check_heads(rows, NH);
    if (any_rows(rows, S) && rows->H > 0) not_null("rows.p", rows->p);
    return kernels.attention_capture(ctx, rows, qkv, lse, cu_seqlens, S, NH, NKV, HS);
  });
}

SK_API int sk_attention_diff(sk_context* ctx, double* diff, const float* qkv, const float* lse,
                             const float* qkv2, const float* lse2, const int32_t* cu_seqlens, int64_t S,
                             int64_t NH, int64_t NKV, int64_t HS, const sk_rows* rows) {
  return call("sk_attention_diff", ctx, [&](const Kernels& kernels) {
    SK_NOT_NULL(diff), SK_NOT_NULL(qkv), SK_NOT_NULL(lse), SK_NOT_NULL(qkv2), SK_NOT_NULL(lse2);
    sequences(cu_seqlens, S);
    heads(NH, NKV, HS);
    if (rows) {
      check_positions(rows, cu_seqlens, S);
      if (any_rows(rows, S)) not_null("rows.weight", rows->weight);
    }
    return kernels.attention_diff(ctx, diff, qkv, lse, qkv2, lse2, cu_seqlens, S, NH, NKV, HS, rows);
  });
}

SK_API int sk_attention_decode(sk_context* ctx, float* o, float* kcache, float* vcache, const float* qkv,
                               const int32_t* lengths, int64_t B, int64_t T, int64_t NH, int64_t NKV,
                               int64_t HS) {
  return call("sk_attention_decode", ctx, [&](const Kernels& kernels) {
    SK_NOT_NULL(o), SK_NOT_NULL(kcache), SK_NOT_NULL(vcache), SK_NOT_NULL(qkv), SK_NOT_NULL(lengths);
    SK_AT_LEAST(B, 0), SK_AT_LEAST(T, 0);
    heads(NH, NKV, HS);
    indices("lengths", lengths, B, 0, T);
    return kernels.attention_decode(ctx, o, kcache, vcache, qkv, lengths, B, T, NH, NKV, HS);
  });
}
