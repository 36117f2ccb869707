// The second pass of attention_bwd: a block of keys collects dk and dv over its queries, of all query heads
// that share the key head.
#include "attention_bwd.h"

namespace sk {

// dv_j = sum_t A_tj do_t, dk_j = scale sum_t dS_tj q_t           A, dS as in attention_bwd_q.cu
// Here scores are transposed: keys are rows. Two warps share 16 MT keys, since neither has registers for both
// sums: one makes A of q and k, and dv; the other dA of do and v, dS with the A that it is handed through
// shared memory, and dk. Both run the same products, on other tiles.
// PAIRS of warps: 4, or 2 for devices that have no shared memory for more.
template <class T, int D, int PAIRS = 4> struct AttentionBwdKV {
  static constexpr int THREADS = 64 * PAIRS, MT = ROW_TILES<T>, BK = 16 * MT * PAIRS;
  static constexpr int BQ = sizeof(T) == 4 ? 8 * PAIRS : D > 64 ? 48 : 64, NT = BQ / 8;
  static constexpr int EXCHANGE = MT * NT * 32;           // Fours a pair
  static constexpr bool HELD = sizeof(T) == 2 && D <= 64; // the warp's keys or values stay in registers
  Backward x;
  const RowBlock* blocks;
  bool aligned;

  static constexpr int64_t TILES = int64_t(sizeof(T)) * D * (2 * BK + 4 * BQ); // bytes
  static constexpr int64_t shared_bytes() {
    return TILES + PAIRS * EXCHANGE * 16 + 4 * BQ * int64_t(sizeof(float));
  }

  struct alignas(16) Four {
    float x[4];
  };
  // A tile of queries: of head h, from position `first`.
  struct Place {
    int64_t h;
    int first;
  };

  SK_DEVICE void operator()() const {
    const RowBlock b = blocks[block_x()];
    const Attention& a = x.a;
    const int64_t kv = block_y(), row = a.row(), heads = (kv + 1) * a.group();
    const T* sequence = as<T>(a.qkv) + b.begin * row;
    // Behind the last query that sees the last key.
    const int last = least(b.first + BK, b.length) - 1, window = int(a.window),
              end = b.length - last <= window ? b.length : last + window;
    const Tile<T, D> k{shared<T>()}, v = k.below(BK), stages = v.below(BK);
    // [2][q, do] tiles, [PAIRS] A, [2][lse, delta][BQ]
    Four* exchange = shared<Four>(TILES) + warp() % PAIRS * EXCHANGE + lane();
    float* normals = shared<float>(TILES + PAIRS * EXCHANGE * 16);
    auto tile = [&](int stage, int which) { return stages.below((2 * stage + which) * BQ); };
    auto load = [&](int stage, const Place& p) {
      const int count = b.length - p.first;
      load_tile<BQ, THREADS>(tile(stage, 0), sequence + p.first * row + a.q(p.h), row, count, a.HS, aligned);
      load_tile<BQ, THREADS>(tile(stage, 1), as<T>(x.dout) + ((b.begin + p.first) * a.NH + p.h) * a.HS,
                             a.NH * a.HS, count, a.HS, aligned);
    };
    // What this thread brings of lse and delta: past the end A = 0.
    auto normal = [&](const Place& p) -> float {
      const int position = p.first + thread() % BQ;
      const int64_t n = (b.begin + position) * a.NH + p.h;
      if (thread() < BQ) return position < b.length ? exponent<T>(a.lse[n]) : INFINITY;
      return position < b.length && thread() < 2 * BQ ? x.delta[n] : 0;
    };

    load_tile<BK, THREADS>(k, sequence + b.first * row + a.k(kv), row, b.length - b.first, a.HS, aligned);
    load_tile<BK, THREADS>(v, sequence + b.first * row + a.v(kv), row, b.length - b.first, a.HS, aligned);
    Place now{kv * a.group(), b.first};
    load(0, now);
    cp_async_commit();
    if (thread() < 2 * BQ) normals[thread()] = normal(now);

    const int w = shuffle(warp(), 0); // which tells the compiler that all lanes agree
    const bool scores = w < PAIRS;    // mine are A and dv; the other's dS and dk
    const int t = lane() % 4, own = b.first + 16 * MT * (w % PAIRS), ahead = own + lane() / 4 - 2 * t;
    const float unit = exponent<T>(a.scale);
    std::conditional_t<HELD, Held<MT, T, D>, FromTile<T, D>> mine((scores ? k : v).below(own - b.first));
    if (HELD) {
      cp_async_wait<0>();
      barrier(); // keys and values are here
      mine.read();
    }
    float sum[MT][D / 8][4] = {};
    for (int stage = 0; now.h < heads; stage ^= 1) {
      cp_async_wait<0>();
      barrier(); // the tiles are here, and those before have been used
      const Place next = now.first + BQ < end ? Place{now.h, now.first + BQ} : Place{now.h + 1, b.first};
      float ahead_normal = 0;
      if (next.h < heads) load(stage ^ 1, next), ahead_normal = normal(next);
      cp_async_commit();

      float s[MT][NT][4] = {};
      product<MT, NT>(s, mine, tile(stage, !scores));
      if (scores) {
        // some keys come after some queries
        if (own + 16 * MT > now.first + 1) hide_transposed<AFTER>(s, ahead - now.first);
        // some have left the window of some
        if (now.first + BQ - window > own) hide_transposed<BEFORE>(s, ahead - now.first + window);
        probabilities(s, exchange, normals + 2 * stage * BQ, unit);
      }
      barrier(); // A is here
      if (!scores) {
        gradients(s, exchange, normals + (2 * stage + 1) * BQ);
        const int64_t index = x.queries.index(now.h);
        if (index >= 0) distil(s, exchange, b, index, own, now.first);
      }
      accumulate<MT, NT>(sum, s, tile(stage, scores));
      if (next.h < heads && thread() < 2 * BQ) normals[2 * (stage ^ 1) * BQ + thread()] = ahead_normal;
      now = next;
    }

    T* out = as<T>(x.dqkv) + (b.begin + own) * row + (scores ? a.v(kv) : a.k(kv));
    float factor[MT][2];
    SK_UNROLL
    for (int i = 0; i < 2 * MT; i++) factor[i / 2][i % 2] = scores ? 1 : a.scale;
    store_rows<MT, T, D>(out, row, b.length - own, a.HS, sum, factor);
  }

  template <Side SIDE> SK_DEVICE static void hide_transposed(float s[MT][NT][4], int ahead) {
    SK_UNROLL
    for (int m = 0; m < MT; m++) {
      SK_UNROLL
      for (int i = 0; i < 4 * NT; i++)
        if ((ahead + 16 * m + i % 4 / 2 * 8 > i / 4 * 8 + i % 2) == (SIDE == AFTER))
          s[m][i / 4][i % 4] = -INFINITY;
    }
  }

  // A of scores, kept and handed over.       shift [BQ]
  SK_DEVICE static void probabilities(float s[MT][NT][4], Four* exchange, const float* shift, float unit) {
    SK_UNROLL
    for (int n = 0; n < NT; n++) {
      const float mine[2] = {shift[8 * n + lane() % 4 * 2], shift[8 * n + lane() % 4 * 2 + 1]};
      SK_UNROLL
      for (int m = 0; m < MT; m++) {
        SK_UNROLL
        for (int i = 0; i < 4; i++) s[m][n][i] = power<T>(s[m][n][i], unit, mine[i % 2]);
        exchange[(m * NT + n) * 32] = {{s[m][n][0], s[m][n][1], s[m][n][2], s[m][n][3]}};
      }
    }
  }

  // dS of dA.       mean [BQ]
  SK_DEVICE static void gradients(float s[MT][NT][4], const Four* exchange, const float* mean) {
    SK_UNROLL
    for (int n = 0; n < NT; n++) {
      SK_UNROLL
      for (int m = 0; m < MT; m++) {
        const Four A = exchange[(m * NT + n) * 32];
        SK_UNROLL
        for (int i = 0; i < 4; i++) s[m][n][i] = A.x[i] * (s[m][n][i] - mean[8 * n + lane() % 4 * 2 + i % 2]);
      }
    }
  }

  // Adds the gradient of the KL of sampled queries to a tile of dS; the warp's keys from position `own`,
  // queries from `first`.
  SK_DEVICE void distil(float ds[MT][NT][4], const Four* exchange, const RowBlock& b, int64_t index, int own,
                        int first) const {
    const int g = lane() / 4, t = lane() % 4;
    SK_UNROLL
    for (int c = 0; c < 2 * NT; c++) {
      const int position = first + c / 2 * 8 + 2 * t + c % 2;
      const int query = position < b.length ? x.queries.query_of[b.begin + position] : -1;
      if (query < 0) continue;
      const Target target = x.queries.target(query, index, position);
      SK_UNROLL
      for (int r = 0; r < 2 * MT; r++) {
        const int key = own + 8 * r + g, i = r % 2 * 2 + c % 2;
        if (key <= position)
          ds[r / 2][c / 2][i] += target.gradient(exchange[(r / 2 * NT + c / 2) * 32].x[i], target.p[key]);
      }
    }
  }
};

#define SK_ATTENTION_BWD_KV(D)                                  \
  SK_KERNEL(attention_bwd_kv_f32_##D, AttentionBwdKV<float, D>) \
  SK_KERNEL(attention_bwd_kv_bf16_##D, AttentionBwdKV<bf16, D>) \
  SK_KERNEL(attention_bwd_kv_f16_##D, AttentionBwdKV<f16, D>)
SK_ATTENTION_BWD_KV(32)
SK_ATTENTION_BWD_KV(64)
SK_ATTENTION_BWD_KV(128)
SK_KERNEL(attention_bwd_kv_small_f32_128, AttentionBwdKV<float, 128, 2>)
SK_KERNEL(attention_bwd_kv_small_bf16_128, AttentionBwdKV<bf16, 128, 2>)
SK_KERNEL(attention_bwd_kv_small_f16_128, AttentionBwdKV<f16, 128, 2>)

} // namespace sk

#ifdef SK_LAUNCHERS

namespace sk {

template <class T, class K>
static void launch_tiles(sk_context* ctx, const Backward& x, const Sequences& in) {
  const std::vector<RowBlock> blocks = in.blocks(K::BK);
  launch(ctx, int64_t(blocks.size()), x.a.NKV, K::shared_bytes(), K{x, upload(ctx, blocks), aligned<T>(x)});
}

void attention_bwd_kv(sk_context* ctx, const Backward& x, const Sequences& in) {
  dispatch_head(ctx, x.a.HS, [&](auto element, auto width) {
    using T = decltype(element);
    using K = AttentionBwdKV<T, width.value>;
    if constexpr (width.value == 128)
      if (K::shared_bytes() > ctx->shared_limit)
        return launch_tiles<T, AttentionBwdKV<T, 128, 2>>(ctx, x, in);
    launch_tiles<T, K>(ctx, x, in);
  });
}

} // namespace sk
#endif
