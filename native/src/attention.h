// What the attention kernels share: the shape of qkv, which keys a row sees, blocks of rows as tasks, packed
// keys and values, tiles of scores.
#ifndef SEEKR_ATTENTION_H
#define SEEKR_ATTENTION_H
#include "attention_tile.h"
#include "kernels.h"

namespace sk {
namespace SK_ISA {

// A tile of scores: query rows x keys. Of floats and of pairs, T 512 with HS 64 and T 1024 with HS 128:
//   tried BQ 32: 1 % faster to 4 % slower forward, 2 to 3 % slower backward
//         BQ 128: as fast forward, 2 to 5 % faster backward, but at T 128 5 % slower
//         BK 32: 2 to 10 % slower forward, 1 to 5 % backward
//         BK 128: 1 to 7 % faster forward, 1 to 3 % backward, but at T 128 4 % slower
constexpr int64_t BQ = 64, BK = 64;
// Rows of a tile on an edge of what is seen that are treated alike.
// tried 8: 3 % faster to 3 % slower, 32: 1 % faster to 4 % slower, whole tiles: 2 to 8 % slower
#ifdef __AMX_BF16__
constexpr int64_t STRIP = 32; // the pairs of a tile register; tried 16: 3 to 10 % slower
static_assert(BQ / TERMS <= MOST_PAIRS);
#else
constexpr int64_t STRIP = 16;
#endif
constexpr int64_t ALL = INT32_MAX; // a window that holds every key: positions are below it

// The shape of attention: of an sk_attention or an sk_decode.
struct Heads {
  int64_t NH, NKV, HS;
  int64_t G;  // query heads that share a key-value head
  int64_t HP; // HS padded to whole vectors
  int64_t ld; // a row of qkv
  int64_t window;
  float scale;
  // Products of bfloat16 are exact as floats, so there their sums are scaled; else it is q.
  static constexpr bool SCALE_SUMS = sizeof(E) < sizeof(float);
  template <class A>
  explicit Heads(const A& a)
      : NH(a.NH), NKV(a.NKV), HS(a.HS), G(NH / NKV), HP(round_up(HS, W)), ld((NH + 2 * NKV) * HS),
        window(a.window ? least(a.window, ALL) : ALL), scale(a.scale) {}
  int64_t HF() const { return factors(HS); } // factors of HS and HP elements
  int64_t HQ() const { return HP / TERMS; }
  float q_scale() const { return SCALE_SUMS ? 1 : scale; }
  SK_INLINE_MEMBER vf scaled(vf sum) const { return SCALE_SUMS ? sum * scale : sum; }
  int64_t q(int64_t h) const { return h * HS; }
  int64_t k(int64_t kv) const { return (NH + kv) * HS; }
  int64_t v(int64_t kv) const { return (NH + NKV + kv) * HS; }
  // The first key that row t sees, and the block of keys it lies in; the last is t.
  int64_t first_key(int64_t t) const { return most(0, t + 1 - window); }
  int64_t first_block(int64_t t) const { return first_key(t) / BK * BK; }
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
//   transposed  tiles [HF, width] of BK keys (the last one narrower, a multiple of W), one behind the other
//   right       [rows / TERMS, HP]
// The tile of key j of sequence s, a multiple of BK, begins at (at(s) + j) HF, its row at (at(s) + j) HQ.
struct Packed {
  const int32_t* cu;
  int64_t rows; // over all sequences, padded
  Packed(const int32_t* cu, int64_t S) : cu(cu), rows(round_up(cu[S], W) + S * W) {}
  int64_t at(int64_t s) const { return round_up(cu[s], W) + s * W; }
};

// Packs columns `from` + kv * HS of x for each kv < NKV.
// transposed [NKV, rows, HF], right [NKV, rows, HQ], or NULL
static inline void pack(sk_context* ctx, const Packed& p, const Heads& a, int64_t S, const E* x, int64_t from,
                        F* transposed, F* right) {
  Blocks blocks{p.cu, S, BK};
  parallel(ctx, blocks.slots() * a.NKV, [=](int64_t i, int) {
    int64_t kv = i % a.NKV;
    Range r = find(blocks, i / a.NKV);
    if (!r.rows) return;
    const E* in = x + (r.begin + r.first) * a.ld + from + kv * a.HS;
    int64_t at = kv * p.rows + p.at(r.s) + r.first;
    if (transposed) pack_transposed(transposed + at * a.HF(), round_up(r.rows, W), in, a.ld, r.rows, a.HS);
    if (right) pack_right(right + at * a.HQ(), a.HP, in, a.ld, r.rows, a.HS);
  });
}

// Where a block of queries meets a block of keys: row r sees keys [begin(r), end(r)), both of which ascend in
// r. Tiles have rows of BK floats.
struct Tile {
  int64_t rows, keys, offset; // offset: position of the first row minus position of the first key
  int64_t window;
  int64_t width() const { return round_up(keys, W); }
  int64_t begin(int64_t r) const { return most(0, least(keys, offset + r + 1 - window)); }
  int64_t end(int64_t r) const { return most(0, least(keys, offset + r + 1)); }
  bool sees_all(int64_t r) const { return begin(r) == 0 && end(r) == BK; }
  // The rows that see some of keys [j, j_end).
  int64_t first_row(int64_t j) const { return most(0, j - offset); }
  int64_t end_row(int64_t j_end) const { return least(rows, j_end - 1 - offset + window); }
  // Off the diagonal and within the window every row sees every key; elsewhere, strips leave out most of what
  // no row of theirs sees.
  bool full() const { return offset + 1 >= keys && begin(rows - 1) == 0; }
  int64_t strip() const { return full() ? BQ : STRIP; }
};

// What row r of a tile sees: [begin, end) of its `width` floats. ALL_SEEN: known to be BK.
template <bool ALL_SEEN> struct Seen {
  int64_t begin, end, width;
  SK_INLINE_MEMBER Seen(const Tile& t, int64_t r)
      : begin(ALL_SEEN ? 0 : t.begin(r)), end(ALL_SEEN ? BK : t.end(r)), width(ALL_SEEN ? BK : t.width()) {}
  // The first vector that holds a seen key.
  SK_INLINE_MEMBER int64_t first() const { return begin / W * W; }
  // The vector v at j, with `rest` in the lanes that are not seen.
  SK_INLINE_MEMBER vf only(vf v, int64_t j, vf rest = vf{}) const {
    return !ALL_SEEN && (j < begin || j + W > end) ? between(v, begin - j, end - j, rest) : v;
  }
  // put(j, 0) for the vectors that hold no seen key.
  template <class Put> SK_INLINE_MEMBER void clear_others(Put put) const {
    if (ALL_SEEN) return;
    for (int64_t j = 0; j < first(); j += W) put(j, vf{});
    for (int64_t j = round_up(end, W); j < width; j += W) put(j, vf{});
  }
};

// S = Q K^T.   s [rows, BK], q [rows, HQ], kt [HF, width]
static inline void scores(const Tile& t, const Heads& a, float* s, const F* q, const F* kt) {
  for (int64_t r = 0; r < t.rows; r += t.strip()) {
    int64_t end = least(t.rows, r + t.strip());
    int64_t from = t.begin(r) / W * W, to = round_up(t.end(end - 1), W);
    product<false>(end - r, to - from, a.HF(), q + r * a.HQ(), a.HQ(), 1, kt + from, t.width(),
                   s + r * BK + from, BK);
  }
}
// out += P x.   out [rows, HP], p left rows of BK factors with zeros where a row does not see,
// x [keys / TERMS, HP]
static inline void gather_keys(const Tile& t, const Heads& a, float* out, const F* p, const F* x) {
  for (int64_t r = 0; r < t.rows; r += t.strip()) {
    int64_t end = least(t.rows, r + t.strip()), from = t.begin(r) / TERMS;
    product<true>(end - r, a.HP, factors(t.end(end - 1)) - from, p + r * BK + from, BK, 1, x + from * a.HP,
                  a.HP, out + r * a.HP, a.HP);
  }
}

} // namespace SK_ISA
} // namespace sk
#endif
