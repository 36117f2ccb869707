// The first pass of attention_bwd: a block of queries collects dq over its keys, and from the same tiles the
// sensitivity and the KL of sampled queries.
#include "attention_bwd.h"

namespace sk {

// dA_tj = do_t.v_j, dS_tj = A_tj (dA_tj - delta_t) + what distillation adds, dq_t = scale sum_j dS_tj k_j
// sens[block,h] = sum over what its queries see of dA_tj^2 (or null).
// kl[i,index] = sum_j P_j (log P_j - log A_j) (or null); terms with P_j = 0 are 0.
// A block of threads is BQ queries of a head, a warp 16 MT of them. Keys arrive while dA is made of values,
// the next values while keys are used.
template <class T, int D> struct AttentionBwdQ {
  static constexpr int THREADS = 128, MT = ROW_TILES<T>, BQ = 64 * MT, BK = D > 64 ? 32 : 64, NT = BK / 8;
  Backward x;
  double *sens, *kl;
  const RowBlock* blocks;
  bool aligned;

  static constexpr int64_t shared_bytes() { return int64_t(sizeof(T)) * D * (2 * BQ + 2 * BK); }

  SK_DEVICE void operator()() const {
    const RowBlock b = blocks[block_x()];
    const Attention& a = x.a;
    const int64_t h = block_y(), kv = h / a.group(), row = a.row(), token = b.begin + b.first,
                  index = x.queries.index(h);
    const T* sequence = as<T>(a.qkv) + b.begin * row;
    const Tile<T, D> q{shared<T>()}, d = q.below(BQ), k = d.below(BQ), v = k.below(BK);
    const int last = least(b.first + BQ, b.length) - 1, count = last + 1 - b.first;
    const int begin = a.first_key(b.first), window = int(a.window);
    load_tile<BQ, THREADS>(q, sequence + b.first * row + a.q(h), row, count, a.HS, aligned);
    load_tile<BQ, THREADS>(d, as<T>(x.dout) + (token * a.NH + h) * a.HS, a.NH * a.HS, count, a.HS, aligned);
    load_tile<BK, THREADS>(v, sequence + begin * row + a.v(kv), row, last + 1 - begin, a.HS, aligned);
    cp_async_commit();

    const int w = shuffle(warp(), 0); // which tells the compiler that all lanes agree
    const int g = lane() / 4, t = lane() % 4, own = b.first + 16 * MT * w; // position of my warp's first row
    const FromTile<T, D> queries(q.below(16 * MT * w)), gradients(d.below(16 * MT * w));
    const float unit = exponent<T>(a.scale);
    float dq[MT][D / 8][4] = {}, shift[MT][2], mean[MT][2], factor[MT][2];
    SK_UNROLL
    for (int i = 0; i < 2 * MT; i++) {
      const int position = own + 8 * i + g;
      const int64_t n = (b.begin + position) * a.NH + h;
      shift[i / 2][i % 2] = position <= last ? exponent<T>(a.lse[n]) : INFINITY; // A = 0
      mean[i / 2][i % 2] = position <= last ? x.delta[n] : 0;
      factor[i / 2][i % 2] = a.scale;
    }
    double squares = 0;
    for (int j = begin; j <= last; j += BK) {
      cp_async_wait<0>();
      barrier(); // values are here, and the keys before have been used
      load_tile<BK, THREADS>(k, sequence + j * row + a.k(kv), row, last + 1 - j, a.HS, aligned);
      cp_async_commit();
      float s[MT][NT][4] = {}, da[MT][NT][4]; // da: dA - delta
      SK_UNROLL
      for (int m = 0; m < MT; m++) {
        SK_UNROLL
        for (int i = 0; i < 4 * NT; i++) da[m][i / 4][i % 4] = -mean[m][i % 4 / 2];
      }
      product<MT, NT>(da, gradients, v);
      cp_async_wait<0>();
      barrier(); // keys are here, and the values have been used
      if (j + BK <= last)
        load_tile<BK, THREADS>(v, sequence + (j + BK) * row + a.v(kv), row, last + 1 - j - BK, a.HS, aligned);
      cp_async_commit();
      product<MT, NT>(s, queries, k);
      if (j + BK > own + 1) { // some keys come after some queries
        hide<AFTER>(s, j + 2 * t - own - g);
        if (sens) hide_gradients<AFTER>(da, mean, j + 2 * t - own - g);
      }
      if (own + 16 * MT - window > j) { // some have left the window of some
        hide<BEFORE>(s, j + 2 * t - own - g + window);
        if (sens) hide_gradients<BEFORE>(da, mean, j + 2 * t - own - g + window);
      }
      if (sens) squares += double(sum_of_squares(da, mean));
      if (kl && index >= 0) diverge(s, shift, unit, b, index, own, j, j == begin);
      SK_UNROLL
      for (int m = 0; m < MT; m++) {
        SK_UNROLL
        for (int i = 0; i < 4 * NT; i++) {
          float &A = s[m][i / 4][i % 4], &gradient = da[m][i / 4][i % 4];
          A = power<T>(A, unit, shift[m][i % 4 / 2]);
          gradient *= A;
        }
      }
      if (index >= 0) distil(da, s, b, index, own, j);
      accumulate<MT, NT>(dq, da, k);
    }

    store_rows<MT, T, D>(as<T>(x.dqkv) + (b.begin + own) * row + a.q(h), row, last + 1 - own, a.HS, dq,
                         factor);
    if (sens) {
      squares = block_sum<THREADS>(squares, shared<double>());
      if (thread() == 0) sens[block_x() * a.NH + h] = squares;
    }
  }

  // dA = 0 where the query does not see the key, so that it does not count in the sensitivity.
  template <Side SIDE>
  SK_DEVICE static void hide_gradients(float da[MT][NT][4], const float mean[MT][2], int ahead) {
    SK_UNROLL
    for (int m = 0; m < MT; m++) {
      SK_UNROLL
      for (int i = 0; i < 4 * NT; i++)
        if (after(ahead, m, i) == (SIDE == AFTER)) da[m][i / 4][i % 4] = -mean[m][i % 4 / 2];
    }
  }

  // Of dA.
  SK_DEVICE static float sum_of_squares(const float da[MT][NT][4], const float mean[MT][2]) {
    float sum = 0;
    SK_UNROLL
    for (int m = 0; m < MT; m++) {
      SK_UNROLL
      for (int i = 0; i < 4 * NT; i++) {
        const float gradient = da[m][i / 4][i % 4] + mean[m][i % 4 / 2];
        sum += gradient * gradient;
      }
    }
    return sum;
  }

  // For floats computed where it is asked for: three blocks share an SM's registers.
  SK_DEVICE static int own_lane() { return sizeof(T) == 4 ? pinned(lane()) : lane(); }

  // Adds what a tile of scores is of the KL of sampled queries, keys from position j; the warp's queries from
  // position `own`. Every tile is added by the same lane.
  SK_DEVICE void diverge(const float s[MT][NT][4], const float shift[MT][2], float unit, const RowBlock& b,
                         int64_t index, int own, int j, bool first) const {
    const int g = own_lane() / 4, t = own_lane() % 4;
    SK_UNROLL
    for (int r = 0; r < 2 * MT; r++) {
      const int position = own + 8 * r + g,
                query = position < b.length ? x.queries.query_of[b.begin + position] : -1;
      float sum = 0;
      if (query >= 0) {
        const float* p = x.queries.stored(query, index, position);
        SK_UNROLL
        for (int i = 0; i < 2 * NT; i++) {
          const int n = i / 2, e = r % 2 * 2 + i % 2, key = j + 8 * n + 2 * t + i % 2;
          const float P = key <= position ? p[key] : 0;
          if (P != 0) sum += P * (exact_log(P) - natural<T>(s[r / 2][n][e] * unit - shift[r / 2][r % 2]));
        }
      }
      sum = row_sum(sum);
      if (query < 0 || t != 0) continue;
      double& whole = kl[query * x.queries.H + index];
      whole = first ? double(sum) : whole + double(sum);
    }
  }

  // Adds the gradient of the KL of sampled queries to a tile of dS, keys from position j; the warp's queries
  // from position `own`.
  SK_DEVICE void distil(float ds[MT][NT][4], const float A[MT][NT][4], const RowBlock& b, int64_t index,
                        int own, int j) const {
    const int g = own_lane() / 4, t = own_lane() % 4;
    SK_UNROLL
    for (int r = 0; r < 2 * MT; r++) {
      const int position = own + 8 * r + g,
                query = position < b.length ? x.queries.query_of[b.begin + position] : -1;
      if (query < 0) continue;
      const Target target = x.queries.target(query, index, position);
      SK_UNROLL
      for (int i = 0; i < 2 * NT; i++) {
        const int n = i / 2, e = r % 2 * 2 + i % 2, key = j + 8 * n + 2 * t + i % 2;
        if (key <= position) ds[r / 2][n][e] += target.gradient(A[r / 2][n][e], target.p[key]);
      }
    }
  }
};

#define SK_ATTENTION_BWD_Q(D)                                 \
  SK_KERNEL(attention_bwd_q_f32_##D, AttentionBwdQ<float, D>) \
  SK_KERNEL(attention_bwd_q_bf16_##D, AttentionBwdQ<bf16, D>) \
  SK_KERNEL(attention_bwd_q_f16_##D, AttentionBwdQ<f16, D>)
SK_ATTENTION_BWD_Q(32)
SK_ATTENTION_BWD_Q(64)
SK_ATTENTION_BWD_Q(128)

} // namespace sk

#ifdef SK_LAUNCHERS

namespace sk {

int32_t attention_bwd_q(sk_context* ctx, double* parts, double* kl, const Backward& x, const Sequences& in) {
  int32_t size = 0;
  dispatch_head(ctx, x.a.HS, [&](auto element, auto width) {
    using T = decltype(element);
    using K = AttentionBwdQ<T, width.value>;
    const std::vector<RowBlock> blocks = in.blocks(size = K::BQ);
    launch(ctx, int64_t(blocks.size()), x.a.NH, K::shared_bytes(),
           K{x, parts, kl, upload(ctx, blocks), aligned<T>(x)});
  });
  return size;
}

} // namespace sk
#endif
