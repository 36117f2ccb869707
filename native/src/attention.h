// What the attention kernels share: the shape of qkv, blocks of rows as tasks, packed keys and values, tiles
// of scores.
#ifndef SEEKR_ATTENTION_H
#define SEEKR_ATTENTION_H
#include "attention_tile.h"
#include "kernels.h"

namespace sk {
namespace SK_ISA {

constexpr int64_t BQ = 64, BK = 64; // a tile of scores: query rows x keys
constexpr int64_t STRIP = 16;       // rows of a tile on the diagonal that are treated alike

struct Heads {
  int64_t NH, NKV, HS;
  int64_t G;  // query heads that share a key-value head
  int64_t HP; // HS padded to whole vectors
  int64_t ld; // a row of qkv
  float scale;
  Heads(int64_t NH, int64_t NKV, int64_t HS)
      : NH(NH), NKV(NKV), HS(HS), G(NH / NKV), HP(round_up(HS, W)), ld((NH + 2 * NKV) * HS),
        scale(float(1 / __builtin_sqrt(double(HS)))) {}
  int64_t q(int64_t h) const { return h * HS; }
  int64_t k(int64_t kv) const { return (NH + kv) * HS; }
  int64_t v(int64_t kv) const { return (NH + NKV + kv) * HS; }
};

// Blocks of at most `size` rows of every sequence are numbered without a table: sequence s owns the slots
// from start[s] / size + s, at least as many as it has blocks; those left over are empty. The last block
// comes first, for it has most keys to look at.
struct Blocks {
  const int32_t* start; // [S+1]
  int64_t S, size;
  int64_t slots() const { return S ? start[S] / size + S : 0; }
};
struct Range {
  int64_t s;             // sequence
  int64_t begin, length; // of the sequence
  int64_t first, rows;   // of the block, within its sequence; no rows: an empty slot
};
SK_INLINE Range find(const Blocks& b, int64_t slot) {
  int64_t low = 0, high = b.S;
  while (high - low > 1) {
    int64_t middle = (low + high) / 2;
    (b.start[middle] / b.size + middle <= slot ? low : high) = middle;
  }
  int64_t begin = b.start[low], length = b.start[low + 1] - begin;
  int64_t i = (length + b.size - 1) / b.size - 1 - (slot - begin / b.size - low);
  if (i < 0) return {low, begin, length, 0, 0};
  return {low, begin, length, i * b.size, least(b.size, length - i * b.size)};
}

// A key-value head, packed once for all query blocks that look at it. Rows of a sequence begin at a multiple
// of W.
//   transposed  tiles [HS, width] of BK keys (the last one narrower, a multiple of W), one behind the other
//   rows        [HP] each
// Both hold `count` floats a head; tile and row of key j of sequence s begin at at(s) + j times HS or HP.
struct Packed {
  const int32_t* cu;
  int64_t rows; // over all sequences, padded
  Packed(const int32_t* cu, int64_t S) : cu(cu), rows(round_up(cu[S], W) + S * W) {}
  int64_t at(int64_t s) const { return round_up(cu[s], W) + s * W; }
};

// Packs columns `from` + kv * HS of x for each kv < NKV.
// transposed [NKV, rows, HS], rows [NKV, rows, HP], or NULL
static inline void pack(sk_context* ctx, const Packed& p, const Heads& a, int64_t S, const float* x,
                        int64_t from, float* transposed, float* rows) {
  Blocks blocks{p.cu, S, BK};
  parallel(ctx, blocks.slots() * a.NKV, [=](int64_t i, int) {
    int64_t kv = i % a.NKV;
    Range r = find(blocks, i / a.NKV);
    if (!r.rows) return;
    const float* in = x + (r.begin + r.first) * a.ld + from + kv * a.HS;
    int64_t at = kv * p.rows + p.at(r.s) + r.first;
    if (transposed) pack_transposed(transposed + at * a.HS, round_up(r.rows, W), in, a.ld, r.rows, a.HS);
    if (rows)
      for (int64_t j = 0; j < r.rows; j++) pack_row(rows + (at + j) * a.HP, in + j * a.ld, a.HS, 1);
  });
}

// Where a block of queries meets a block of keys: row r sees the first visible(r) keys. Tiles have rows of BK
// floats.
struct Tile {
  int64_t rows, keys, offset; // offset: position of the first row minus position of the first key
  int64_t width() const { return round_up(keys, W); }
  int64_t visible(int64_t r) const { return most(0, least(keys, offset + r + 1)); }
  // Off the diagonal every row sees every key; on it, strips leave out most of what no row of theirs sees.
  bool full() const { return offset + 1 >= keys; }
  int64_t strip() const { return full() ? BQ : STRIP; }
};

// S = Q K^T.   s [rows, BK], q [rows, HP], kt [HS, width]
static inline void scores(const Tile& t, const Heads& a, float* s, const float* q, const float* kt) {
  for (int64_t r = 0; r < t.rows; r += t.strip()) {
    int64_t end = least(t.rows, r + t.strip());
    int64_t width = round_up(t.visible(end - 1), W);
    product<false>(end - r, width, a.HS, q + r * a.HP, a.HP, 1, kt, t.width(), s + r * BK, BK);
  }
}
// out += P x.   out [rows, HP], p [rows, BK] with zeros where a row does not see, x [keys, HP]
static inline void gather_keys(const Tile& t, const Heads& a, float* out, const float* p, const float* x) {
  for (int64_t r = 0; r < t.rows; r += t.strip()) {
    int64_t end = least(t.rows, r + t.strip());
    product<true>(end - r, a.HP, t.visible(end - 1), p + r * BK, BK, 1, x, a.HP, out + r * a.HP, a.HP);
  }
}

} // namespace SK_ISA
} // namespace sk
#endif
