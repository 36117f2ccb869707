#include "attention_distill.h"

namespace sk {
namespace SK_ISA {

// The work of one sequence is cut into at most MAX_CUTS ranges of query rows, so that a few long sequences
// still occupy all threads. Where it is cut depends on the shapes alone. Cuts cost time, which is all that
// one thread shows of them (T 512, 9 heads):
//   tried MAX_CUTS 1: 3 to 5 % faster, 2: 2 to 3 %
//         MIN_CUT BQ: 3 % slower, 4 BQ: 3 % faster (T 256, floats)
//         FEW_TASKS 16: 3 to 7 % faster, but then there are 9 tasks, 64: 2 to 3 % slower
constexpr int64_t MAX_CUTS = 4, MIN_CUT = 2 * BQ, FEW_TASKS = 32;

// Query rows [first, end) of sequence s, which see keys [keys, end): a task for every head. Cut 0 is the last
// range.
struct Cut {
  int64_t s, cut, first, end, keys;
  bool direct;  // a head of each group writes into dqkv at once; the others are added to that
  int64_t part; // its part of `parts`, [heads, 2, end - keys, HP]
  int64_t floats(const Heads& a) const { return (end - keys) * a.HP; }
};

// Sums are rounded once: into bfloat16 goes what nothing is added to.
SK_INLINE bool direct(int64_t cut, int64_t cuts, const Heads& a) {
  return cut == 0 && (sizeof(E) == sizeof(float) || (cuts == 1 && a.G == 1));
}

// The heads of a cut whose dk, dv have their own memory until they are added up.
SK_INLINE int64_t separate(const Cut& c, const Heads& a) { return c.direct ? a.NH - a.NKV : a.NH; }
SK_INLINE int64_t place(const Cut& c, const Heads& a, int64_t h) {
  if (!c.direct) return h;
  return h % a.G ? h / a.G * (a.G - 1) + h % a.G - 1 : -1; // -1: the one that writes into dqkv
}

// The tiles that the blocks of queries before block b are made of: 1 + 2 + ..., but never more a block than
// the window touches.
SK_INLINE int64_t tiles_before(int64_t b, const Heads& a) {
  const int64_t touched = (a.window + BK - 2) / BK + 1, rising = least(b, touched);
  return rising * (rising + 1) / 2 + (b - rising) * touched;
}

// Cuts of all sequences: sequence s has cuts[s * MAX_CUTS ...]; those it has no use for are empty.
// order: the cuts, the most work first. Returns the floats of all parts.
static int64_t cut_up(Cut* cuts, int64_t* order, const int32_t* cu, int64_t S, const Heads& a) {
  auto pairs = [&](int64_t T) { return double(T) * double(least(T, a.window)); };
  double all = 0;
  for (int64_t s = 0; s < S; s++) all += pairs(cu[s + 1] - cu[s]);
  int64_t floats = 0;
  for (int64_t s = 0; s < S; s++) {
    int64_t T = cu[s + 1] - cu[s], blocks = (T + BQ - 1) / BQ;
    double share = pairs(T) * FEW_TASKS / (all * double(a.NH) + 1);
    int64_t n = most(1, least(least(MAX_CUTS, T / MIN_CUT), int64_t(share)));
    int64_t end = blocks;
    for (int64_t i = 0; i < MAX_CUTS; i++) { // equal shares of the tiles
      int64_t first = i < n ? end : 0;
      while (first > 0 && tiles_before(first, a) * n > tiles_before(blocks, a) * (n - 1 - i)) first--;
      Cut& c = cuts[s * MAX_CUTS + i];
      c = {s,     i, first * BQ, i < n ? least(T, end * BQ) : 0, a.first_block(first * BQ), direct(i, n, a),
           floats};
      floats += separate(c, a) * 2 * c.floats(a);
      end = first;
    }
  }
  for (int64_t i = 0; i < S * MAX_CUTS; i++) {
    auto work = [&](int64_t j) {
      return tiles_before((cuts[j].end + BQ - 1) / BQ, a) - tiles_before(cuts[j].first / BQ, a);
    };
    int64_t j = i;
    for (; j > 0 && work(order[j - 1]) < work(i); j--) order[j] = order[j - 1];
    order[j] = i;
  }
  return floats;
}

// One row of a tile: s becomes A, da becomes dS = A (dA - D), both zero where the row does not see.
template <bool SENS, bool ALL_SEEN>
SK_INLINE void differentiate(const Heads& a, Seen<ALL_SEEN> seen, float* s, float* da, float lse, float D,
                             Sum& sens) {
  vf squares = {};
#pragma GCC unroll 4
  for (int64_t j = seen.first(); j < seen.end; j += W) {
    vf p = seen.only(vexp(a.scaled(load(s + j)) - lse), j), d = seen.only(load(da + j), j);
    if (SENS) squares += d * d;
    store(s + j, p);
    store(da + j, p * (d - D));
  }
  if (SENS) sens.add(squares);
  seen.clear_others([=](int64_t j, vf zero) { store(s + j, zero), store(da + j, zero); });
}

template <bool SENS>
static void differentiate(const Tile& t, const Heads& a, float* s, float* da, const float* lse,
                          const float* D, Sum& sens) {
  for (int64_t r = 0; r < t.rows; r++)
    if (t.sees_all(r)) differentiate<SENS>(a, Seen<true>(t, r), s + r * BK, da + r * BK, lse[r], D[r], sens);
    else differentiate<SENS>(a, Seen<false>(t, r), s + r * BK, da + r * BK, lse[r], D[r], sens);
}

// out += P^T x.   out [keys, HP], p across rows, with zeros where a row does not see, x [rows / TERMS, HP]
static void scatter_keys(const Tile& t, const Heads& a, float* out, const F* p, const F* x) {
  for (int64_t j = 0; j < t.keys; j += t.strip()) {
    int64_t end = least(t.keys, j + t.strip()), r = t.first_row(j) / TERMS;
    int64_t rows = factors(t.end_row(end)) - r;
    if (rows > 0)
      product<true>(end - j, a.HP, rows, p + r * TERMS * BK + j, 1, TERMS * BK, x + r * a.HP, a.HP,
                    out + j * a.HP, a.HP);
  }
}

// x *= scale, n floats of whole vectors
static void scale_all(float* x, int64_t n, float scale) {
  for (int64_t i = 0; i < n; i += W) store(x + i, load(x + i) * scale);
}

// dA_tj = do_t.v_j, D_t = do_t.o_t, dS_tj = A_tj (dA_tj - D_t) (+ distillation), and with them
// dq_t = scale sum_j dS_tj k_j, dk_j = scale sum_t dS_tj q_t, dv_j = sum_t A_tj do_t;
// sens [S,NH] = sum_tj dA_tj^2, all over t - window < j <= t
// dqkv, qkv [N,(NH+2NKV)*HS], dout, o [N,NH*HS], lse [N,NH]
// A task is a query head and a cut: for each block of its queries it visits the keys block by block, with dq
// of the block and dk, dv of the whole head at hand. The heads of a group, and the cuts, are then added up in
// a fixed order.
int attention_bwd(sk_context* ctx, const sk_attention_gradient* g) {
  const sk_attention& of = g->of;
  const Heads a(of);
  const int32_t* cu = of.cu_seqlens;
  const int64_t S = of.S, NH = a.NH, HS = a.HS, HP = a.HP, n_cuts = S * MAX_CUTS;
  const Packed packed(cu, S);
  int64_t longest = 0;
  for (int64_t s = 0; s < S; s++) longest = most(longest, cu[s + 1] - cu[s]);

  // Cuts are counted first, for the size of what is shared.
  const int64_t table = round_up(n_cuts * int64_t(sizeof(Cut) + sizeof(int64_t)) / 4, 16);
  float* shared = shared_scratch(ctx, table);
  int64_t parts_size = cut_up((Cut*)shared, (int64_t*)(shared + n_cuts * sizeof(Cut) / 4), cu, S, a);
  const int64_t key_rows = a.NKV * packed.rows;
  const int64_t packed_size = round_up(key_rows * (2 * a.HF() + a.HQ()), 16);
  shared = shared_scratch(ctx, table + packed_size + 2 * n_cuts * NH + parts_size);
  Cut* cuts = (Cut*)shared;
  int64_t* order = (int64_t*)(cuts + n_cuts);
  cut_up(cuts, order, cu, S, a);
  F *kt = (F*)(shared + table), *vt = kt + key_rows * a.HF(), *k = vt + key_rows * a.HF();
  float* parts = shared + table + packed_size;
  double* cut_sens = (double*)(parts + parts_size); // [cuts, NH]
  pack(ctx, packed, a, S, elements(of.qkv), a.k(0), kt, k);
  pack(ctx, packed, a, S, elements(of.qkv), a.v(0), vt, nullptr);

  parallel(ctx, n_cuts * NH, [=](int64_t i, int worker) {
    const Cut c = cuts[order[i / NH]];
    const int64_t h = i % NH, kv = h / a.G, begin = cu[c.s], length = cu[c.s + 1] - begin;
    const int64_t slot = place(c, a, h);
    Sum squares;
    if (c.first < c.end) {
      const Tiles tiles;
      float* memory =
          scratch(ctx, worker, BQ * (3 * HP + 2 * BK + 2) + 2 * longest * HP + Distill::floats(a));
      const Sides q(memory, BQ, HP), dy(memory + BQ * HP, BQ, HP);
      float *dq = memory + 2 * BQ * HP, *p = dq + BQ * HP, *ds = p + BQ * BK, *D = ds + BQ * BK;
      float *L = D + BQ, *own = L + BQ;
      Distill distill(*g, a, c.s, h, own + 2 * longest * HP);
      // dk, dv of keys [keys, end). Into dqkv go zeros too, for keys that no row here sees.
      const int64_t keys = slot < 0 ? 0 : c.keys, floats = (c.end - keys) * HP;
      float *dk = slot < 0 ? own : parts + c.part + slot * 2 * floats, *dv = dk + floats;
      clear(dk, 2 * floats);
      for (int64_t first = c.first; first < c.end; first += BQ) {
        const int64_t n_rows = least(BQ, c.end - first), at = kv * packed.rows + packed.at(c.s);
        const int64_t n = begin + first;
        const E* dout = elements(g->dout) + (n * NH + h) * HS;
        q.pack(elements(of.qkv) + n * a.ld + a.q(h), a.ld, n_rows, HS, HP, a.q_scale());
        dy.pack(dout, NH * HS, n_rows, HS, HP, 1);
        for (int64_t r = 0; r < n_rows; r++) {
          D[r] = dot(dout + r * NH * HS, elements(of.o) + ((n + r) * NH + h) * HS, HS);
          L[r] = of.lse[(n + r) * NH + h];
        }
        clear(dq, n_rows * HP);
        distill.begin(first, n_rows, q.left, L, kt + at * a.HF(), length);
        for (int64_t j = a.first_block(first); j < first + n_rows; j += BK) {
          Tile t{n_rows, least(BK, length - j), first - j, a.window};
          scores(t, a, p, q.left, kt + (at + j) * a.HF());
          scores(t, a, ds, dy.left, vt + (at + j) * a.HF());
          distill.measure(j, t, p, L);
          if (g->sens) differentiate<true>(t, a, p, ds, L, D, squares);
          else differentiate<false>(t, a, p, ds, L, D, squares);
          distill.add(j, t, ds, p);
          const Weights weights(p, ds, BK, t.rows, t.width());
          scatter_keys(t, a, dv + (j - keys) * HP, weights.p_across, dy.right);
          scatter_keys(t, a, dk + (j - keys) * HP, weights.ds_across, q.right);
          gather_keys(t, a, dq, weights.ds_along, k + (at + j) * a.HQ());
        }
        for (int64_t r = 0; r < n_rows; r++)
          unpack_row(elements(g->dqkv) + (begin + first + r) * a.ld + a.q(h), dq + r * HP, HS, a.scale);
      }
      if (a.SCALE_SUMS) scale_all(dk, floats, a.scale);
      for (int64_t j = 0; slot < 0 && j < c.end; j++) {
        unpack_row(elements(g->dqkv) + (begin + j) * a.ld + a.k(kv), dk + j * HP, HS, 1);
        unpack_row(elements(g->dqkv) + (begin + j) * a.ld + a.v(kv), dv + j * HP, HS, 1);
      }
    }
    cut_sens[order[i / NH] * NH + h] = squares.total();
  });

  if (parts_size) {
    const Blocks blocks{cu, S, BQ};
    parallel(ctx, blocks.slots() * a.NKV, [=](int64_t i, int worker) {
      const int64_t kv = i % a.NKV;
      Range b = find(blocks, i / a.NKV);
      const Cut* last = cuts + b.s * MAX_CUTS;
      float *dk = scratch(ctx, worker, 2 * BQ * HP), *dv = dk + BQ * HP; // [rows, HP]
      E* out = elements(g->dqkv) + (b.begin + b.first) * a.ld;
      clear(dk, 2 * BQ * HP);
      for (int64_t j = 0; last->direct && j < b.rows; j++) {
        pack_row(dk + j * HP, out + j * a.ld + a.k(kv), HS, 1);
        pack_row(dv + j * HP, out + j * a.ld + a.v(kv), HS, 1);
      }
      for (const Cut* c = last; c < last + MAX_CUTS; c++) {
        const int64_t from = most(b.first, c->keys), n = (least(b.first + b.rows, c->end) - from) * HP;
        for (int64_t h = kv * a.G; n > 0 && h < (kv + 1) * a.G; h++) {
          const int64_t slot = place(*c, a, h);
          if (slot < 0) continue;
          const float* part = parts + c->part + slot * 2 * c->floats(a) + (from - c->keys) * HP;
          add_row(dk + (from - b.first) * HP, part, n);
          add_row(dv + (from - b.first) * HP, part + c->floats(a), n);
        }
      }
      for (int64_t j = 0; j < b.rows; j++) {
        unpack_row(out + j * a.ld + a.k(kv), dk + j * HP, HS, 1);
        unpack_row(out + j * a.ld + a.v(kv), dv + j * HP, HS, 1);
      }
    });
  }
  for (int64_t i = 0; g->sens && i < S * NH; i++) {
    g->sens[i] = 0;
    for (int64_t c = 0; c < MAX_CUTS; c++) g->sens[i] += cut_sens[(i / NH * MAX_CUTS + c) * NH + i % NH];
  }
  return 0;
}

} // namespace SK_ISA
} // namespace sk
