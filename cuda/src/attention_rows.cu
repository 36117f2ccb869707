// attention_capture, attention_diff_rows, and the KL of sampled rows with what distillation must know of a
// row beforehand.
#include "attention_rows.h"

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

// p = A_tj = exp(S_tj - lse_t) of sampled rows and selected heads.
// A block is a row and a head, a warp takes every fourth 32 keys.
template <class T> struct AttentionCapture {
  static constexpr int THREADS = 128;
  float* p;
  const T* qkv;
  const float* lse;
  const SampledRow* rows;
  const int32_t* heads;
  HeadShape a;
  int64_t H;
  float scale;

  SK_DEVICE void operator()() const {
    const SampledRow row = rows[block_x()];
    const int64_t h = heads[block_y()], n = row.begin + row.position;
    const T* keys = qkv + row.begin * a.row() + a.k(h / a.group());
    const Query q = Query::of(qkv + n * a.row() + a.q(h), a.HS);
    float* out = p + H * row.prefix + block_y() * (row.position + 1);
    const float normal = lse[n * a.NH + h];
    for (int j = 32 * warp(); j <= row.position; j += THREADS) {
      const int count = least(32, row.position + 1 - j);
      const float s = q.dots(keys + j * a.row(), a.row(), count) * scale;
      if (lane() < count) out[j + lane()] = exact_exp(s - normal);
    }
  }
};

// kl[i,index] = sum_j P_j (log P_j - log A_j), or with eps P_j (log P_j - log(A_j + eps)); terms with P_j = 0
// are 0
// mean[i,index] = sum_j A_j g_j = sum_j A_j P_j / (A_j + eps), which its gradient asks for.
// A block is a row and a head.
template <class T> struct AttentionKL {
  static constexpr int THREADS = 128;
  double* kl;
  float* mean;
  const T* qkv;
  const float* lse;
  const SampledRow* rows;
  const int32_t* heads;
  Sampled sampled;
  HeadShape a;
  float scale;

  SK_DEVICE void operator()() const {
    const SampledRow row = rows[block_x()];
    const int64_t h = heads[block_y()], n = row.begin + row.position;
    const T* keys = qkv + row.begin * a.row() + a.k(h / a.group());
    const Query q = Query::of(qkv + n * a.row() + a.q(h), a.HS);
    const float* stored = sampled.stored(block_x(), block_y(), row.position);
    const float normal = lse[n * a.NH + h], eps = sampled.eps;
    double divergence = 0, sum = 0;
    for (int j = 32 * warp(); j <= row.position; j += THREADS) {
      const int count = least(32, row.position + 1 - j);
      const float log_a = q.dots(keys + j * a.row(), a.row(), count) * scale - normal;
      if (lane() >= count) continue;
      const float P = stored[j + lane()], A = exact_exp(log_a);
      if (P != 0) divergence += double(P * (exact_log(P) - (eps > 0 ? exact_log(A + eps) : log_a)));
      sum += double(A * (P / (A + eps)));
    }
    divergence = block_sum<THREADS>(divergence, shared<double>());
    sum = block_sum<THREADS>(sum, shared<double>());
    if (thread() == 0)
      kl[block_x() * sampled.H + block_y()] = divergence,
                                 mean[block_x() * sampled.H + block_y()] = float(sum);
  }
};

// parts[i,h] = weight_i sum_j (A_tj - A'_tj)^2 of two models' sampled rows.  A block is a row and a head.
template <class T> struct AttentionDiffRows {
  static constexpr int THREADS = 128;
  double* parts;
  const T* qkv[2];
  const float* lse[2];
  const SampledRow* rows;
  const float* weight;
  HeadShape a;
  float scale;

  SK_DEVICE void operator()() const {
    const SampledRow row = rows[block_x()];
    const int64_t h = block_y(), n = row.begin + row.position,
                  keys = row.begin * a.row() + a.k(h / a.group());
    const Query q[2] = {Query::of(qkv[0] + n * a.row() + a.q(h), a.HS),
                        Query::of(qkv[1] + n * a.row() + a.q(h), a.HS)};
    double sum = 0;
    for (int j = 32 * warp(); j <= row.position; j += THREADS) {
      const int count = least(32, row.position + 1 - j);
      float A[2];
      SK_UNROLL
      for (int m = 0; m < 2; m++) {
        const float s = q[m].dots(qkv[m] + keys + j * a.row(), a.row(), count) * scale;
        A[m] = exact_exp(s - lse[m][n * a.NH + h]);
      }
      const double d = double(A[0] - A[1]);
      if (lane() < count) sum += d * d;
    }
    sum = block_sum<THREADS>(sum, shared<double>());
    if (thread() == 0) parts[block_x() * a.NH + h] = sum * double(weight[block_x()]);
  }
};

#define SK_ATTENTION_ROWS(type, T)                         \
  SK_KERNEL(attention_capture_##type, AttentionCapture<T>) \
  SK_KERNEL(attention_kl_##type, AttentionKL<T>)           \
  SK_KERNEL(attention_diff_rows_##type, AttentionDiffRows<T>)
SK_ATTENTION_ROWS(f32, float)
SK_ATTENTION_ROWS(bf16, bf16)
SK_ATTENTION_ROWS(f16, f16)

} // namespace sk

#ifdef SK_LAUNCHERS

namespace sk {

static const SampledRow* row_table(sk_context* ctx, const sk_rows* rows, const int32_t* cu_seqlens,
                                   int64_t S) {
  std::vector<SampledRow> table;
  for (int64_t s = 0; s < S; s++)
    for (int32_t i = rows->row_start[s]; i < rows->row_start[s + 1]; i++)
      table.push_back({cu_seqlens[s], rows->pos[i], rows->prefix[i]});
  return upload(ctx, table);
}

Sampled sampled_rows(sk_context* ctx, const sk_rows* rows, const int32_t* cu_seqlens, int64_t S, int64_t NH,
                     float eps) {
  Sampled sampled{};
  if (!rows || rows->row_start[S] == 0 || rows->H == 0) return sampled;
  std::vector<int32_t> row_of(size_t(cu_seqlens[S]), -1), head_of(size_t(NH), -1);
  for (int64_t s = 0; s < S; s++)
    for (int32_t i = rows->row_start[s]; i < rows->row_start[s + 1]; i++)
      row_of[size_t(cu_seqlens[s] + rows->pos[i])] = i;
  for (int32_t i = 0; i < rows->H; i++) head_of[size_t(rows->heads[i])] = i;
  return {upload(ctx, row_of),
          upload(ctx, head_of),
          upload(ctx, rows->prefix, rows->row_start[S]),
          rows->weight,
          rows->p,
          nullptr,
          rows->H,
          eps};
}

void attention_kl(sk_context* ctx, double* kl, float* mean, const Sampled& sampled, const sk_rows* rows,
                  const float* qkv, const float* lse, const int32_t* cu_seqlens, int64_t S,
                  const HeadShape& a) {
  const SampledRow* table = row_table(ctx, rows, cu_seqlens, S);
  const int32_t* heads = upload(ctx, rows->heads, rows->H);
  dispatch_head(ctx, a.HS, [&](auto element, auto) {
    using T = decltype(element);
    launch(ctx, rows->row_start[S], rows->H, 32 * sizeof(double),
           AttentionKL<T>{kl, mean, as<T>(qkv), lse, table, heads, sampled, a, scale(a.HS)});
  });
}

namespace cuda {

int attention_capture(sk_context* ctx, const sk_rows* rows, const float* qkv, const float* lse,
                      const int32_t* cu_seqlens, int64_t S, int64_t NH, int64_t NKV, int64_t HS) {
  const SampledRow* table = row_table(ctx, rows, cu_seqlens, S);
  const int32_t* heads = upload(ctx, rows->heads, rows->H);
  return dispatch_head(ctx, HS, [&](auto element, auto) {
    using T = decltype(element);
    launch(ctx, rows->row_start[S], rows->H, 0,
           AttentionCapture<T>{rows->p, as<T>(qkv), lse, table, heads, {NH, NKV, HS}, rows->H, scale(HS)});
  });
}

} // namespace cuda

void attention_diff_rows(sk_context* ctx, double* parts, const Pair& x, const sk_rows* rows) {
  const SampledRow* table = row_table(ctx, rows, x.cu_seqlens, x.S);
  dispatch_head(ctx, x.a.HS, [&](auto element, auto) {
    using T = decltype(element);
    launch(ctx, rows->row_start[x.S], x.a.NH, 32 * sizeof(double),
           AttentionDiffRows<T>{parts,
                                {as<T>(x.qkv[0]), as<T>(x.qkv[1])},
                                {x.lse[0], x.lse[1]},
                                table,
                                rows->weight,
                                x.a,
                                scale(x.a.HS)});
  });
}

} // namespace sk
#endif
