// attention_bwd: the gradient of attention, with the sensitivity and the distillation of sampled rows read off the same tiles.
// Two passes, each over all tiles: one block of queries collects dq over its keys, one block of keys dk and dv over its queries. Nothing is
// added across blocks, so no sum depends on who comes first.
#include "attention.cuh"

namespace sk {

// delta_t = do_t.o_t            dout, o [N,NH*HS], delta [N,NH].  A warp is a token and head.
template <class T> struct AttentionDelta {
  static constexpr int THREADS = 128;
  float* delta;
  const T *dout, *o;
  int64_t rows, HS; // rows: N*NH

  SK_DEVICE void operator()() const {
    const int64_t row = block_x() * 4 + warp();
    if (row >= rows) return;
    float sum = 0;
    for (int64_t i = lane(); i < HS; i += 32) sum += to_float(dout[row * HS + i]) * to_float(o[row * HS + i]);
    sum = warp_sum(sum);
    if (lane() == 0) delta[row] = sum;
  }
};

// dA_tj = do_t.v_j, dS_tj = A_tj (dA_tj - delta_t) + what distillation adds, dq_t = scale sum_j dS_tj k_j
// sens[block,h] = sum_{j<=t} dA_tj^2 (or null), kl [R,H] = KL of the sampled rows.
// A block of threads is 64 queries of a head, a warp 16 of them.
template <class T, int D> struct AttentionBwdQ {
  static constexpr int THREADS = 128, BQ = 64, BK = sizeof(T) * D > 256 ? 32 : 64, NT = BK / 8;
  T* dqkv;
  double *sens, *kl;
  const T *dout, *qkv;
  const float *lse, *delta;
  const RowBlock* blocks;
  HeadShape a;
  Sampled rows;
  float scale;
  bool aligned;

  static constexpr int64_t shared_bytes() { return int64_t(sizeof(T)) * D * (2 * BQ + 4 * BK); }

  SK_DEVICE void operator()() const {
    const RowBlock b = blocks[block_x()];
    const int64_t h = block_y(), kv = h / a.group(), row = a.row(), begin = b.begin + b.first;
    const T* sequence = qkv + b.begin * row;
    T* memory = shared<T>();
    const Tile<T, D> q{memory}, d{memory + BQ * D};
    const int last = int(least<int64_t>(b.first + BQ, b.length)) - 1;
    auto tile = [&](int stage, int which) { return Tile<T, D>{memory + (2 * BQ + (2 * stage + which) * BK) * D}; };
    auto load = [&](int stage, int j) {
      const T* keys = sequence + j * row;
      load_tile<BK, THREADS>(tile(stage, 0), keys + a.k(kv), row, last + 1 - j, a.HS, aligned);
      load_tile<BK, THREADS>(tile(stage, 1), keys + a.v(kv), row, last + 1 - j, a.HS, aligned);
    };

    const int64_t count = last + 1 - b.first;
    load_tile<BQ, THREADS>(q, sequence + b.first * row + a.q(h), row, count, a.HS, aligned);
    load_tile<BQ, THREADS>(d, dout + (begin * a.NH + h) * a.HS, a.NH * a.HS, count, a.HS, aligned);
    load(0, 0);
    cp_async_commit();

    const int g = lane() / 4, t = lane() % 4;
    int position[2], sampled[2];
    float normal[2], mean[2];
    const int64_t index = rows.row_of ? rows.head_of[h] : -1;
    SK_UNROLL
    for (int r = 0; r < 2; r++) {
      const int mine = 16 * warp() + g + 8 * r;
      position[r] = mine < count ? b.first + mine : -1; // sees nothing
      const int64_t n = begin + (mine < count ? mine : 0);
      normal[r] = lse[n * a.NH + h], mean[r] = delta[n * a.NH + h];
      sampled[r] = index >= 0 && mine < count ? rows.row_of[n] : -1;
    }
    float dq[D / 8][4] = {};
    double squares = 0, divergence[2] = {0, 0};
    for (int j = 0, stage = 0; j <= last; j += BK, stage ^= 1) {
      if (j + BK <= last) load(stage ^ 1, j + BK);
      cp_async_commit();
      cp_async_wait<1>();
      barrier();

      float s[NT][4], da[NT][4], tile_squares = 0;
      product<NT>(s, q, 16 * warp(), tile(stage, 0));
      product<NT>(da, d, 16 * warp(), tile(stage, 1));
      SK_UNROLL
      for (int n = 0; n < NT; n++) {
        SK_UNROLL
        for (int i = 0; i < 4; i++) {
          const int r = i / 2, key = j + 8 * n + 2 * t + i % 2;
          const bool seen = key <= position[r];
          const float A = seen ? fast_exp(s[n][i] * scale - normal[r]) : 0;
          tile_squares += seen ? da[n][i] * da[n][i] : 0;
          float ds = A * (da[n][i] - mean[r]);
          if (sampled[r] >= 0 && seen) {
            const float P = rows.stored(sampled[r], index, position[r])[key];
            ds += rows.gradient(sampled[r], index, A, P);
            divergence[r] += rows.divergence(P, A, s[n][i] * scale - normal[r]);
          }
          s[n][i] = ds;
        }
      }
      squares += double(tile_squares);
      accumulate<NT>(dq, s, tile(stage, 0));
      barrier(); // the stage may be overwritten
    }

    const int64_t mine = begin + 16 * warp();
    store_rows<T, D>(dqkv + mine * row + a.q(h), row, count - 16 * warp(), a.HS, dq, scale, scale);
    if (index >= 0) {
      for (int r = 0; r < 2; r++) {
        const double sum = row_sum(divergence[r]);
        if (t == 0 && sampled[r] >= 0) kl[sampled[r] * rows.H + index] = sum;
      }
    }
    if (sens) {
      squares = block_sum<THREADS>(squares, shared<double>());
      if (thread() == 0) sens[block_x() * a.NH + h] = squares;
    }
  }
};

// dv_j = sum_t A_tj do_t, dk_j = scale sum_t dS_tj q_t, over the query heads of key head block_y.
// A block of threads is 64 keys, a warp 16 of them: here scores are transposed, keys are rows. Tiles of BQ queries arrive ahead.
template <class T, int D> struct AttentionBwdKV {
  static constexpr int THREADS = 128, BK = 64, BQ = D > 64 ? 32 : 64, NT = BQ / 8;
  T* dqkv;
  const T *dout, *qkv;
  const float *lse, *delta;
  const RowBlock* blocks;
  HeadShape a;
  Sampled rows;
  float scale;
  bool aligned;

  static constexpr int64_t shared_bytes() { return int64_t(sizeof(T)) * D * (2 * BK + 4 * BQ); }

  SK_DEVICE void operator()() const {
    const RowBlock b = blocks[block_x()];
    const int64_t kv = block_y(), row = a.row();
    const T* sequence = qkv + b.begin * row;
    T* memory = shared<T>();
    const Tile<T, D> k{memory}, v{memory + BK * D};
    auto tile = [&](int stage, int which) { return Tile<T, D>{memory + (2 * BK + (2 * stage + which) * BQ) * D}; };
    const int from = b.first / BQ * BQ, tiles = (b.length - from + BQ - 1) / BQ, all = tiles * int(a.group());
    // Tile i of queries: of head i / tiles, from position from + i % tiles * BQ.
    auto load = [&](int stage, int i) {
      const int64_t h = kv * a.group() + i / tiles, first = from + i % tiles * BQ, count = b.length - first;
      load_tile<BQ, THREADS>(tile(stage, 0), sequence + first * row + a.q(h), row, count, a.HS, aligned);
      load_tile<BQ, THREADS>(tile(stage, 1), dout + ((b.begin + first) * a.NH + h) * a.HS, a.NH * a.HS, count, a.HS, aligned);
    };

    load_tile<BK, THREADS>(k, sequence + b.first * row + a.k(kv), row, b.length - b.first, a.HS, aligned);
    load_tile<BK, THREADS>(v, sequence + b.first * row + a.v(kv), row, b.length - b.first, a.HS, aligned);
    load(0, 0);
    cp_async_commit();

    const int g = lane() / 4, t = lane() % 4, mine = b.first + 16 * warp() + g;
    float dk[D / 8][4] = {}, dv[D / 8][4] = {};
    for (int i = 0; i < all; i++) {
      const int stage = i & 1;
      if (i + 1 < all) load(stage ^ 1, i + 1);
      cp_async_commit();
      cp_async_wait<1>();
      barrier();

      const int64_t h = kv * a.group() + i / tiles, index = rows.row_of ? rows.head_of[h] : -1;
      const int first = from + i % tiles * BQ;
      float s[NT][4], da[NT][4];
      product<NT>(s, k, 16 * warp(), tile(stage, 0));
      product<NT>(da, v, 16 * warp(), tile(stage, 1));
      SK_UNROLL
      for (int n = 0; n < NT; n++) {
        SK_UNROLL
        for (int column = 0; column < 2; column++) {
          const int position = first + 8 * n + 2 * t + column;
          const int64_t token = b.begin + position;
          const bool valid = position < b.length;
          const float normal = valid ? lse[token * a.NH + h] : 0, mean = valid ? delta[token * a.NH + h] : 0;
          const int64_t sampled = index >= 0 && valid ? rows.row_of[token] : -1;
          SK_UNROLL
          for (int r = 0; r < 2; r++) {
            float &score = s[n][2 * r + column], &gradient = da[n][2 * r + column];
            const int key = mine + 8 * r;
            const bool seen = valid && key <= position;
            const float A = seen ? fast_exp(score * scale - normal) : 0;
            float ds = A * (gradient - mean);
            if (sampled >= 0 && seen)
              ds += rows.gradient(sampled, index, A, rows.stored(sampled, index, position)[key]);
            score = A, gradient = ds;
          }
        }
      }
      accumulate<NT>(dv, s, tile(stage, 1));
      accumulate<NT>(dk, da, tile(stage, 0));
      barrier(); // the stage may be overwritten
    }

    T* out = dqkv + (b.begin + b.first + 16 * warp()) * row;
    const int64_t count = b.length - b.first - 16 * warp();
    store_rows<T, D>(out + a.k(kv), row, count, a.HS, dk, scale, scale);
    store_rows<T, D>(out + a.v(kv), row, count, a.HS, dv, 1, 1);
  }
};

#define SK_ATTENTION_BWD(D)                                                                                            \
  SK_KERNEL(attention_bwd_q_f32_##D, AttentionBwdQ<float, D>)                                                          \
  SK_KERNEL(attention_bwd_q_bf16_##D, AttentionBwdQ<bf16, D>)                                                          \
  SK_KERNEL(attention_bwd_q_f16_##D, AttentionBwdQ<f16, D>)                                                            \
  SK_KERNEL(attention_bwd_kv_f32_##D, AttentionBwdKV<float, D>)                                                        \
  SK_KERNEL(attention_bwd_kv_bf16_##D, AttentionBwdKV<bf16, D>)                                                        \
  SK_KERNEL(attention_bwd_kv_f16_##D, AttentionBwdKV<f16, D>)
SK_ATTENTION_BWD(32)
SK_ATTENTION_BWD(64)
SK_ATTENTION_BWD(128)
SK_KERNEL(attention_delta_f32, AttentionDelta<float>)
SK_KERNEL(attention_delta_bf16, AttentionDelta<bf16>)
SK_KERNEL(attention_delta_f16, AttentionDelta<f16>)

} // namespace sk

#ifdef SK_LAUNCHERS
#include "attention_launch.h"
#include "attention_rows.h"
#include "sum_parts.h"

namespace sk {
namespace cuda {

int attention_bwd(sk_context* ctx, float* dqkv, double* sens, double* kl, const float* dout, const float* qkv, const float* o,
                  const float* lse, const int32_t* cu_seqlens, int64_t S, int64_t NH, int64_t NKV, int64_t HS,
                  const sk_rows* rows, float eps) {
  const int64_t N = cu_seqlens[S], R = rows ? rows->row_start[S] : 0, H = rows ? rows->H : 0;
  const std::vector<RowBlock> blocks = row_blocks(cu_seqlens, S, 64);
  const int64_t B = int64_t(blocks.size());
  const RowBlock* table = upload(ctx, blocks);
  // Doubles first: [B,NH] parts, [S,NH] sums, [R,H] KL; then floats: [N,NH] delta, [R,H] mean.
  const int64_t doubles = sens ? (B + S) * NH + R * H : R * H;
  char* memory = device_scratch(ctx, doubles * 8 + (N * NH + R * H) * 4);
  double* divergence = reinterpret_cast<double*>(memory);
  double* parts = sens ? divergence + R * H : nullptr;
  float* delta = reinterpret_cast<float*>(memory + doubles * 8);
  Sampled sampled = sampled_rows(ctx, rows, cu_seqlens, S, NH, eps);
  dispatch_head(ctx, HS, [&](auto element, auto width) {
    using T = decltype(element);
    using Q = AttentionBwdQ<T, width.value>;
    using KV = AttentionBwdKV<T, width.value>;
    const HeadShape a{NH, NKV, HS};
    const bool vectors = aligned<T>(qkv, HS) && aligned<T>(dout, HS);
    if (sampled.row_of && eps > 0) {
      sampled.mean = delta + N * NH;
      attention_mean<T>(ctx, delta + N * NH, sampled, rows, as<T>(qkv), lse, cu_seqlens, S, a);
    }
    launch(ctx, ceil_div(N * NH, 4), 1, 0, AttentionDelta<T>{delta, as<T>(dout), as<T>(o), N * NH, HS});
    launch(ctx, B, NH, Q::shared_bytes(),
           Q{as<T>(dqkv), parts, divergence, as<T>(dout), as<T>(qkv), lse, delta, table, a, sampled, scale(HS), vectors});
    launch(ctx, B, NKV, KV::shared_bytes(),
           KV{as<T>(dqkv), as<T>(dout), as<T>(qkv), lse, delta, table, a, sampled, scale(HS), vectors});
  });
  if (sens) {
    sum_parts(ctx, parts + B * NH, parts, first_blocks(cu_seqlens, S, 64), NH);
    download(ctx, sens, parts + B * NH, S * NH * int64_t(sizeof(double)));
  }
  if (R * H > 0) download(ctx, kl, divergence, R * H * int64_t(sizeof(double)));
  return 0;
}

} // namespace cuda
} // namespace sk
#endif
