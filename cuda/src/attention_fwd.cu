// attention_fwd: softmax(scale Q K^T) V, causal, packed sequences, one tile of scores at a time.
#include "attention.cuh"

namespace sk {

// A block of threads is BQ queries of a head, a warp 16 MT of them. Values arrive while scores are made, the
// next keys while values are multiplied. Scores stay in registers.
template <class T, int D> struct AttentionFwd {
  static constexpr int THREADS = 128, MT = ROW_TILES<T>, BQ = 64 * MT;
  static constexpr int BK = sizeof(T) == 4 ? 32 : D > 64 ? 48 : 64, NT = BK / 8;
  Attention a;
  const RowBlock* blocks;
  bool aligned;

  static constexpr int64_t shared_bytes() { return int64_t(sizeof(T)) * D * (BQ + 2 * BK); }

  SK_DEVICE void operator()() const {
    const RowBlock b = blocks[block_x()];
    const int64_t h = block_y(), kv = h / a.group(), row = a.row();
    const T* sequence = as<T>(a.qkv) + b.begin * row;
    const Tile<T, D> q{shared<T>()}, k = q.below(BQ), v = k.below(BK);
    const int last = least(b.first + BQ, b.length) - 1; // position
    const int begin = a.first_key(b.first), window = int(a.window);
    load_tile<BQ, THREADS>(q, sequence + b.first * row + a.q(h), row, last + 1 - b.first, a.HS, aligned);
    load_tile<BK, THREADS>(k, sequence + begin * row + a.k(kv), row, last + 1 - begin, a.HS, aligned);
    cp_async_commit();

    const int w = shuffle(warp(), 0); // which tells the compiler that all lanes agree
    const int g = lane() / 4, t = lane() % 4, own = b.first + 16 * MT * w; // position of my warp's first row
    const FromTile<T, D> queries(q.below(16 * MT * w));
    const float unit = exponent<T>(a.scale);
    float out[MT][D / 8][4] = {}, top[MT][2], sum[MT][2];
    SK_UNROLL
    for (int r = 0; r < 2 * MT; r++) top[r / 2][r % 2] = -INFINITY, sum[r / 2][r % 2] = 0;
    for (int j = begin; j <= last; j += BK) {
      cp_async_wait<0>();
      barrier(); // keys are here, and the values before have been used
      load_tile<BK, THREADS>(v, sequence + j * row + a.v(kv), row, last + 1 - j, a.HS, aligned);
      cp_async_commit();
      float s[MT][NT][4] = {};
      product<MT, NT>(s, queries, k);
      cp_async_wait<0>();
      barrier(); // values are here, and the keys have been used
      if (j + BK <= last)
        load_tile<BK, THREADS>(k, sequence + (j + BK) * row + a.k(kv), row, last + 1 - j - BK, a.HS, aligned);
      cp_async_commit();
      if (j + BK > own + 1) hide<AFTER>(s, j + 2 * t - own - g); // some keys come after some queries
      // some have left the window of some
      if (own + 16 * MT - window > j) hide<BEFORE>(s, j + 2 * t - own - g + window);
      SK_UNROLL
      for (int m = 0; m < MT; m++) {
        SK_UNROLL
        for (int r = 0; r < 2; r++) {
          float high = s[m][0][2 * r];
          SK_UNROLL
          for (int n = 0; n < NT; n++) high = larger(high, larger(s[m][n][2 * r], s[m][n][2 * r + 1]));
          high = row_max(high);
          if ((high - top[m][r]) * unit > SLACK) rescale(out[m], sum[m][r], top[m][r], high, unit, r);
          const float shift = top[m][r] == -INFINITY ? 0 : top[m][r] * unit; // no key of this tile is seen
          SK_UNROLL
          for (int n = 0; n < NT; n++) {
            SK_UNROLL
            for (int i = 2 * r; i < 2 * r + 2; i++)
              sum[m][r] += s[m][n][i] = power<T>(s[m][n][i], unit, shift);
          }
        }
      }
      accumulate<MT, NT>(out, s, v);
    }

    const int64_t token = b.begin + own;
    const int count = last + 1 - own;
    SK_UNROLL
    for (int m = 0; m < MT; m++) {
      SK_UNROLL
      for (int r = 0; r < 2; r++) {
        const float total = row_sum(sum[m][r]);
        const int mine = 16 * m + g + 8 * r;
        if (t == 0 && mine < count)
          a.lse[(token + mine) * a.NH + h] = natural<T>(top[m][r] * unit) + exact_log(total);
        sum[m][r] = 1 / total;
      }
    }
    store_rows<MT, T, D>(as<T>(a.o) + (token * a.NH + h) * a.HS, a.NH * a.HS, count, a.HS, out, sum);
  }

  // A row's sums are relative to the exponential of `top`, its largest score when it was last looked for.
  // They are left as they are while no exponent is larger by more than SLACK, which after the first tiles is
  // the rule.
  static constexpr float SLACK = 5;
  SK_DEVICE static void rescale(float out[D / 8][4], float& sum, float& top, float high, float unit, int r) {
    const float shrink = power<T>(top, unit, high * unit); // 0 at first
    top = high;
    sum *= shrink;
    SK_UNROLL
    for (int n = 0; n < D / 8; n++) out[n][2 * r] *= shrink, out[n][2 * r + 1] *= shrink;
  }
};

#define SK_ATTENTION_FWD(D)                                \
  SK_KERNEL(attention_fwd_f32_##D, AttentionFwd<float, D>) \
  SK_KERNEL(attention_fwd_bf16_##D, AttentionFwd<bf16, D>) \
  SK_KERNEL(attention_fwd_f16_##D, AttentionFwd<f16, D>)
SK_ATTENTION_FWD(32)
SK_ATTENTION_FWD(64)
SK_ATTENTION_FWD(128)

} // namespace sk

#ifdef SK_LAUNCHERS
#include "attention_launch.h"

namespace sk {
namespace cuda {

int attention_fwd(sk_context* ctx, const sk_attention* a) {
  return dispatch_head(ctx, a->HS, [&](auto element, auto width) {
    using T = decltype(element);
    using K = AttentionFwd<T, width.value>;
    const std::vector<RowBlock> blocks = Sequences(*a).blocks(K::BQ);
    launch(ctx, int64_t(blocks.size()), a->NH, K::shared_bytes(),
           K{for_device(*a), upload(ctx, blocks), aligned<T>(a->qkv, a->HS)});
  });
}

} // namespace cuda
} // namespace sk
#endif
