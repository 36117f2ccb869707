// attention_capture, attention_diff, and what distillation with log(A + eps) must know of a row beforehand.
#include "attention_rows.h"

namespace sk {

// q.k of one key by a warp.   q [HS] floats in shared memory
template <class T> SK_DEVICE float dot(const float* q, const T* k, int64_t HS) {
  float sum = 0;
  for (int64_t i = lane(); i < HS; i += 32) sum += q[i] * to_float(k[i]);
  return warp_sum(sum);
}

// Brings the queries of a row into shared memory, as floats.
template <int THREADS, class T> SK_DEVICE void load_query(float* to, const T* q, int64_t HS) {
  for (int64_t i = thread(); i < HS; i += THREADS) to[i] = to_float(q[i]);
  barrier();
}

// p = A_tj = exp(S_tj - lse_t) of sampled rows and selected heads.  A block is a row and a head, a warp takes every fourth key.
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
    float* q = shared<float>();
    load_query<THREADS>(q, qkv + n * a.row() + a.q(h), a.HS);
    float* out = p + H * row.prefix + block_y() * (row.position + 1);
    const float normal = lse[n * a.NH + h];
    for (int64_t j = warp(); j <= row.position; j += THREADS / 32) {
      const float s = dot(q, qkv + (row.begin + j) * a.row() + a.k(h / a.group()), a.HS) * scale;
      if (lane() == 0) out[j] = exact_exp(s - normal);
    }
  }
};

// mean[i,index] = sum_j A_j g_j = sum_j A_j P_j / (A_j + eps)
template <class T> struct AttentionMean {
  static constexpr int THREADS = 128;
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
    float* q = shared<float>();
    load_query<THREADS>(q, qkv + n * a.row() + a.q(h), a.HS);
    const float* stored = sampled.stored(block_x(), block_y(), row.position);
    const float normal = lse[n * a.NH + h];
    double sum = 0;
    for (int64_t j = warp(); j <= row.position; j += THREADS / 32) {
      const float s = dot(q, qkv + (row.begin + j) * a.row() + a.k(h / a.group()), a.HS) * scale, A = exact_exp(s - normal);
      if (lane() == 0) sum += double(A * (stored[j] / (A + sampled.eps)));
    }
    sum = block_sum<THREADS>(sum, shared<double>(a.HS * 8));
    if (thread() == 0) mean[block_x() * sampled.H + block_y()] = float(sum);
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
    const int64_t h = block_y(), n = row.begin + row.position, kv = h / a.group();
    float* q = shared<float>();
    load_query<THREADS>(q, qkv[0] + n * a.row() + a.q(h), a.HS);
    load_query<THREADS>(q + a.HS, qkv[1] + n * a.row() + a.q(h), a.HS);
    double sum = 0;
    for (int64_t j = warp(); j <= row.position; j += THREADS / 32) {
      float A[2];
      for (int m = 0; m < 2; m++) {
        const float s = dot(q + m * a.HS, qkv[m] + (row.begin + j) * a.row() + a.k(kv), a.HS) * scale;
        A[m] = exact_exp(s - lse[m][n * a.NH + h]);
      }
      const double d = double(A[0] - A[1]);
      if (lane() == 0) sum += d * d;
    }
    sum = block_sum<THREADS>(sum, shared<double>(a.HS * 8));
    if (thread() == 0) parts[block_x() * a.NH + h] = sum * double(weight[block_x()]);
  }
};

// parts[block,h] = sum_{j<=t} (A_tj - A'_tj)^2 over 64 rows t of two models.
template <class T, int D> struct AttentionDiff {
  static constexpr int THREADS = 128, BQ = 64, BK = sizeof(T) * D > 256 ? 32 : 64, NT = BK / 8;
  double* parts;
  const T* qkv[2];
  const float* lse[2];
  const RowBlock* blocks;
  HeadShape a;
  float scale;
  bool aligned;

  static constexpr int64_t shared_bytes() { return int64_t(sizeof(T)) * D * 2 * (BQ + BK); }

  SK_DEVICE void operator()() const {
    const RowBlock b = blocks[block_x()];
    const int64_t h = block_y(), kv = h / a.group(), row = a.row();
    T* memory = shared<T>();
    const Tile<T, D> q[2] = {{memory}, {memory + BQ * D}}, k[2] = {{memory + 2 * BQ * D}, {memory + (2 * BQ + BK) * D}};
    const int last = int(least<int64_t>(b.first + BQ, b.length)) - 1, g = lane() / 4, t = lane() % 4;
    const int64_t begin = b.begin + b.first, count = last + 1 - b.first;
    int position[2];
    float normal[2][2];
    SK_UNROLL
    for (int r = 0; r < 2; r++) {
      const int mine = 16 * warp() + g + 8 * r;
      position[r] = mine < count ? b.first + mine : -1;
      SK_UNROLL
      for (int m = 0; m < 2; m++) normal[m][r] = lse[m][(begin + (mine < count ? mine : 0)) * a.NH + h];
    }
    SK_UNROLL
    for (int m = 0; m < 2; m++) load_tile<BQ, THREADS>(q[m], qkv[m] + begin * row + a.q(h), row, count, a.HS, aligned);
    double sum = 0;
    for (int j = 0; j <= last; j += BK) {
      SK_UNROLL
      for (int m = 0; m < 2; m++)
        load_tile<BK, THREADS>(k[m], qkv[m] + (b.begin + j) * row + a.k(kv), row, last + 1 - j, a.HS, aligned);
      cp_async_commit();
      cp_async_wait<0>();
      barrier();
      float s[2][NT][4], squares = 0;
      SK_UNROLL
      for (int m = 0; m < 2; m++) product<NT>(s[m], q[m], 16 * warp(), k[m]);
      SK_UNROLL
      for (int n = 0; n < NT; n++) {
        SK_UNROLL
        for (int i = 0; i < 4; i++) {
          const float d = fast_exp(s[0][n][i] * scale - normal[0][i / 2]) - fast_exp(s[1][n][i] * scale - normal[1][i / 2]);
          if (j + 8 * n + 2 * t + i % 2 <= position[i / 2]) squares += d * d;
        }
      }
      sum += double(squares);
      barrier();
    }
    sum = block_sum<THREADS>(sum, shared<double>());
    if (thread() == 0) parts[block_x() * a.NH + h] = sum;
  }
};

#define SK_ATTENTION_ROWS(type, T)                                                                                     \
  SK_KERNEL(attention_capture_##type, AttentionCapture<T>)                                                             \
  SK_KERNEL(attention_mean_##type, AttentionMean<T>)                                                                   \
  SK_KERNEL(attention_diff_rows_##type, AttentionDiffRows<T>)                                                          \
  SK_KERNEL(attention_diff_##type##_32, AttentionDiff<T, 32>)                                                          \
  SK_KERNEL(attention_diff_##type##_64, AttentionDiff<T, 64>)                                                          \
  SK_KERNEL(attention_diff_##type##_128, AttentionDiff<T, 128>)
SK_ATTENTION_ROWS(f32, float)
SK_ATTENTION_ROWS(bf16, bf16)
SK_ATTENTION_ROWS(f16, f16)

} // namespace sk

#ifdef SK_LAUNCHERS
#include "sum_parts.h"

namespace sk {

static int64_t row_bytes(int64_t HS) { return 2 * HS * int64_t(sizeof(float)) + 32 * int64_t(sizeof(double)); }

static const SampledRow* row_table(sk_context* ctx, const sk_rows* rows, const int32_t* cu_seqlens, int64_t S) {
  std::vector<SampledRow> table;
  for (int64_t s = 0; s < S; s++)
    for (int32_t i = rows->row_start[s]; i < rows->row_start[s + 1]; i++)
      table.push_back({cu_seqlens[s], rows->pos[i], rows->prefix[i]});
  return upload(ctx, table);
}

Sampled sampled_rows(sk_context* ctx, const sk_rows* rows, const int32_t* cu_seqlens, int64_t S, int64_t NH, float eps) {
  Sampled sampled{};
  if (!rows || rows->row_start[S] == 0 || rows->H == 0) return sampled;
  std::vector<int32_t> row_of(size_t(cu_seqlens[S]), -1), head_of(size_t(NH), -1);
  for (int64_t s = 0; s < S; s++)
    for (int32_t i = rows->row_start[s]; i < rows->row_start[s + 1]; i++) row_of[size_t(cu_seqlens[s] + rows->pos[i])] = i;
  for (int32_t i = 0; i < rows->H; i++) head_of[size_t(rows->heads[i])] = i;
  return {upload(ctx, row_of), upload(ctx, head_of), upload(ctx, rows->prefix, rows->row_start[S]), rows->weight, rows->p,
          nullptr, rows->H, eps};
}

template <class T>
void attention_mean(sk_context* ctx, float* mean, const Sampled& sampled, const sk_rows* rows, const T* qkv, const float* lse,
                    const int32_t* cu_seqlens, int64_t S, const HeadShape& a) {
  launch(ctx, rows->row_start[S], rows->H, row_bytes(a.HS),
         AttentionMean<T>{mean, qkv, lse, row_table(ctx, rows, cu_seqlens, S), upload(ctx, rows->heads, rows->H), sampled, a,
                          scale(a.HS)});
}
template void attention_mean(sk_context*, float*, const Sampled&, const sk_rows*, const float*, const float*, const int32_t*,
                             int64_t, const HeadShape&);
template void attention_mean(sk_context*, float*, const Sampled&, const sk_rows*, const bf16*, const float*, const int32_t*,
                             int64_t, const HeadShape&);
template void attention_mean(sk_context*, float*, const Sampled&, const sk_rows*, const f16*, const float*, const int32_t*,
                             int64_t, const HeadShape&);

namespace cuda {

int attention_capture(sk_context* ctx, const sk_rows* rows, const float* qkv, const float* lse, const int32_t* cu_seqlens,
                      int64_t S, int64_t NH, int64_t NKV, int64_t HS) {
  const SampledRow* table = row_table(ctx, rows, cu_seqlens, S);
  const int32_t* heads = upload(ctx, rows->heads, rows->H);
  return dispatch(ctx, [&](auto element) {
    using T = decltype(element);
    launch(ctx, rows->row_start[S], rows->H, row_bytes(HS),
           AttentionCapture<T>{rows->p, as<T>(qkv), lse, table, heads, {NH, NKV, HS}, rows->H, scale(HS)});
  });
}

int attention_diff(sk_context* ctx, double* diff, const float* qkv, const float* lse, const float* qkv2, const float* lse2,
                   const int32_t* cu_seqlens, int64_t S, int64_t NH, int64_t NKV, int64_t HS, const sk_rows* rows) {
  const std::vector<RowBlock> blocks = row_blocks(cu_seqlens, S, 64);
  const int64_t B = rows ? rows->row_start[S] : int64_t(blocks.size());
  const HeadShape a{NH, NKV, HS};
  double* parts = reinterpret_cast<double*>(device_scratch(ctx, (B + S) * NH * int64_t(sizeof(double))));
  if (rows) {
    const SampledRow* table = row_table(ctx, rows, cu_seqlens, S);
    dispatch(ctx, [&](auto element) {
      using T = decltype(element);
      launch(ctx, B, NH, row_bytes(HS),
             AttentionDiffRows<T>{parts, {as<T>(qkv), as<T>(qkv2)}, {lse, lse2}, table, rows->weight, a, scale(HS)});
    });
    sum_parts(ctx, parts + B * NH, parts, std::vector<int32_t>(rows->row_start, rows->row_start + S + 1), NH);
  } else {
    const RowBlock* table = upload(ctx, blocks);
    dispatch_head(ctx, HS, [&](auto element, auto width) {
      using T = decltype(element);
      using K = AttentionDiff<T, width.value>;
      const bool vectors = aligned<T>(qkv, HS) && aligned<T>(qkv2, HS);
      launch(ctx, B, NH, K::shared_bytes(),
             K{parts, {as<T>(qkv), as<T>(qkv2)}, {lse, lse2}, table, a, scale(HS), vectors});
    });
    sum_parts(ctx, parts + B * NH, parts, first_blocks(cu_seqlens, S, 64), NH);
  }
  download(ctx, diff, parts + B * NH, S * NH * int64_t(sizeof(double)));
  return 0;
}

} // namespace cuda
} // namespace sk
#endif
