// attention_diff: how far two models' attention is apart.
#include "attention_queries.h"

namespace sk {

// parts[block,h] = sum over BQ queries t, and the keys they see, of (A_tj - A'_tj)^2.
// One model's keys arrive while the other's are multiplied.
template <class T, int D> struct AttentionDiff {
  static constexpr int THREADS = 128, MT = ROW_TILES<T>, BQ = 64 * MT, BK = D > 64 ? 32 : 64, NT = BK / 8;
  Change x;
  const RowBlock* blocks;
  bool aligned;

  static constexpr int64_t shared_bytes() { return int64_t(sizeof(T)) * D * 2 * (BQ + BK); }

  SK_DEVICE void operator()() const {
    const RowBlock b = blocks[block_x()];
    const Attention& a = x.a;
    const T* const qkv[2] = {as<T>(a.qkv), as<T>(x.qkv2)};
    const int64_t h = block_y(), kv = h / a.group(), row = a.row();
    const Tile<T, D> q0{shared<T>()}, q1 = q0.below(BQ), k0 = q1.below(BQ), k1 = k0.below(BK);
    const int last = least(b.first + BQ, b.length) - 1, count = last + 1 - b.first;
    const int begin = a.first_key(b.first), window = int(a.window);
    auto load = [&](const Tile<T, D>& tile, int m, int j) {
      load_tile<BK, THREADS>(tile, qkv[m] + (b.begin + j) * row + a.k(kv), row, last + 1 - j, a.HS, aligned);
      cp_async_commit();
    };
    load_tile<BQ, THREADS>(q0, qkv[0] + (b.begin + b.first) * row + a.q(h), row, count, a.HS, aligned);
    load_tile<BQ, THREADS>(q1, qkv[1] + (b.begin + b.first) * row + a.q(h), row, count, a.HS, aligned);
    load(k0, 0, begin);

    const int w = shuffle(warp(), 0); // which tells the compiler that all lanes agree
    const int g = lane() / 4, t = lane() % 4, own = b.first + 16 * MT * w;
    const FromTile<T, D> queries0(q0.below(16 * MT * w)), queries1(q1.below(16 * MT * w));
    const float unit = exponent<T>(a.scale);
    float shift[2][MT][2]; // of queries that are not there: A = 0
    SK_UNROLL
    for (int i = 0; i < 4 * MT; i++) {
      const int position = own + i / 2 * 8 + g;
      shift[i % 2][i / 4][i / 2 % 2] =
          position <= last ? exponent<T>((i % 2 ? x.lse2 : a.lse)[(b.begin + position) * a.NH + h])
                           : INFINITY;
    }
    double sum = 0;
    for (int j = begin; j <= last; j += BK) {
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
        hide<AFTER>(A, j + 2 * t - own - g);
        hide<AFTER>(s, j + 2 * t - own - g);
      }
      if (own + 16 * MT - window > j) { // some have left the window of some
        hide<BEFORE>(A, j + 2 * t - own - g + window);
        hide<BEFORE>(s, j + 2 * t - own - g + window);
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
    if (thread() == 0) x.parts[block_x() * a.NH + h] = sum;
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

int attention_diff(sk_context* ctx, const sk_attention_change* a) {
  const sk_attention& of = a->of;
  const Sequences in(of);
  const int32_t* start = a->queries.row_start;
  const int64_t B = start ? start[of.S] : in.first_blocks(64).back(); // at most
  double* sums = reinterpret_cast<double*>(device_scratch(ctx, (of.S + B) * of.NH * int64_t(sizeof(double))));
  const Change x{for_device(of), a->qkv2, a->lse2, sums + of.S * of.NH};
  if (start) {
    attention_diff_queries(ctx, x, a->queries, of);
    sum_parts(ctx, sums, x.parts, std::vector<int32_t>(start, start + of.S + 1), of.NH);
  } else {
    dispatch_head(ctx, of.HS, [&](auto element, auto width) {
      using T = decltype(element);
      using K = AttentionDiff<T, width.value>;
      const std::vector<RowBlock> blocks = in.blocks(K::BQ);
      launch(ctx, int64_t(blocks.size()), of.NH, K::shared_bytes(),
             K{x, upload(ctx, blocks), aligned<T>(of.qkv, of.HS) && aligned<T>(a->qkv2, of.HS)});
      sum_parts(ctx, sums, x.parts, in.first_blocks(K::BQ), of.NH);
    });
  }
  download(ctx, a->diff, sums, of.S * of.NH * int64_t(sizeof(double)));
  return 0;
}

} // namespace cuda
} // namespace sk
#endif
