// What the attention kernels share: tiles of rows in shared memory, the fragments that tensor cores take from them, scores.
#ifndef SEEKR_ATTENTION_CUH
#define SEEKR_ATTENTION_CUH
#include "device.cuh"

namespace sk {

// e^x. Scores and lse are kept to base e, so that a row which sees one key alone has A = 1 exactly: to base 2 an instruction less would do,
// but lse would be rounded twice.
SK_DEVICE float fast_exp(float x) { return fast_exp2(x * 1.4426950408889634f); }

// A block of at most BQ rows of one sequence: token `begin` is the sequence's first, `first` the block's first position in it.
struct RowBlock {
  int32_t begin, length, first;
};

// Where heads stand in a row of qkv: [NH query heads | NKV key heads | NKV value heads] x HS.
struct HeadShape {
  int64_t NH, NKV, HS;
  SK_DEVICE int64_t row() const { return (NH + 2 * NKV) * HS; }
  SK_DEVICE int64_t q(int64_t h) const { return h * HS; }
  SK_DEVICE int64_t k(int64_t kv) const { return (NH + kv) * HS; }
  SK_DEVICE int64_t v(int64_t kv) const { return (NH + NKV + kv) * HS; }
  SK_DEVICE int64_t group() const { return NH / NKV; }
};

// Rows of D elements in shared memory. Their 16-byte chunks are permuted (XOR with the row) so that the eight rows which ldmatrix reads at
// once lie in different banks.
template <class T, int D> struct Tile {
  static constexpr int E = 16 / sizeof(T), CHUNKS = D / E;
  static constexpr int MASK = CHUNKS < 8 ? CHUNKS - 1 : 7, ROWS_A_LINE = CHUNKS < 8 ? 8 / CHUNKS : 1;
  T* at;
  SK_DEVICE T* chunk(int row, int c) const { return at + row * D + (c ^ (row / ROWS_A_LINE & MASK)) * E; }
  SK_DEVICE T* element(int row, int column) const { return chunk(row, column / E) + column % E; }
};

// Copies rows [0, count) of HS elements, `ld` apart, into a tile of ROWS rows, and zeros into the rest of it. `aligned`: by
// asynchronous copies of 16 bytes, to be committed and waited for.
template <int ROWS, int THREADS, class T, int D>
SK_DEVICE void load_tile(const Tile<T, D>& tile, const T* rows, int64_t ld, int64_t count, int64_t HS, bool aligned) {
  constexpr int E = Tile<T, D>::E, CHUNKS = D / E;
  if (aligned) {
    SK_UNROLL
    for (int i = thread(); i < ROWS * CHUNKS; i += THREADS) {
      const int row = i / CHUNKS, c = i % CHUNKS;
      const bool valid = row < count && c * E < HS;
      cp_async16(tile.chunk(row, c), valid ? rows + row * ld + c * E : rows, valid);
    }
  } else {
    for (int i = thread(); i < ROWS * D; i += THREADS) {
      const int row = i / D, c = i % D;
      *tile.element(row, c) = row < count && c < HS ? rows[row * ld + c] : from_float<T>(0);
    }
  }
}

// A: rows [row, row+16) x k [k0, k0+16) of a tile.
template <class T, int D> SK_DEVICE void load_a(FragA<T>& a, const Tile<T, D>& tile, int row, int k0) {
  if constexpr (sizeof(T) == 4) {
    const int g = lane() / 4, t = lane() % 4;
    SK_UNROLL
    for (int i = 0; i < 8; i++) a.r[i] = *tile.element(row + g + i / 2 % 2 * 8, k0 + 2 * t + i % 2 + i / 4 * 8);
  } else {
    ldmatrix(a.r, tile.chunk(row + lane() % 16, k0 / 8 + lane() / 16));
  }
}

// B, twice: columns [n, n+8) and [n+8, n+16), k [k0, k0+16), where the tile's rows are B's columns (K in Q K^T).
template <class T, int D> SK_DEVICE void load_b(FragB<T> b[2], const Tile<T, D>& tile, int n, int k0) {
  if constexpr (sizeof(T) == 4) {
    const int g = lane() / 4, t = lane() % 4;
    SK_UNROLL
    for (int i = 0; i < 8; i++) b[i / 4].r[i % 4] = *tile.element(n + i / 4 * 8 + g, k0 + 2 * t + i % 2 + i / 2 % 2 * 8);
  } else {
    uint32_t r[4];
    ldmatrix(r, tile.chunk(n + lane() % 8 + lane() / 16 * 8, k0 / 8 + lane() / 8 % 2));
    b[0].r[0] = r[0], b[0].r[1] = r[1], b[1].r[0] = r[2], b[1].r[1] = r[3];
  }
}

// The same where the tile's rows are B's k (V in A V).
template <class T, int D> SK_DEVICE void load_b_transposed(FragB<T> b[2], const Tile<T, D>& tile, int k0, int n) {
  if constexpr (sizeof(T) == 4) {
    const int g = lane() / 4, t = lane() % 4;
    SK_UNROLL
    for (int i = 0; i < 8; i++) b[i / 4].r[i % 4] = *tile.element(k0 + 2 * t + i % 2 + i / 2 % 2 * 8, n + i / 4 * 8 + g);
  } else {
    uint32_t r[4];
    ldmatrix_transposed(r, tile.chunk(k0 + lane() % 16, n / 8 + lane() / 16));
    b[0].r[0] = r[0], b[0].r[1] = r[1], b[1].r[0] = r[2], b[1].r[1] = r[3];
  }
}

// A from two neighbouring accumulators: what a product yields is, register by register, what the next one takes.
template <class T> SK_DEVICE void as_a(FragA<T>& a, const float c0[4], const float c1[4]) {
  if constexpr (sizeof(T) == 4) {
    SK_UNROLL
    for (int i = 0; i < 4; i++) a.r[i] = c0[i], a.r[4 + i] = c1[i];
  } else {
    a.r[0] = pack<T>(c0[0], c0[1]), a.r[1] = pack<T>(c0[2], c0[3]);
    a.r[2] = pack<T>(c1[0], c1[1]), a.r[3] = pack<T>(c1[2], c1[3]);
  }
}

// c [16, 8 NT] = A B^T: rows [row, row+16) of a, all rows of b.
template <int NT, class T, int D> SK_DEVICE void product(float c[NT][4], const Tile<T, D>& a, int row, const Tile<T, D>& b) {
  SK_UNROLL
  for (int n = 0; n < NT; n++) c[n][0] = c[n][1] = c[n][2] = c[n][3] = 0;
  SK_UNROLL
  for (int k = 0; k < D; k += 16) {
    FragA<T> fa;
    load_a(fa, a, row, k);
    SK_UNROLL
    for (int n = 0; n < NT; n += 2) {
      FragB<T> fb[2];
      load_b(fb, b, 8 * n, k);
      mma(c[n], fa, fb[0]);
      mma(c[n + 1], fa, fb[1]);
    }
  }
}

// c [16, D] += A B: A [16, 8 NT] from accumulators, B a tile of 8 NT rows.
template <int NT, class T, int D> SK_DEVICE void accumulate(float c[D / 8][4], const float a[NT][4], const Tile<T, D>& b) {
  SK_UNROLL
  for (int k = 0; k < NT; k += 2) {
    FragA<T> fa;
    as_a(fa, a[k], a[k + 1]);
    SK_UNROLL
    for (int n = 0; n < D / 8; n += 2) {
      FragB<T> fb[2];
      load_b_transposed(fb, b, 8 * k, 8 * n);
      mma(c[n], fa, fb[0]);
      mma(c[n + 1], fa, fb[1]);
    }
  }
}

// Writes an accumulator [16, D], rows [0, count) of it and HS columns, each row times its factor.
template <class T, int D>
SK_DEVICE void store_rows(T* rows, int64_t ld, int64_t count, int64_t HS, const float c[D / 8][4], float factor0, float factor1) {
  const int g = lane() / 4, t = lane() % 4;
  SK_UNROLL
  for (int n = 0; n < D / 8; n++) {
    SK_UNROLL
    for (int i = 0; i < 4; i++) {
      const int row = g + i / 2 * 8, column = 8 * n + 2 * t + i % 2;
      if (row < count && column < HS) rows[row * ld + column] = from_float<T>(c[n][i] * (i < 2 ? factor0 : factor1));
    }
  }
}

// Sums and maxima over the four lanes that hold one row.
template <class T> SK_DEVICE T row_sum(T v) {
  v += shuffle_xor(v, 1);
  return v + shuffle_xor(v, 2);
}
SK_DEVICE float row_max(float v) {
  v = larger(v, shuffle_xor(v, 1));
  return larger(v, shuffle_xor(v, 2));
}

// The sampled rows as kernels see them; see sk_rows. Tables tell of every token and every head whether it takes part.
struct Sampled {
  const int32_t* row_of;  // [N] row i, or -1
  const int32_t* head_of; // [NH] index among the selected heads, or -1
  const int64_t* prefix;  // [R]
  const float *weight, *p;
  const float* mean; // [R,H] sum_j A_j g_j where eps > 0
  int64_t H;
  float eps;

  SK_DEVICE const float* stored(int64_t i, int64_t index, int64_t position) const {
    return p + H * prefix[i] + index * (position + 1);
  }
  // dKL/dS of one entry, weighted: weight (A - P), or with eps: weight A (mean - g), g = P / (A + eps)
  SK_DEVICE float gradient(int64_t i, int64_t index, float A, float P) const {
    return weight[i] * (eps > 0 ? A * (mean[i * H + index] - P / (A + eps)) : A - P);
  }
  // One term of KL: P (log P - log A), or with eps P (log P - log(A + eps)); terms with P = 0 are 0
  SK_DEVICE double divergence(float P, float A, float log_a) const {
    return P == 0 ? 0.0 : double(P * (exact_log(P) - (eps > 0 ? exact_log(A + eps) : log_a)));
  }
};

} // namespace sk
#endif
