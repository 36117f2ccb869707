// attention_capture, attention_diff: rows of attention that are looked at one by one.
#include "attention.h"

namespace sk {
namespace SK_ISA {

// Queries at any ascending positions of a sequence: a tile of them sees keys by position, not by a diagonal.
struct Sample {
  int64_t begin, length; // of the sequence
  int64_t count, position[BQ];
  int64_t last() const { return position[count - 1]; }
  // How many come before position t.
  int64_t before(int64_t t) const {
    int64_t r = 0;
    while (r < count && position[r] < t) r++;
    return r;
  }
};

// Keys [j, j + keys) of the sequence, of which queries [first, end) of the sample see some.
struct Keys {
  int64_t j, keys, first, end;
  Keys(const Sample& sample, const Heads& a, int64_t j)
      : j(j), keys(least(BK, sample.length - j)), first(sample.before(j)),
        end(sample.before(j + keys - 1 + a.window)) {}
  int64_t width() const { return round_up(keys, W); }
  // The query at position t sees keys j + [from(t), to(t)).
  int64_t from(const Heads& a, int64_t t) const { return least(keys, most(0, a.first_key(t) - j)); }
  int64_t to(int64_t t) const { return least(keys, t + 1 - j); }
};

// x [N, (NH+2NKV)*HS]
static void pack_queries(const Sample& sample, float* q, const Heads& a, const E* x, int64_t h) {
  for (int64_t r = 0; r < sample.count; r++)
    pack_row(q + r * a.HP, x + (sample.begin + sample.position[r]) * a.ld + a.q(h), a.HS, a.q_scale());
}

// S of the queries that see some of the keys, not scaled where sums are to be.
// s [count, BK], q [count, HP], kt [HS, width]
static void scores(const Keys& keys, const Heads& a, float* s, const float* q, const float* kt) {
  product<false>(keys.end - keys.first, keys.width(), a.HS, q + keys.first * a.HP, a.HP, 1, kt, keys.width(),
                 s + keys.first * BK, BK);
}

// Writes A_tj = exp(S_tj - lse_t) of the queries and the selected heads into queries.p, 0 outside the window.
// A task is a head and a block of queries of one sequence.
int attention_capture(sk_context* ctx, const sk_attention_rows* c) {
  const sk_attention& of = c->of;
  const sk_queries& queries = c->queries;
  const Heads a(of);
  const Blocks blocks{queries.row_start, of.S, BQ};
  parallel(ctx, blocks.slots() * queries.H, [=](int64_t i, int worker) {
    const int64_t index = i % queries.H, h = queries.heads[index];
    const Range b = find(blocks, i / queries.H);
    if (!b.rows) return;
    const int64_t first = b.begin + b.first, begin = of.cu_seqlens[b.s];
    Sample sample{begin, of.cu_seqlens[b.s + 1] - begin, b.rows, {}};
    float* q = scratch(ctx, worker, BQ * (a.HP + BK) + BK * a.HS);
    float *s = q + BQ * a.HP, *kt = s + BQ * BK;
    auto row = [&](int64_t r) { // [position + 1]
      return queries.p + queries.H * queries.prefix[first + r] + index * (sample.position[r] + 1);
    };
    for (int64_t r = 0; r < b.rows; r++) {
      sample.position[r] = queries.pos[first + r];
      clear(row(r), a.first_key(sample.position[r]));
    }
    pack_queries(sample, q, a, elements(of.qkv), h);
    for (int64_t j = a.first_block(sample.position[0]); j <= sample.last(); j += BK) {
      const Keys keys(sample, a, j);
      if (keys.first == keys.end) continue;
      pack_transposed(kt, keys.width(), elements(of.qkv) + (begin + j) * a.ld + a.k(h / a.G), a.ld, keys.keys,
                      a.HS);
      scores(keys, a, s, q, kt);
      for (int64_t r = keys.first; r < keys.end; r++) {
        const int64_t t = sample.position[r], from = keys.from(a, t);
        const float normal = of.lse[(begin + t) * a.NH + h], *S = s + r * BK + from;
        float* out = row(r) + j + from;
        each_vector(keys.to(t) - from, [=](int64_t k, auto lanes) {
          lanes.put(out + k, vexp(a.scaled(lanes.get(S + k)) - normal));
        });
      }
    }
  });
  return 0;
}

// diff [S,NH] = sum of (A_tj - A'_tj)^2 over t - window < j <= t and all rows t, or over the queries, each
// weight[i] times. A task is a head and a block of rows, and yields one sum; the sums are added up in order.
int attention_diff(sk_context* ctx, const sk_attention_change* d) {
  const sk_attention& of = d->of;
  const sk_queries& queries = d->queries;
  const bool named = queries.row_start;
  const Heads a(of);
  const Packed packed(of.cu_seqlens, of.S);
  const Blocks blocks{named ? queries.row_start : of.cu_seqlens, of.S, BQ};
  const int64_t NH = a.NH, tasks = blocks.slots() * NH;
  float* kt = shared_scratch(ctx, 2 * a.NKV * packed.rows * a.HS + 2 * tasks);
  float* kt2 = kt + a.NKV * packed.rows * a.HS;
  double* sums = (double*)(kt2 + a.NKV * packed.rows * a.HS); // [slots, NH]
  pack(ctx, packed, a, of.S, elements(of.qkv), a.k(0), kt, nullptr);
  pack(ctx, packed, a, of.S, elements(d->qkv2), a.k(0), kt2, nullptr);

  parallel(ctx, tasks, [=](int64_t i, int worker) {
    const int64_t h = i % NH;
    const Range b = find(blocks, i / NH);
    sums[i] = 0;
    if (!b.rows) return;
    const int64_t first = b.begin + b.first, begin = of.cu_seqlens[b.s];
    Sample sample{begin, of.cu_seqlens[b.s + 1] - begin, b.rows, {}};
    for (int64_t r = 0; r < b.rows; r++) sample.position[r] = named ? queries.pos[first + r] : b.first + r;
    float* q = scratch(ctx, worker, 2 * BQ * (a.HP + BK));
    float *q2 = q + BQ * a.HP, *s = q2 + BQ * a.HP, *s2 = s + BQ * BK;
    pack_queries(sample, q, a, elements(of.qkv), h);
    pack_queries(sample, q2, a, elements(d->qkv2), h);
    Sum sum;
    for (int64_t j = a.first_block(sample.position[0]); j <= sample.last(); j += BK) {
      const Keys keys(sample, a, j);
      const int64_t tile = (h / a.G * packed.rows + packed.at(b.s) + j) * a.HS;
      scores(keys, a, s, q, kt + tile);
      scores(keys, a, s2, q2, kt2 + tile);
      for (int64_t r = keys.first; r < keys.end; r++) {
        const int64_t t = sample.position[r], from = keys.from(a, t), to = keys.to(t);
        const float normal = of.lse[(begin + t) * NH + h], normal2 = d->lse2[(begin + t) * NH + h];
        const float *row = s + r * BK, *row2 = s2 + r * BK;
        vf squares = {};
        for (int64_t k = from / W * W; k < to; k += W) {
          vf e = vexp(a.scaled(load(row + k)) - normal) - vexp(a.scaled(load(row2 + k)) - normal2);
          if (k < from || k + W > to) e = between(e, from - k, to - k);
          squares += e * e;
        }
        sum.add(squares * (named ? queries.weight[first + r] : 1.0f));
      }
    }
    sums[i] = sum.total();
  });

  for (int64_t i = 0; i < of.S * NH; i++) d->diff[i] = 0;
  for (int64_t i = 0; i < tasks; i++) d->diff[find(blocks, i / NH).s * NH + i % NH] += sums[i];
  return 0;
}

} // namespace SK_ISA
} // namespace sk
