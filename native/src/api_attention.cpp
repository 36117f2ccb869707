// The exported attention functions: check the arguments, then run the context's kernel.
#include "arguments.h"

using namespace sk;

// Everything of attention but o, which some functions do not look at.
static void check_scores(const sk_attention& a) {
  SK_NOT_NULL(lse), SK_NOT_NULL(qkv);
  SK_AT_LEAST(N, 0), SK_AT_LEAST(S, 0), SK_AT_LEAST(window, 0);
  heads(a.NH, a.NKV, a.HS);
  positive("scale", a.scale);
  offsets("cu_seqlens", a.cu_seqlens, a.S);
  if (a.cu_seqlens[a.S] != a.N)
    throw Error("cu_seqlens[%lld] is %d, not N, which is %lld", static_cast<long long>(a.S),
                a.cu_seqlens[a.S], static_cast<long long>(a.N));
}

static void check_attention(const sk_attention& a) {
  check_scores(a);
  SK_NOT_NULL(o);
}

// Everything of queries but heads, weight and p. Returns how many there are.
static int64_t check_positions(const sk_queries& q, const sk_attention& a) {
  offsets("queries.row_start", q.row_start, a.S);
  const int64_t R = q.row_start[a.S];
  if (R == 0) return 0;
  not_null("queries.pos", q.pos);
  not_null("queries.prefix", q.prefix);
  for (int64_t s = 0; s < a.S; s++) {
    const int64_t begin = q.row_start[s], n = q.row_start[s + 1] - begin;
    indices("queries.pos of a sequence", q.pos + begin, n, 0, a.cu_seqlens[s + 1] - a.cu_seqlens[s]);
    ascending("queries.pos of a sequence", q.pos + begin, n, 1);
  }
  int64_t prefix = 0;
  for (int64_t i = 0; i < R; prefix += q.pos[i++] + 1)
    if (q.prefix[i] != prefix)
      throw Error("queries.prefix[%lld] is %lld, not %lld", static_cast<long long>(i),
                  static_cast<long long>(q.prefix[i]), static_cast<long long>(prefix));
  return R;
}

// Positions, heads and p. Returns how many rows there are, of all heads.
static int64_t check_rows(const sk_queries& q, const sk_attention& a) {
  const int64_t R = check_positions(q, a);
  at_least("queries.H", q.H, 0);
  if (q.H == 0) return 0;
  not_null("queries.heads", q.heads);
  indices("queries.heads", q.heads, q.H, 0, a.NH);
  ascending("queries.heads", q.heads, q.H, 1);
  if (R > 0) not_null("queries.p", q.p);
  return R * q.H;
}

SK_EXPORT(attention_fwd, sk_attention, check_attention)

static void check_gradient(const sk_attention_gradient& a) {
  check_attention(a.of);
  SK_NOT_NULL(dqkv), SK_NOT_NULL(dout);
  if (!a.queries.row_start) return;
  positive("eps", a.eps);
  if (check_rows(a.queries, a.of) == 0) return;
  SK_NOT_NULL(kl), SK_NOT_NULL(queries.weight);
}
SK_EXPORT(attention_bwd, sk_attention_gradient, check_gradient)

static void check_capture(const sk_attention_rows& a) {
  check_scores(a.of);
  check_rows(a.queries, a.of);
}
SK_EXPORT(attention_capture, sk_attention_rows, check_capture)

static void check_change(const sk_attention_change& a) {
  check_scores(a.of);
  SK_NOT_NULL(diff), SK_NOT_NULL(qkv2), SK_NOT_NULL(lse2);
  if (a.queries.row_start && check_positions(a.queries, a.of) > 0) SK_NOT_NULL(queries.weight);
}
SK_EXPORT(attention_diff, sk_attention_change, check_change)

static void check_decode(const sk_decode& a) {
  SK_NOT_NULL(o), SK_NOT_NULL(kcache), SK_NOT_NULL(vcache), SK_NOT_NULL(qkv), SK_NOT_NULL(lengths);
  SK_AT_LEAST(B, 0), SK_AT_LEAST(T, 0), SK_AT_LEAST(window, 0);
  heads(a.NH, a.NKV, a.HS);
  positive("scale", a.scale);
  indices("lengths", a.lengths, a.B, 0, a.T);
}
SK_EXPORT(attention_decode, sk_decode, check_decode)
