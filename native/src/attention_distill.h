// Distillation of stored attention rows, inside attention_bwd: see the formulas in seekr.h. What a query does
// not see, it does not distil.
#ifndef SEEKR_ATTENTION_DISTILL_H
#define SEEKR_ATTENTION_DISTILL_H
#include "attention.h"

namespace sk {
namespace SK_ISA {

// What is to be distilled in one head of one sequence; nothing, when the head is not selected. Every block of
// queries goes through begin(), and every tile of it through measure() and add().
class Distill {
  const sk_queries& queries;
  const Heads& a;
  double* kl;
  float eps;
  int64_t index = -1;         // of the head among the selected
  int64_t next = 0, last = 0; // queries of the sequence that are still to come
  int64_t from = 0, to = 0;   // those of this block of queries
  int64_t block = 0;          // its first position
  // eps > 0: [BQ, HQ] of q, [BQ, BK] scores, [BQ] sum_j A_j g_j
  F* q;
  float *s, *mean;

  const float* stored(int64_t i) const {
    return queries.p + queries.H * queries.prefix[i] + index * (queries.pos[i] + 1);
  }
  double& divergence(int64_t i) const { return kl[i * queries.H + index]; }
  // f(i, row of the tile, first key of the tile that it sees, stored probabilities from there on, their
  // number) for the queries of a tile that begins at key j
  template <class F> SK_INLINE_MEMBER void each(int64_t j, const Tile& t, F f) const {
    for (int64_t i = from; i < to; i++) {
      int64_t r = queries.pos[i] - block, first = t.begin(r), n = t.end(r) - first;
      if (n > 0) f(i, r, first, stored(i) + j + first, n);
    }
  }
  void look_ahead(const F* tile, const float* lse, const F* kt, int64_t length);

public:
  static int64_t floats(const Heads& a) { return BQ * (a.HP + BK + 1); }
  Distill(const sk_attention_gradient& g, const Heads& a, int64_t sequence, int64_t head, float* memory)
      : queries(g.queries), a(a), kl(g.kl), eps(g.eps), q((F*)memory), s(memory + BQ * a.HP),
        mean(s + BQ * BK) {
    for (int64_t i = 0; queries.row_start && i < queries.H; i++)
      if (queries.heads[i] == head) index = i;
    if (index >= 0) next = queries.row_start[sequence], last = queries.row_start[sequence + 1];
  }

  // Rows [first, first + count): their q, tile [count, HQ], and lse [count]; transposed keys of the sequence,
  // its length.
  void begin(int64_t first, int64_t count, const F* tile, const float* lse, const F* kt, int64_t length) {
    block = first;
    while (next < last && queries.pos[next] < first) next++; // queries of an earlier cut
    from = next;
    while (next < last && queries.pos[next] < first + count) next++;
    to = next;
    for (int64_t i = from; i < to; i++) divergence(i) = 0;
    if (eps > 0 && from < to) look_ahead(tile, lse, kt, length);
  }

  // eps == 0: KL from the scores, before they become A.   KL_i += sum_j P_j (log P_j - (S_j - lse))
  void measure(int64_t j, const Tile& t, const float* scores, const float* lse) const {
    if (from == to || eps > 0) return;
    each(j, t, [&](int64_t i, int64_t r, int64_t first, const float* stored, int64_t n) {
      const float* row = scores + r * BK + first;
      Sum sum;
      each_vector(n, [&](int64_t c, auto lanes) {
        vf p = lanes.get(stored + c);
        vf term = p * (vlog(p) - (a.scaled(lanes.get(row + c)) - lse[r]));
        sum.add(p == 0.0f ? vf{} : term);
      });
      divergence(i) += sum.total();
    });
  }

  // dS += weight (A - P), or with eps: dS += weight A (mean - g), g = P / (A + eps)
  void add(int64_t j, const Tile& t, float* ds, const float* attention) const {
    if (from == to) return;
    each(j, t, [&](int64_t i, int64_t r, int64_t first, const float* stored, int64_t n) {
      const float weight = queries.weight[i], m = eps > 0 ? mean[i - from] : 0;
      const float* row = attention + r * BK + first;
      float* out = ds + r * BK + first;
      each_vector(n, [&](int64_t c, auto lanes) {
        vf p = lanes.get(stored + c), A = lanes.get(row + c);
        lanes.put(out + c, lanes.get(out + c) + weight * (eps > 0 ? A * (m - p / (A + eps)) : A - p));
      });
    });
  }
};

// eps > 0: the queries of this block alone pass over their keys once before the tiles do, for KL and
// sum_j A_j g_j.
inline void Distill::look_ahead(const F* tile, const float* lse, const F* kt, int64_t length) {
  Sum means[BQ], divergences[BQ];
  for (int64_t i = from; i < to; i++)
    memcpy(q + (i - from) * a.HQ(), tile + (queries.pos[i] - block) * a.HQ(), a.HQ() * sizeof(F));
  for (int64_t j = a.first_block(queries.pos[from]); j <= queries.pos[to - 1]; j += BK) {
    Tile t{BQ, least(BK, length - j), block - j, a.window};
    product<false>(to - from, t.width(), a.HF(), q, a.HQ(), 1, kt + j * a.HF(), t.width(), s, BK);
    each(j, t, [&](int64_t i, int64_t r, int64_t first, const float* stored, int64_t n) {
      const float* row = s + (i - from) * BK + first;
      each_vector(n, [&](int64_t c, auto lanes) {
        vf p = lanes.get(stored + c), A = vexp(a.scaled(lanes.get(row + c)) - lse[r]);
        vf term = p * (vlog(p) - vlog(A + eps));
        means[i - from].add(p == 0.0f ? vf{} : A * (p / (A + eps)));
        divergences[i - from].add(p == 0.0f ? vf{} : term);
      });
    });
  }
  for (int64_t i = from; i < to; i++) {
    mean[i - from] = float(means[i - from].total());
    divergence(i) = divergences[i - from].total();
  }
}

} // namespace SK_ISA
} // namespace sk
#endif
