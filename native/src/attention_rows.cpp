#include "attention.h"

namespace sk {
namespace SK_ISA {

// Queries at any ascending positions of a sequence: a tile of them sees keys by position, not by a diagonal.
struct Sample {
  int64_t rows;
  int64_t position[BQ];
};

// x [N, (NH+2NKV)*HS]; begin: of the sequence
static void pack_queries(const Sample& sample, float* q, const Heads& a, const float* x, int64_t begin,
                         int64_t h) {
  for (int64_t r = 0; r < sample.rows; r++)
    pack_row(q + r * a.HP, x + (begin + sample.position[r]) * a.ld + a.q(h), a.HS, a.scale);
}

// The row with which those begin that see key j.
SK_INLINE int64_t first_seeing(const Sample& sample, int64_t j) {
  int64_t r = 0;
  while (r < sample.rows && sample.position[r] < j) r++;
  return r;
}

// Writes A_tj = exp(S_tj - lse_t) of the sampled rows of the selected heads into rows->p.
// A task is a head and a block of sampled rows of one sequence.
int attention_capture(sk_context* ctx, const sk_rows* rows, const float* qkv, const float* lse,
                      const int32_t* cu_seqlens, int64_t S, int64_t NH, int64_t NKV, int64_t HS) {
  Heads a(NH, NKV, HS);
  Blocks blocks{rows->row_start, S, BQ};
  parallel(ctx, blocks.slots() * rows->H, [&](int64_t i, int worker) {
    const int64_t index = i % rows->H, h = rows->heads[index];
    Range b = find(blocks, i / rows->H);
    if (!b.rows) return;
    const int64_t begin = cu_seqlens[b.s], length = cu_seqlens[b.s + 1] - begin,
                  first_row = b.begin + b.first;
    float* q = scratch(ctx, worker, BQ * (a.HP + BK) + BK * HS);
    float *s = q + BQ * a.HP, *kt = s + BQ * BK;
    Sample sample;
    sample.rows = b.rows;
    for (int64_t r = 0; r < b.rows; r++) sample.position[r] = rows->pos[first_row + r];
    pack_queries(sample, q, a, qkv, begin, h);
    for (int64_t j = 0; j <= sample.position[b.rows - 1]; j += BK) {
      const int64_t keys = least(BK, length - j), width = round_up(keys, W), from = first_seeing(sample, j);
      pack_transposed(kt, width, qkv + (begin + j) * a.ld + a.k(h / a.G), a.ld, keys, HS);
      product<false>(b.rows - from, width, HS, q + from * a.HP, a.HP, 1, kt, width, s, BK);
      for (int64_t r = from; r < b.rows; r++) {
        const int64_t t = sample.position[r];
        float* out = rows->p + rows->H * rows->prefix[first_row + r] + index * (t + 1) + j;
        const float normal = lse[(begin + t) * NH + h];
        each_vector(least(keys, t + 1 - j), [&](int64_t c, auto lanes) {
          lanes.put(out + c, vexp(load(s + (r - from) * BK + c) - normal));
        });
      }
    }
  });
  return 0;
}

// diff [S,NH] = sum of (A_tj - A'_tj)^2 over j <= t and all rows t, or over the sampled rows, each weight[i]
// times. A task is a head and a block of rows, and yields one sum; the sums are added up in order.
int attention_diff(sk_context* ctx, double* diff, const float* qkv, const float* lse, const float* qkv2,
                   const float* lse2, const int32_t* cu_seqlens, int64_t S, int64_t NH, int64_t NKV,
                   int64_t HS, const sk_rows* rows) {
  Heads a(NH, NKV, HS);
  Packed packed(cu_seqlens, S);
  Blocks blocks{rows ? rows->row_start : cu_seqlens, S, BQ};
  const int64_t tasks = blocks.slots() * NH;
  float* kt = shared_scratch(ctx, 2 * NKV * packed.rows * HS + 2 * tasks);
  float* kt2 = kt + NKV * packed.rows * HS;
  double* sums = (double*)(kt2 + NKV * packed.rows * HS); // [slots, NH]
  pack(ctx, packed, a, S, qkv, a.k(0), kt, nullptr);
  pack(ctx, packed, a, S, qkv2, a.k(0), kt2, nullptr);

  parallel(ctx, tasks, [&](int64_t i, int worker) {
    const int64_t h = i % NH;
    Range b = find(blocks, i / NH);
    sums[i] = 0;
    if (!b.rows) return;
    const int64_t begin = cu_seqlens[b.s], length = cu_seqlens[b.s + 1] - begin;
    float* q = scratch(ctx, worker, 2 * BQ * (a.HP + BK));
    float *q2 = q + BQ * a.HP, *s = q2 + BQ * a.HP, *s2 = s + BQ * BK;
    Sample sample;
    sample.rows = b.rows;
    for (int64_t r = 0; r < b.rows; r++)
      sample.position[r] = rows ? rows->pos[b.begin + b.first + r] : b.first + r;
    pack_queries(sample, q, a, qkv, begin, h);
    pack_queries(sample, q2, a, qkv2, begin, h);
    Sum sum;
    for (int64_t j = 0; j <= sample.position[b.rows - 1]; j += BK) {
      const int64_t keys = least(BK, length - j), width = round_up(keys, W), from = first_seeing(sample, j);
      const int64_t tile = (h / a.G * packed.rows + packed.at(b.s) + j) * HS;
      product<false>(b.rows - from, width, HS, q + from * a.HP, a.HP, 1, kt + tile, width, s, BK);
      product<false>(b.rows - from, width, HS, q2 + from * a.HP, a.HP, 1, kt2 + tile, width, s2, BK);
      for (int64_t r = from; r < b.rows; r++) {
        const int64_t t = sample.position[r], n = least(keys, t + 1 - j);
        const float normal = lse[(begin + t) * NH + h], normal2 = lse2[(begin + t) * NH + h];
        const float *row = s + (r - from) * BK, *row2 = s2 + (r - from) * BK;
        vf squares = {};
        for (int64_t c = 0; c < n; c += W) {
          vf d = vexp(load(row + c) - normal) - vexp(load(row2 + c) - normal2);
          if (c + W > n) d = first(d, n - c);
          squares += d * d;
        }
        sum.add(squares * (rows ? rows->weight[b.begin + b.first + r] : 1.0f));
      }
    }
    sums[i] = sum.total();
  });

  for (int64_t i = 0; i < S * NH; i++) diff[i] = 0;
  for (int64_t i = 0; i < tasks; i++) diff[find(blocks, i / NH).s * NH + i % NH] += sums[i];
  return 0;
}

} // namespace SK_ISA
} // namespace sk
