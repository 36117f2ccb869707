// matmul of bfloat16 by AMX.
//
// A task is a piece of y. It packs its columns of B into strips (pairs.h), and its rows of A where tiles
// cannot be loaded from where they lie; so what it multiplies is in its own core's cache. K is summed over in
// stretches; sums of several are floats until the last.
#include "amx.h"
#include "pairs.h"

namespace sk {
namespace SK_ISA {

static constexpr int64_t SIDE = 2 * STRIP; // of a tile of y, which is four sums

// Two threads of an Intel Xeon, shapes of SmolLM2-135M and LLaMA-2-7B. Instead of packing by each task tried
// packing once, by all: 10 to 40 % slower, as half of it lies in the other core's cache.
static constexpr int64_t STRETCH = 2048; // k at most; no other was tried
static constexpr int64_t CACHED =
    600 * 1024; // elements of B that a piece needs; tried 400 K: 2 to 20 % slower
static constexpr int64_t ROWS =
    512; // of a piece; tried 256: 4 to 9 % slower, 1024: 3 % faster to 20 % slower
static constexpr int64_t LEAST = 96; // of its rows or columns
static constexpr int64_t TASKS = 2;  // for a thread; tried 4: 0 to 20 % slower, 8: up to 40 %

// The pieces of y.
struct Grid {
  int64_t m, n, down, across;

  // A piece's columns of B stay in the second-level cache. Rows of A that have to be packed are packed again
  // for every piece across: there are few then. No element's bits depend on the piece it is in.
  Grid(const sk_product& a, int64_t few) {
    const int64_t k = least(a.K, STRETCH);
    n = even(a.N, least(a.ta ? 768 : 384, CACHED / k / SIDE * SIDE));
    m = even(a.M, ROWS);
    int64_t* const sides[] = {a.ta ? &m : &n, a.ta ? &n : &m};
    for (int64_t* side : sides)
      while (ceil_div(a.M, m) * ceil_div(a.N, n) < few && *side > LEAST) *side = even(*side, *side / 2);
    down = ceil_div(a.M, m), across = ceil_div(a.N, n);
  }

private:
  // Parts of at most `most`, as even as tiles allow.
  static int64_t even(int64_t all, int64_t most) {
    return ceil_div(ceil_div(all, ceil_div(all, most)), SIDE) * SIDE;
  }
};

// A strip of A: 16 rows, `row` bytes apart, which are tiles `step` bytes apart.
struct Rows {
  const char* at;
  int64_t row, step;
};

// Rows i ... of A where they lie; NULL where they have to be packed: k is not contiguous, or rows or pairs
// are missing.
static const char* in_place(const Operand& from, int64_t i, int64_t begin, int64_t end) {
  const bool whole = from.k_contiguous && i + STRIP <= from.n && (end - begin) % (2 * UNIT) == 0;
  return whole ? reinterpret_cast<const char*>(from.x + i * from.ld + begin) : nullptr;
}

// 16 x 16 pairs, in memory.
static void transpose(uint32_t* at) {
  __m512i r[STRIP];
  for (int64_t j = 0; j < STRIP; j++) r[j] = _mm512_load_si512(at + j * STRIP);
  transpose(r);
  for (int64_t j = 0; j < STRIP; j++) _mm512_store_si512(at + j * STRIP, r[j]);
}

// Two strips of A, the rows from i on, as tiles [16 rows][16 pairs], in order of k.
struct Strips {
  Rows first, second;
};
static Strips pack_rows(uint32_t* out, const Operand& from, int64_t i, int64_t begin, int64_t end) {
  const int64_t strip = pairs_of(end - begin) * STRIP;
  if (!from.k_contiguous) {
    pack_lines(out, out + strip, from, i, begin, end);
    for (int64_t at = 0; at < 2 * strip; at += UNIT * STRIP) transpose(out + at);
  }
  Rows rows[2];
  for (int64_t s = 0; s < 2; s++, i += STRIP, out += strip) {
    const char* at = in_place(from, i, begin, end);
    rows[s] = at ? Rows{at, 2 * from.ld, 4 * UNIT}
                 : Rows{reinterpret_cast<const char*>(out), 4 * UNIT, 4 * UNIT * STRIP};
    if (at || !from.k_contiguous) continue;
    uint32_t* to = out;
    for (int64_t k = begin; k < end; k += 2 * UNIT)
      for (int64_t j = 0; j < STRIP; j++, to += UNIT) {
        const __mmask32 there = i + j < from.n ? first2(end - k) : 0;
        _mm512_store_si512(to, _mm512_maskz_loadu_epi16(there, from.x + (i + j) * from.ld + k));
      }
  }
  return {rows[0], rows[1]};
}

// The same of columns: strips of B, one behind the other.
static void pack_columns(uint32_t* out, const Operand& from, int64_t j, int64_t strips, int64_t begin,
                         int64_t end) {
  const int64_t strip = pairs_of(end - begin) * STRIP;
  for (int64_t s = 0; s < strips; s += 2, j += 2 * STRIP, out += 2 * strip) {
    uint32_t* more = s + 1 < strips ? out + strip : nullptr;
    if (!from.k_contiguous) {
      pack_lines(out, more, from, j, begin, end);
      continue;
    }
    pack_across(out, from, j, begin, end);
    if (more) pack_across(more, from, j + STRIP, begin, end);
  }
}

// DOWN strips of A by ACROSS strips of B, which lie one behind the other.
template <int DOWN, int ACROSS>
static void tile(const Output& to, Rows a0, Rows a1, const uint32_t* b, int64_t pairs) {
  const int64_t strip = pairs * STRIP;
  for (int64_t r = 0; r < least(DOWN * STRIP, to.rows); r++) to.prefetch(r);
  clear_tile<0>(), clear_tile<1>(), clear_tile<2>(), clear_tile<3>();
  for (int64_t p = 0; p < pairs; p += UNIT, b += UNIT * STRIP, a0.at += a0.step, a1.at += a1.step) {
    load_tile<6>(b, 64);
    load_tile<4>(a0.at, a0.row);
    multiply_tiles<0, 4, 6>();
    if (ACROSS > 1) {
      load_tile<7>(b + strip, 64);
      multiply_tiles<1, 4, 7>();
    }
    if (DOWN > 1) {
      load_tile<5>(a1.at, a1.row);
      multiply_tiles<2, 5, 6>();
      if (ACROSS > 1) multiply_tiles<3, 5, 7>();
    }
  }
  alignas(64) float sum[DOWN][ACROSS][STRIP][STRIP];
  store_tile<0>(sum[0][0], 64);
  if (ACROSS > 1) store_tile<1>(sum[0][ACROSS - 1], 64);
  if (DOWN > 1) store_tile<2>(sum[DOWN - 1][0], 64);
  if (DOWN > 1 && ACROSS > 1) store_tile<3>(sum[DOWN - 1][ACROSS - 1], 64);
  to.put<DOWN * STRIP, ACROSS>([&](int r, int s) { return _mm512_load_ps(sum[r / STRIP][s][r % STRIP]); });
}

// y[M,N] = alpha A B (+ y when accumulate), A is a[M,K] or, ta, a[K,M]; B is b[K,N] or, tb, b[N,K]
int matmul(sk_context* ctx, const sk_product* a) {
  const int64_t M = a->M, N = a->N, K = a->K;
  const Operand A = {reinterpret_cast<const uint16_t*>(a->a), M, a->ta ? M : K, !a->ta},
                B = {reinterpret_cast<const uint16_t*>(a->b), N, a->tb ? K : N, a->tb != 0};
  const Grid grid(*a, TASKS * workers(ctx));
  const int64_t stretches = ceil_div(K, STRETCH), stretch = 2 * pairs_of(ceil_div(K, stretches));
  parallel(ctx, grid.down * grid.across, [=](int64_t piece, int worker) {
    const int64_t i = piece % grid.down * grid.m, j = piece / grid.down * grid.n;
    const int64_t rows = least(grid.m, M - i), columns = least(grid.n, N - j),
                  strips = ceil_div(columns, STRIP);
    const bool partial = !a->wide && stretches > 1;
    const int64_t strip = stretch / 2 * STRIP; // what a strip takes
    float* sums = scratch(ctx, worker, (partial ? grid.m * grid.n : 0) + (grid.n / STRIP + 2) * strip);
    auto* left = reinterpret_cast<uint32_t*>(sums + (partial ? grid.m * grid.n : 0));
    uint32_t* right = left + 2 * strip;
    const Tiles tiles;
    for (int64_t k = 0; k < K; k += stretch) {
      const int64_t end = least(K, k + stretch), pairs = pairs_of(end - k);
      pack_columns(right, B, j, strips, k, end);
      for (int64_t r = 0; r < rows; r += SIDE) {
        const bool two = r + STRIP < rows;
        const auto [a0, a1] = pack_rows(left, A, i + r, k, end);
        for (int64_t s = 0; s < strips; s += 2) {
          const Output to = {a,
                             (i + r) * N + j + s * STRIP,
                             rows - r,
                             columns - s * STRIP,
                             partial ? sums + r * grid.n + s * STRIP : nullptr,
                             grid.n,
                             k > 0,
                             end == K};
          const uint32_t* b = right + s * pairs * STRIP;
          if (s + 1 < strips) two ? tile<2, 2>(to, a0, a1, b, pairs) : tile<1, 2>(to, a0, a1, b, pairs);
          else two ? tile<2, 1>(to, a0, a1, b, pairs) : tile<1, 1>(to, a0, a1, b, pairs);
        }
      }
    }
  });
  return 0;
}

} // namespace SK_ISA
} // namespace sk
