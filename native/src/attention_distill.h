// Distillation of stored attention rows, inside attention_bwd: see the formulas in seekr.h.
#ifndef SEEKR_ATTENTION_DISTILL_H
#define SEEKR_ATTENTION_DISTILL_H
#include "attention.h"

namespace sk {
namespace SK_ISA {

// What is to be distilled in one head of one sequence; nothing, when the head is not selected. Every block of
// queries goes through begin(), and every tile of it through measure() and add().
class Distill {
  const sk_rows* rows;
  double* kl;
  float eps;
  int64_t index = -1;       // of the head among the selected
  int64_t next, last;       // sampled rows of the sequence that are still to come
  int64_t from = 0, to = 0; // those of this block of queries
  int64_t block = 0;        // its first position
  // eps > 0: [BQ, HP] queries and [BQ, BK] scores of the sampled rows, [BQ] sum_j A_j g_j
  float *q, *s, *mean;

  const float* stored(int64_t i) const {
    return rows->p + rows->H * rows->prefix[i] + index * (rows->pos[i] + 1);
  }
  double& divergence(int64_t i) const { return kl[i * rows->H + index]; }
  // f(i, row of the tile, stored probabilities, their number) for the sampled rows of a tile that begins at
  // key j
  template <class F> SK_INLINE_MEMBER void each(int64_t j, const Tile& t, F f) const {
    for (int64_t i = from; i < to; i++) {
      int64_t r = rows->pos[i] - block, n = t.visible(r);
      if (n) f(i, r, stored(i) + j, n);
    }
  }
  void look_ahead(const Heads& a, const float* queries, const float* lse, const float* kt, int64_t length);

public:
  static int64_t floats(const Heads& a) { return BQ * (a.HP + BK + 1); }
  Distill(const sk_rows* rows, double* kl, float eps, int64_t s, int64_t h, float* memory)
      : rows(rows), kl(kl), eps(eps), next(0), last(0), q(memory), s(nullptr), mean(nullptr) {
    for (int64_t i = 0; rows && i < rows->H; i++)
      if (rows->heads[i] == h) index = i;
    if (index >= 0) next = rows->row_start[s], last = rows->row_start[s + 1];
  }

  // Rows [first, first + count): scaled queries [count, HP], lse [count]; transposed keys of the sequence,
  // its length.
  void begin(const Heads& a, int64_t first, int64_t count, const float* queries, const float* lse,
             const float* kt, int64_t length) {
    block = first;
    while (next < last && rows->pos[next] < first) next++; // rows of an earlier cut
    from = next;
    while (next < last && rows->pos[next] < first + count) next++;
    to = next;
    for (int64_t i = from; i < to; i++) divergence(i) = 0;
    if (eps > 0 && from < to) {
      s = q + BQ * a.HP;
      mean = s + BQ * BK;
      look_ahead(a, queries, lse, kt, length);
    }
  }

  // eps == 0: KL from the scores, before they become A.   KL_i += sum_j P_j (log P_j - (S_j - lse))
  void measure(int64_t j, const Tile& t, const float* scores, const float* lse) const {
    if (from == to || eps > 0) return;
    each(j, t, [&](int64_t i, int64_t r, const float* stored, int64_t n) {
      Sum sum;
      each_vector(n, [&](int64_t c, auto lanes) {
        vf p = lanes.get(stored + c);
        vf term = p * (vlog(p) - (load(scores + r * BK + c) - lse[r]));
        sum.add(p == 0.0f ? vf{} : term);
      });
      divergence(i) += sum.total();
    });
  }

  // dS += weight (A - P), or with eps: dS += weight A (mean - g), g = P / (A + eps)
  void add(int64_t j, const Tile& t, float* ds, const float* attention) const {
    if (from == to) return;
    each(j, t, [&](int64_t i, int64_t r, const float* stored, int64_t n) {
      float weight = rows->weight[i], m = eps > 0 ? mean[i - from] : 0;
      each_vector(n, [&](int64_t c, auto lanes) {
        float* out = ds + r * BK + c;
        vf p = lanes.get(stored + c), A = load(attention + r * BK + c);
        store(out, load(out) + weight * (eps > 0 ? A * (m - p / (A + eps)) : A - p));
      });
    });
  }
};

// eps > 0: the rows of this block alone pass over their keys once before the tiles do, for KL and sum_j A_j
// g_j.
inline void Distill::look_ahead(const Heads& a, const float* queries, const float* lse, const float* kt,
                                int64_t length) {
  Sum means[BQ], divergences[BQ];
  for (int64_t i = from; i < to; i++)
    memcpy(q + (i - from) * a.HP, queries + (rows->pos[i] - block) * a.HP, a.HP * sizeof(float));
  for (int64_t j = 0; j <= rows->pos[to - 1]; j += BK) {
    Tile t{BQ, least(BK, length - j), block - j};
    product<false>(to - from, t.width(), a.HS, q, a.HP, 1, kt + j * a.HS, t.width(), s, BK);
    each(j, t, [&](int64_t i, int64_t r, const float* stored, int64_t n) {
      each_vector(n, [&](int64_t c, auto lanes) {
        vf p = lanes.get(stored + c), A = vexp(load(s + (i - from) * BK + c) - lse[r]);
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
