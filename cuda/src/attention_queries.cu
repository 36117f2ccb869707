// attention_capture, attention_diff of sampled queries, and where the KL has an eps, that and what its
// gradient must know of a query beforehand.
#include "attention_queries.h"

namespace sk {

// A query, of which every lane holds every 32nd element: HS <= 128.
struct Query {
  static constexpr int EACH = 4;
  float q[EACH];
  int HS;

  template <class T> SK_DEVICE static Query of(const T* from, int64_t HS) {
    Query query;
    query.HS = int(HS);
    SK_UNROLL
    for (int e = 0; e < EACH; e++)
      query.q[e] = lane() + 32 * e < query.HS ? to_float(from[lane() + 32 * e]) : 0;
    return query;
  }

  // q.k of `count` keys (at most 32), `ld` apart, by a warp: key l's in lane l.
  template <class T> SK_DEVICE float dots(const T* keys, int64_t ld, int count) const {
    float mine = 0;
    for (int l = 0; l < count; l++, keys += ld) {
      float sum = 0;
      SK_UNROLL
      for (int e = 0; e < EACH; e++)
        if (lane() + 32 * e < HS) sum += q[e] * to_float(keys[lane() + 32 * e]);
      sum = warp_sum(sum);
      if (lane() == l) mine = sum;
    }
    return mine;
  }
};

// p = A_tj = exp(S_tj - lse_t) of sampled queries and selected heads.
// A block is a query and a head, a warp takes every fourth 32 keys.
template <class T> struct AttentionCapture {
  static constexpr int THREADS = 128;
  Attention a;
  sk_queries queries; // heads lie on the device
  const QueryPlace* places;

  SK_DEVICE void operator()() const {
    const QueryPlace at = places[block_x()];
    const int64_t h = queries.heads[block_y()], n = at.begin + at.position;
    const T *qkv = as<T>(a.qkv), *keys = qkv + at.begin * a.row() + a.k(h / a.group());
    const Query q = Query::of(qkv + n * a.row() + a.q(h), a.HS);
    float* out = queries.p + queries.H * at.prefix + block_y() * (at.position + 1);
    const float normal = a.lse[n * a.NH + h];
    const int first = a.first_key(at.position);
    for (int j = thread(); j < first; j += THREADS) out[j] = 0;
    for (int j = first + 32 * warp(); j <= at.position; j += THREADS) {
      const int count = least(32, at.position + 1 - j);
      const float s = q.dots(keys + j * a.row(), a.row(), count) * a.scale;
      if (lane() < count) out[j + lane()] = exact_exp(s - normal);
    }
  }
};

// kl[i,index] = sum_j P_j (log P_j - log(A_j + eps)); terms with P_j = 0 are 0
// mean[i,index] = sum_j A_j g_j = sum_j A_j P_j / (A_j + eps), which its gradient asks for.
// A block is a query and a head.
template <class T> struct AttentionKL {
  static constexpr int THREADS = 128;
  Attention a;
  Queries queries; // heads lie on the device
  const QueryPlace* places;
  double* kl;
  float* mean;

  SK_DEVICE void operator()() const {
    const QueryPlace at = places[block_x()];
    const int64_t h = queries.heads[block_y()], n = at.begin + at.position;
    const T *qkv = as<T>(a.qkv), *keys = qkv + at.begin * a.row() + a.k(h / a.group());
    const Query q = Query::of(qkv + n * a.row() + a.q(h), a.HS);
    const float* stored = queries.stored(block_x(), block_y(), at.position);
    const float normal = a.lse[n * a.NH + h], eps = queries.eps;
    double divergence = 0, sum = 0;
    for (int j = a.first_key(at.position) + 32 * warp(); j <= at.position; j += THREADS) {
      const int count = least(32, at.position + 1 - j);
      const float s = q.dots(keys + j * a.row(), a.row(), count) * a.scale;
      if (lane() >= count) continue;
      const float P = stored[j + lane()], A = exact_exp(s - normal);
      if (P != 0) divergence += double(P * (exact_log(P) - exact_log(A + eps)));
      sum += double(A * (P / (A + eps)));
    }
    divergence = block_sum<THREADS>(divergence, shared<double>());
    sum = block_sum<THREADS>(sum, shared<double>());
    if (thread() == 0)
      kl[block_x() * queries.H + block_y()] = divergence,
                                 mean[block_x() * queries.H + block_y()] = float(sum);
  }
};

// parts[i,h] = weight_i sum_j (A_tj - A'_tj)^2 of two models' sampled queries.
// A block is a query and a head.
template <class T> struct AttentionDiffQueries {
  static constexpr int THREADS = 128;
  Change x;
  const QueryPlace* places;
  const float* weight;

  SK_DEVICE void operator()() const {
    const QueryPlace at = places[block_x()];
    const Attention& a = x.a;
    const int64_t h = block_y(), n = at.begin + at.position, keys = at.begin * a.row() + a.k(h / a.group());
    const T* const qkv[2] = {as<T>(a.qkv), as<T>(x.qkv2)};
    const float normal[2] = {a.lse[n * a.NH + h], x.lse2[n * a.NH + h]};
    const Query q[2] = {Query::of(qkv[0] + n * a.row() + a.q(h), a.HS),
                        Query::of(qkv[1] + n * a.row() + a.q(h), a.HS)};
    double sum = 0;
    for (int j = a.first_key(at.position) + 32 * warp(); j <= at.position; j += THREADS) {
      const int count = least(32, at.position + 1 - j);
      float A[2];
      SK_UNROLL
      for (int m = 0; m < 2; m++) {
        const float s = q[m].dots(qkv[m] + keys + j * a.row(), a.row(), count) * a.scale;
        A[m] = exact_exp(s - normal[m]);
      }
      const double d = double(A[0] - A[1]);
      if (lane() < count) sum += d * d;
    }
    sum = block_sum<THREADS>(sum, shared<double>());
    if (thread() == 0) x.parts[block_x() * a.NH + h] = sum * double(weight[block_x()]);
  }
};

#define SK_ATTENTION_QUERIES(type, T)                      \
  SK_KERNEL(attention_capture_##type, AttentionCapture<T>) \
  SK_KERNEL(attention_kl_##type, AttentionKL<T>)           \
  SK_KERNEL(attention_diff_queries_##type, AttentionDiffQueries<T>)
SK_ATTENTION_QUERIES(f32, float)
SK_ATTENTION_QUERIES(bf16, bf16)
SK_ATTENTION_QUERIES(f16, f16)

} // namespace sk

#ifdef SK_LAUNCHERS

namespace sk {

// f(i, s): query i is of sequence s.
template <class F> static void each_query(const sk_queries& q, int64_t S, F f) {
  for (int64_t s = 0; s < S; s++)
    for (int32_t i = q.row_start[s]; i < q.row_start[s + 1]; i++) f(i, s);
}

static const QueryPlace* places(sk_context* ctx, const sk_queries& q, const sk_attention& of) {
  std::vector<QueryPlace> table;
  each_query(q, of.S,
             [&](int32_t i, int64_t s) { table.push_back({of.cu_seqlens[s], q.pos[i], q.prefix[i]}); });
  return upload(ctx, table);
}

int64_t distilled(const sk_queries& q, int64_t S) { return q.row_start ? q.row_start[S] * q.H : 0; }

Queries queries_to_distil(sk_context* ctx, const sk_attention_gradient& a, const float* mean) {
  const sk_queries& q = a.queries;
  std::vector<int32_t> query_of(size_t(a.of.N), -1), head_of(size_t(a.of.NH), -1);
  each_query(q, a.of.S, [&](int32_t i, int64_t s) { query_of[size_t(a.of.cu_seqlens[s] + q.pos[i])] = i; });
  for (int32_t i = 0; i < q.H; i++) head_of[size_t(q.heads[i])] = i;
  Queries x{q, upload(ctx, query_of), upload(ctx, head_of), mean, a.eps};
  x.heads = upload(ctx, q.heads, q.H);
  x.prefix = upload(ctx, q.prefix, q.row_start[a.of.S]);
  x.row_start = x.pos = nullptr;
  return x;
}

void attention_kl(sk_context* ctx, double* kl, float* mean, const sk_attention_gradient& a,
                  const Backward& x) {
  const QueryPlace* table = places(ctx, a.queries, a.of);
  dispatch_head(ctx, a.of.HS, [&](auto element, auto) {
    launch(ctx, a.queries.row_start[a.of.S], a.queries.H, 32 * sizeof(double),
           AttentionKL<decltype(element)>{x.a, x.queries, table, kl, mean});
  });
}

namespace cuda {

int attention_capture(sk_context* ctx, const sk_attention_rows* a) {
  sk_queries q = a->queries;
  const QueryPlace* table = places(ctx, q, a->of);
  q.heads = upload(ctx, q.heads, q.H);
  q.row_start = q.pos = nullptr, q.prefix = nullptr, q.weight = nullptr; // these lie on the host, or nowhere
  return dispatch_head(ctx, a->of.HS, [&](auto element, auto) {
    launch(ctx, a->queries.row_start[a->of.S], q.H, 0,
           AttentionCapture<decltype(element)>{for_device(a->of), q, table});
  });
}

} // namespace cuda

void attention_diff_queries(sk_context* ctx, const Change& x, const sk_queries& q, const sk_attention& of) {
  const QueryPlace* table = places(ctx, q, of);
  dispatch_head(ctx, of.HS, [&](auto element, auto) {
    launch(ctx, q.row_start[of.S], of.NH, 32 * sizeof(double),
           AttentionDiffQueries<decltype(element)>{x, table, q.weight});
  });
}

} // namespace sk
#endif
