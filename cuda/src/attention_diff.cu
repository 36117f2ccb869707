// attention_diff: how far two models' attention is apart.
#include "attention_rows.h"

namespace sk {

// parts[block,h] = sum_{j<=t} (A_tj - A'_tj)^2 over BQ rows t of two models.
// One model's keys arrive while the other's are multiplied.
template <class T, int D> struct AttentionDiff {
  static constexpr int THREADS = 128, MT = ROW_TILES<T>, BQ = 64 * MT, BK = D > 64 ? 32 : 64, NT = BK / 8;
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
    const Tile<T, D> q0{shared<T>()}, q1 = q0.below(BQ), k0 = q1.below(BQ), k1 = k0.below(BK);
    const int last = least(b.first + BQ, b.length) - 1, count = last + 1 - b.first;
    auto load = [&](const Tile<T, D>& tile, int m, int j) {
      load_tile<BK, THREADS>(tile, qkv[m] + (b.begin + j) * row + a.k(kv), row, last + 1 - j, a.HS, aligned);
      cp_async_commit();
    };
    load_tile<BQ, THREADS>(q0, qkv[0] + (b.begin + b.first) * row + a.q(h), row, count, a.HS, aligned);
    load_tile<BQ, THREADS>(q1, qkv[1] + (b.begin + b.first) * row + a.q(h), row, count, a.HS, aligned);
    load(k0, 0, 0);

    const int w = shuffle(warp(), 0); // which tells the compiler that all lanes agree
    const int g = lane() / 4, t = lane() % 4, own = b.first + 16 * MT * w;
    const FromTile<T, D> queries0(q0.below(16 * MT * w)), queries1(q1.below(16 * MT * w));
    const float unit = exponent<T>(scale);
    float shift[2][MT][2]; // of rows that are not there: A = 0
    SK_UNROLL
    for (int i = 0; i < 4 * MT; i++) {
      const int position = own + i / 2 * 8 + g;
      shift[i % 2][i / 4][i / 2 % 2] =
          position <= last ? exponent<T>(lse[i % 2][(b.begin + position) * a.NH + h]) : INFINITY;
    }
    double sum = 0;
    for (int j = 0; j <= last; j += BK) {
      float A[MT][NT][4] = {}, s[MT][NT][4] = {};
      cp_async_wait<0>();
      barrier(); // the first model's keys are here, and the second's before have been used
      load(k1, 1, j);
      product<MT, NT>(A, queries0, k0);
      cp_async_wait<0>();
      barrier(); // and the other way round
      if (j + BK <= last) load(k0, 0, j + BK);
      product<MT, NT>(s, queries1, k1);
      if (j + BK > own + 1) { // some keys come after some queries
        hide<MT, NT>(A, j + 2 * t - own - g);
        hide<MT, NT>(s, j + 2 * t - own - g);
      }
      float squares = 0;
      SK_UNROLL
      for (int m = 0; m < MT; m++) {
        SK_UNROLL
        for (int i = 0; i < 4 * NT; i++) {
          const int r = i % 4 / 2;
          const float d = power<T>(A[m][i / 4][i % 4], unit, shift[0][m][r]) -
                          power<T>(s[m][i / 4][i % 4], unit, shift[1][m][r]);
          squares += d * d;
        }
      }
      sum += double(squares);
    }
    sum = block_sum<THREADS>(sum, shared<double>());
    if (thread() == 0) parts[block_x() * a.NH + h] = sum;
  }
};

#define SK_ATTENTION_DIFF(D)                                 \
  SK_KERNEL(attention_diff_f32_##D, AttentionDiff<float, D>) \
  SK_KERNEL(attention_diff_bf16_##D, AttentionDiff<bf16, D>) \
  SK_KERNEL(attention_diff_f16_##D, AttentionDiff<f16, D>)
SK_ATTENTION_DIFF(32)
SK_ATTENTION_DIFF(64)
SK_ATTENTION_DIFF(128)

} // namespace sk

#ifdef SK_LAUNCHERS
#include "sum_parts.h"

namespace sk {
namespace cuda {

int attention_diff(sk_context* ctx, double* diff, const float* qkv, const float* lse, const float* qkv2,
                   const float* lse2, const int32_t* cu_seqlens, int64_t S, int64_t NH, int64_t NKV,
                   int64_t HS, const sk_rows* rows) {
  const int64_t B = rows ? rows->row_start[S] : first_blocks(cu_seqlens, S, 64).back(); // at most
  double *sums = reinterpret_cast<double*>(device_scratch(ctx, (S + B) * NH * int64_t(sizeof(double)))),
         *parts = sums + S * NH;
  const HeadShape a{NH, NKV, HS};
  if (rows) {
    attention_diff_rows(ctx, parts, {{qkv, qkv2}, {lse, lse2}, cu_seqlens, S, a}, rows);
    sum_parts(ctx, sums, parts, std::vector<int32_t>(rows->row_start, rows->row_start + S + 1), NH);
  } else {
    dispatch_head(ctx, HS, [&](auto element, auto width) {
      using T = decltype(element);
      using K = AttentionDiff<T, width.value>;
      const std::vector<RowBlock> blocks = row_blocks(cu_seqlens, S, K::BQ);
      launch(ctx, int64_t(blocks.size()), NH, K::shared_bytes(),
             K{parts,
               {as<T>(qkv), as<T>(qkv2)},
               {lse, lse2},
               upload(ctx, blocks),
               a,
               scale(HS),
               aligned<T>(qkv, HS) && aligned<T>(qkv2, HS)});
      sum_parts(ctx, sums, parts, first_blocks(cu_seqlens, S, K::BQ), NH);
    });
  }
  download(ctx, diff, sums, S * NH * int64_t(sizeof(double)));
  return 0;
}

} // namespace cuda
} // namespace sk
#endif
