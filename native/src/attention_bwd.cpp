#include "attention_distill.h"

namespace sk {
namespace SK_ISA {

// The work of one sequence is cut into at most MAX_CUTS ranges of query rows, so that a few long sequences
// still occupy all threads. Where it is cut depends on the shapes alone.
constexpr int64_t MAX_CUTS = 4, MIN_CUT = 2 * BQ, FEW_TASKS = 32;

// Query rows [first, end) of sequence s: a task for every head. Cut 0 is the last range, which sees all keys.
struct Cut {
  int64_t s, cut, first, end;
  int64_t part; // its part of `parts`, [heads, 2, end, HP]
};

// The heads of a cut whose dk, dv have their own memory until they are added up; the others write into dqkv
// at once.
SK_INLINE int64_t separate(const Cut& c, const Heads& a) { return c.cut ? a.NH : a.NH - a.NKV; }
SK_INLINE int64_t place(const Cut& c, const Heads& a, int64_t h) {
  if (c.cut) return h;
  return h % a.G ? h / a.G * (a.G - 1) + h % a.G - 1 : -1; // -1: the one that writes into dqkv
}

// Cuts of all sequences: sequence s has cuts[s * MAX_CUTS ...]; those it has no use for are empty.
// order: the cuts, the most work first. Returns the floats of all parts.
static int64_t cut_up(Cut* cuts, int64_t* order, const int32_t* cu, int64_t S, const Heads& a) {
  double all = 0;
  for (int64_t s = 0; s < S; s++) all += double(cu[s + 1] - cu[s]) * double(cu[s + 1] - cu[s]);
  int64_t floats = 0;
  for (int64_t s = 0; s < S; s++) {
    int64_t T = cu[s + 1] - cu[s], blocks = (T + BQ - 1) / BQ;
    double share = double(T) * double(T) * FEW_TASKS / (all * double(a.NH) + 1);
    int64_t n = most(1, least(least(MAX_CUTS, T / MIN_CUT), int64_t(share)));
    int64_t end = blocks;
    for (int64_t i = 0; i < MAX_CUTS; i++) {
      // Rows before block b cost about b (b + 1) / 2 tiles; equal shares of that.
      int64_t first = i < n ? end : 0;
      while (first > 0 && first * (first + 1) * n > blocks * (blocks + 1) * (n - 1 - i)) first--;
      Cut& c = cuts[s * MAX_CUTS + i];
      c = {s, i, first * BQ, i < n ? least(T, end * BQ) : 0, floats};
      floats += separate(c, a) * 2 * c.end * a.HP;
      end = first;
    }
  }
  for (int64_t i = 0; i < S * MAX_CUTS; i++) {
    auto work = [&](int64_t j) { return cuts[j].end * cuts[j].end - cuts[j].first * cuts[j].first; };
    int64_t j = i;
    for (; j > 0 && work(order[j - 1]) < work(i); j--) order[j] = order[j - 1];
    order[j] = i;
  }
  return floats;
}

// One row of a tile: s becomes A, da becomes dS = A (dA - D), both zero where the row does not see.
template <bool FULL, bool SENS>
SK_INLINE void differentiate(float* s, float* da, int64_t n, int64_t width, float lse, float D, Sum& sens) {
  if (FULL) n = width = BK;
  vf squares = {};
#pragma GCC unroll 4
  for (int64_t j = 0; j < n; j += W) {
    vf p = vexp(load(s + j) - lse), d = load(da + j);
    if (!FULL && j + W > n) p = first(p, n - j), d = first(d, n - j);
    if (SENS) squares += d * d;
    store(s + j, p);
    store(da + j, p * (d - D));
  }
  if (SENS) sens.add(squares);
  if (!FULL)
    for (int64_t j = round_up(n, W); j < width; j += W) store(s + j, vf{}), store(da + j, vf{});
}

template <bool SENS>
static void differentiate(const Tile& t, float* s, float* da, const float* lse, const float* D, Sum& sens) {
  for (int64_t r = 0; r < t.rows; r++)
    if (t.visible(r) == BK) differentiate<true, SENS>(s + r * BK, da + r * BK, BK, BK, lse[r], D[r], sens);
    else differentiate<false, SENS>(s + r * BK, da + r * BK, t.visible(r), t.width(), lse[r], D[r], sens);
}

// out += P^T x.   out [keys, HP], p [rows, BK] with zeros where a row does not see, x [rows, HP]
static void scatter_keys(const Tile& t, const Heads& a, float* out, const float* p, const float* x) {
  for (int64_t j = 0; j < t.keys; j += t.strip()) {
    int64_t end = least(t.keys, j + t.strip()), r = most(0, j - t.offset); // the first row that sees key j
    if (r < t.rows)
      product<true>(end - j, a.HP, t.rows - r, p + r * BK + j, 1, BK, x + r * a.HP, a.HP, out + j * a.HP,
                    a.HP);
  }
}

// dA_tj = do_t.v_j, D_t = do_t.o_t, dS_tj = A_tj (dA_tj - D_t) (+ distillation), and with them
// dq_t = scale sum_j dS_tj k_j, dk_j = scale sum_t dS_tj q_t, dv_j = sum_t A_tj do_t;
// sens [S,NH] = sum_{j<=t} dA_tj^2
// dqkv, qkv [N,(NH+2NKV)*HS], dout, o [N,NH*HS], lse [N,NH]
// A task is a query head and a cut: for each block of its queries it visits the keys block by block, with dq
// of the block and dk, dv of the whole head at hand. The heads of a group, and the cuts, are then added up in
// a fixed order.
int attention_bwd(sk_context* ctx, float* dqkv, double* sens, double* kl, const float* dout, const float* qkv,
                  const float* o, const float* lse, const int32_t* cu_seqlens, int64_t S, int64_t NH,
                  int64_t NKV, int64_t HS, const sk_rows* rows, float eps) {
  Heads a(NH, NKV, HS);
  const int64_t HP = a.HP, n_cuts = S * MAX_CUTS;
  Packed packed(cu_seqlens, S);
  int64_t longest = 0;
  for (int64_t s = 0; s < S; s++) longest = most(longest, cu_seqlens[s + 1] - cu_seqlens[s]);

  // Cuts are counted first, for the size of what is shared.
  const int64_t table = round_up(n_cuts * int64_t(sizeof(Cut) + sizeof(int64_t)) / 4, 16);
  float* shared = shared_scratch(ctx, table);
  int64_t parts_size = cut_up((Cut*)shared, (int64_t*)(shared + n_cuts * sizeof(Cut) / 4), cu_seqlens, S, a);
  const int64_t key_floats = NKV * packed.rows;
  shared = shared_scratch(ctx, table + key_floats * (2 * HS + HP) + 2 * n_cuts * NH + parts_size);
  Cut* cuts = (Cut*)shared;
  int64_t* order = (int64_t*)(cuts + n_cuts);
  cut_up(cuts, order, cu_seqlens, S, a);
  float *kt = shared + table, *vt = kt + key_floats * HS, *k = vt + key_floats * HS,
        *parts = k + key_floats * HP;
  double* cut_sens = (double*)(parts + parts_size); // [cuts, NH]
  pack(ctx, packed, a, S, qkv, a.k(0), kt, k);
  pack(ctx, packed, a, S, qkv, a.v(0), vt, nullptr);

  parallel(ctx, n_cuts * NH, [&](int64_t i, int worker) {
    const Cut c = cuts[order[i / NH]];
    const int64_t h = i % NH, kv = h / a.G, begin = cu_seqlens[c.s];
    Sum squares;
    if (c.first < c.end) {
      float* q = scratch(ctx, worker, BQ * (3 * HP + 2 * BK + 2) + 2 * longest * HP + Distill::floats(a));
      float *dy = q + BQ * HP, *dq = dy + BQ * HP, *p = dq + BQ * HP, *ds = p + BQ * BK, *D = ds + BQ * BK;
      float *L = D + BQ, *dk = L + BQ, *dv = dk + longest * HP;
      Distill distill(rows, kl, eps, c.s, h, dv + longest * HP);
      clear(dk, c.end * HP);
      clear(dv, c.end * HP);
      for (int64_t first = c.first; first < c.end; first += BQ) {
        const int64_t n_rows = least(BQ, c.end - first), at = kv * packed.rows + packed.at(c.s);
        for (int64_t r = 0; r < n_rows; r++) {
          int64_t n = begin + first + r;
          pack_row(q + r * HP, qkv + n * a.ld + a.q(h), HS, a.scale);
          pack_row(dy + r * HP, dout + (n * NH + h) * HS, HS, 1);
          D[r] = dot(dout + (n * NH + h) * HS, o + (n * NH + h) * HS, HS);
          L[r] = lse[n * NH + h];
        }
        clear(dq, n_rows * HP);
        distill.begin(a, first, n_rows, q, L, kt + at * HS, cu_seqlens[c.s + 1] - begin);
        for (int64_t j = 0; j < first + n_rows; j += BK) {
          Tile t{n_rows, least(BK, cu_seqlens[c.s + 1] - begin - j), first - j};
          scores(t, a, p, q, kt + (at + j) * HS);
          scores(t, a, ds, dy, vt + (at + j) * HS);
          distill.measure(j, t, p, L);
          if (sens) differentiate<true>(t, p, ds, L, D, squares);
          else differentiate<false>(t, p, ds, L, D, squares);
          distill.add(j, t, ds, p);
          scatter_keys(t, a, dv + j * HP, p, dy);
          scatter_keys(t, a, dk + j * HP, ds, q);
          gather_keys(t, a, dq, ds, k + (at + j) * HP);
        }
        for (int64_t r = 0; r < n_rows; r++)
          unpack_row(dqkv + (begin + first + r) * a.ld + a.q(h), dq + r * HP, HS, a.scale);
      }
      const int64_t slot = place(c, a, h);
      if (slot < 0) {
        for (int64_t j = 0; j < c.end; j++) {
          unpack_row(dqkv + (begin + j) * a.ld + a.k(kv), dk + j * HP, HS, 1);
          unpack_row(dqkv + (begin + j) * a.ld + a.v(kv), dv + j * HP, HS, 1);
        }
      } else {
        memcpy(parts + c.part + slot * 2 * c.end * HP, dk, c.end * HP * sizeof(float));
        memcpy(parts + c.part + (slot * 2 + 1) * c.end * HP, dv, c.end * HP * sizeof(float));
      }
    }
    cut_sens[order[i / NH] * NH + h] = squares.total();
  });

  if (parts_size) {
    Blocks blocks{cu_seqlens, S, BQ};
    parallel(ctx, blocks.slots() * NKV, [&](int64_t i, int) {
      const int64_t kv = i % NKV;
      Range b = find(blocks, i / NKV);
      for (const Cut* c = cuts + b.s * MAX_CUTS; c < cuts + (b.s + 1) * MAX_CUTS; c++)
        for (int64_t h = kv * a.G; h < (kv + 1) * a.G; h++) {
          const int64_t slot = place(*c, a, h);
          const float *dk = parts + c->part + slot * 2 * c->end * HP, *dv = dk + c->end * HP;
          for (int64_t j = b.first; slot >= 0 && j < least(b.first + b.rows, c->end); j++) {
            float* row = dqkv + (b.begin + j) * a.ld;
            add_row(row + a.k(kv), dk + j * HP, HS);
            add_row(row + a.v(kv), dv + j * HP, HS);
          }
        }
    });
  }
  for (int64_t i = 0; sens && i < S * NH; i++) {
    sens[i] = 0;
    for (int64_t c = 0; c < MAX_CUTS; c++) sens[i] += cut_sens[(i / NH * MAX_CUTS + c) * NH + i % NH];
  }
  return 0;
}

} // namespace SK_ISA
} // namespace sk
