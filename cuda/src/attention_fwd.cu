// attention_fwd: softmax(Q K^T / sqrt(HS)) V, causal, packed sequences, one tile of scores at a time.
#include "attention.cuh"

namespace sk {

// S_tj = scale q_t.k_j, lse_t = log sum_{j<=t} exp S_tj, o_t = sum_j exp(S_tj - lse_t) v_j           o [N,NH*HS], lse [N,NH]
// A block of threads is 64 queries of a head, a warp 16 of them. Tiles of BK keys and values arrive while the one before is multiplied.
// Scores stay in registers.
template <class T, int D> struct AttentionFwd {
  static constexpr int THREADS = 128, BQ = 64, BK = sizeof(T) * D > 256 ? 32 : 64, NT = BK / 8;
  T* o;
  float* lse;
  const T* qkv;
  const RowBlock* blocks;
  HeadShape a;
  float scale;
  bool aligned;

  static constexpr int64_t shared_bytes() { return int64_t(sizeof(T)) * D * (BQ + 4 * BK); }

  SK_DEVICE void operator()() const {
    const RowBlock b = blocks[block_x()];
    const int64_t h = block_y(), kv = h / a.group(), row = a.row();
    const T* sequence = qkv + b.begin * row;
    T* memory = shared<T>();
    const Tile<T, D> q{memory};
    const int last = int(least<int64_t>(b.first + BQ, b.length)) - 1; // position
    auto tile = [&](int stage, int which) { return Tile<T, D>{memory + (BQ + (2 * stage + which) * BK) * D}; };
    auto load = [&](int stage, int j) {
      const T* keys = sequence + j * row;
      load_tile<BK, THREADS>(tile(stage, 0), keys + a.k(kv), row, last + 1 - j, a.HS, aligned);
      load_tile<BK, THREADS>(tile(stage, 1), keys + a.v(kv), row, last + 1 - j, a.HS, aligned);
    };

    load_tile<BQ, THREADS>(q, sequence + b.first * row + a.q(h), row, last + 1 - b.first, a.HS, aligned);
    load(0, 0);
    cp_async_commit();

    const int g = lane() / 4, t = lane() % 4, mine = b.first + 16 * warp() + g; // position of my first row, mine + 8 of my second
    float out[D / 8][4] = {}, top[2] = {-INFINITY, -INFINITY}, sum[2] = {0, 0};
    for (int j = 0, stage = 0; j <= last; j += BK, stage ^= 1) {
      if (j + BK <= last) load(stage ^ 1, j + BK);
      cp_async_commit();
      cp_async_wait<1>();
      barrier();

      float s[NT][4];
      product<NT>(s, q, 16 * warp(), tile(stage, 0));
      float high[2] = {top[0], top[1]};
      SK_UNROLL
      for (int n = 0; n < NT; n++) {
        SK_UNROLL
        for (int i = 0; i < 4; i++) {
          const int key = j + 8 * n + 2 * t + i % 2;
          s[n][i] = key <= mine + i / 2 * 8 ? s[n][i] * scale : -INFINITY;
          high[i / 2] = larger(high[i / 2], s[n][i]);
        }
      }
      SK_UNROLL
      for (int r = 0; r < 2; r++) {
        high[r] = row_max(high[r]);
        const float shrink = fast_exp(top[r] - high[r]); // 0 at first
        top[r] = high[r];
        sum[r] *= shrink;
        SK_UNROLL
        for (int n = 0; n < D / 8; n++) out[n][2 * r] *= shrink, out[n][2 * r + 1] *= shrink;
      }
      SK_UNROLL
      for (int n = 0; n < NT; n++) {
        SK_UNROLL
        for (int i = 0; i < 4; i++) sum[i / 2] += s[n][i] = fast_exp(s[n][i] - top[i / 2]);
      }
      accumulate<NT>(out, s, tile(stage, 1));
      barrier(); // the stage may be overwritten
    }

    const int64_t begin = b.begin + b.first + 16 * warp(), count = last + 1 - b.first - 16 * warp();
    sum[0] = row_sum(sum[0]), sum[1] = row_sum(sum[1]);
    store_rows<T, D>(o + (begin * a.NH + h) * a.HS, a.NH * a.HS, count, a.HS, out, 1 / sum[0], 1 / sum[1]);
    for (int r = 0; r < 2; r++)
      if (t == 0 && g + 8 * r < count) lse[(begin + g + 8 * r) * a.NH + h] = top[r] + exact_log(sum[r]);
  }
};

#define SK_ATTENTION_FWD(D)                                                                                            \
  SK_KERNEL(attention_fwd_f32_##D, AttentionFwd<float, D>)                                                             \
  SK_KERNEL(attention_fwd_bf16_##D, AttentionFwd<bf16, D>)                                                             \
  SK_KERNEL(attention_fwd_f16_##D, AttentionFwd<f16, D>)
SK_ATTENTION_FWD(32)
SK_ATTENTION_FWD(64)
SK_ATTENTION_FWD(128)

} // namespace sk

#ifdef SK_LAUNCHERS
#include "attention_launch.h"

namespace sk {
namespace cuda {

int attention_fwd(sk_context* ctx, float* o, float* lse, const float* qkv, const int32_t* cu_seqlens, int64_t S, int64_t NH,
                  int64_t NKV, int64_t HS) {
  const std::vector<RowBlock> blocks = row_blocks(cu_seqlens, S, 64);
  const RowBlock* table = upload(ctx, blocks);
  return dispatch_head(ctx, HS, [&](auto element, auto width) {
    using T = decltype(element);
    using K = AttentionFwd<T, width.value>;
    launch(ctx, int64_t(blocks.size()), NH, K::shared_bytes(),
           K{as<T>(o), lse, as<T>(qkv), table, {NH, NKV, HS}, scale(HS), aligned<T>(qkv, HS)});
  });
}

} // namespace cuda
} // namespace sk
#endif
