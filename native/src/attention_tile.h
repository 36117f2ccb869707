// The matrix arithmetic of attention: one register-blocked kernel, and the packing that feeds it.
//
// Every product of attention is C[M,N] (+)= A[M,K] B[K,N] with a narrow tile in each place. A is read one
// element at a time and may have any strides, so a transposed A costs nothing; rows of B and C are
// contiguous, N is a multiple of W:
//   scores   S  = Q K^T     B is a packed K^T tile          dP = dO V^T    B is a packed V^T tile
//   output   O += P V       B is V, padded to W columns      dQ += dS K     B is K
//   dV += P^T dO,  dK += dS^T Q      A is P or dS, read by columns
#ifndef SEEKR_ATTENTION_TILE_H
#define SEEKR_ATTENTION_TILE_H
#include "simd.h"

namespace sk {
namespace SK_ISA {

// The register block: MR x NV accumulators, NV vectors of B and one element of A fill the register file.
#if SK_VEC_BYTES == 64
constexpr int MR = 6, NV = 4;
#elif SK_VEC_BYTES == 32
constexpr int MR = 6, NV = 2;
#else
constexpr int MR = 4, NV = 2;
#endif

SK_INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
SK_INLINE int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
SK_INLINE int64_t round_up(int64_t n, int64_t unit) { return (n + unit - 1) / unit * unit; }

// Lanes begin <= i < end of v, the others `rest`.
SK_INLINE vf between(vf v, int64_t begin, int64_t end, vf rest = vf{}) {
  vi lane;
#pragma GCC unroll 16
  for (int i = 0; i < W; i++) lane[i] = i;
  return (lane >= (int32_t)begin - vi{}) & (lane < (int32_t)end - vi{}) ? v : rest;
}

// C[M, N*W] (+)= A B.  Element (m, k) of A is a[m * row + k * column].
template <int M, int N, bool ADD>
static inline void block(int64_t K, const float* a, int64_t row, int64_t column, const float* b, int64_t ldb,
                         float* c, int64_t ldc) {
  vf sum[M][N];
#pragma GCC unroll 8
  for (int m = 0; m < M; m++)
#pragma GCC unroll 8
    for (int n = 0; n < N; n++) sum[m][n] = ADD ? load(c + m * ldc + n * W) : vf{};
  for (int64_t k = 0; k < K; k++, a += column, b += ldb) {
    vf v[N];
#pragma GCC unroll 8
    for (int n = 0; n < N; n++) v[n] = load(b + n * W);
#pragma GCC unroll 8
    for (int m = 0; m < M; m++) {
      vf s = broadcast(a[m * row]);
#pragma GCC unroll 8
      for (int n = 0; n < N; n++) sum[m][n] += s * v[n];
    }
  }
#pragma GCC unroll 8
  for (int m = 0; m < M; m++)
#pragma GCC unroll 8
    for (int n = 0; n < N; n++) store(c + m * ldc + n * W, sum[m][n]);
}

typedef void (*Block)(int64_t, const float*, int64_t, int64_t, const float*, int64_t, float*, int64_t);

// The block of m <= M rows and n <= N vectors.
template <int M, int N, bool ADD> static Block choose_block(int64_t m, int64_t n) {
  if constexpr (M > 1)
    if (m < M) return choose_block<M - 1, N, ADD>(m, n);
  if constexpr (N > 1)
    if (n < N) return choose_block<M, N - 1, ADD>(m, n);
  return block<M, N, ADD>;
}

// C[M,N] (+)= A[M,K] B[K,N], N a multiple of W. A panel of B stays in the first-level cache while the rows of
// A pass.
template <bool ADD>
static inline void product(int64_t M, int64_t N, int64_t K, const float* a, int64_t row, int64_t column,
                           const float* b, int64_t ldb, float* c, int64_t ldc) {
  for (int64_t n = 0; n < N; n += NV * W) {
    int64_t vectors = least(NV, (N - n) / W);
    Block whole = choose_block<MR, NV, ADD>(MR, vectors);
    int64_t m = 0;
    for (; m + MR <= M; m += MR) whole(K, a + m * row, row, column, b + n, ldb, c + m * ldc + n, ldc);
    if (m < M)
      choose_block<MR, NV, ADD>(M - m, vectors)(K, a + m * row, row, column, b + n, ldb, c + m * ldc + n,
                                                ldc);
  }
}

// One step of a W x W transposition: exchanges the off-diagonal D x D blocks of each 2D x 2D block.
template <int D, int... I> struct Lanes {};
#if SK_VEC_BYTES == 64
#define SK_LANES(D) Lanes<D, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15>()
#elif SK_VEC_BYTES == 32
#define SK_LANES(D) Lanes<D, 0, 1, 2, 3, 4, 5, 6, 7>()
#else
#define SK_LANES(D) Lanes<D, 0, 1, 2, 3>()
#endif
template <int D, int... I> SK_INLINE void exchange(vf* v, Lanes<D, I...>) {
#pragma GCC unroll 16
  for (int i = 0; i < W; i++) {
    if (i & D) continue;
    vf a = v[i], b = v[i + D];
    v[i] = __builtin_shufflevector(a, b, (I & D ? W + I - D : I)...);
    v[i + D] = __builtin_shufflevector(a, b, (I & D ? W + I : I + D)...);
  }
}
SK_INLINE void transpose(vf* v) {
  exchange(v, SK_LANES(1));
  exchange(v, SK_LANES(2));
#if SK_VEC_BYTES >= 32
  exchange(v, SK_LANES(4));
#endif
#if SK_VEC_BYTES >= 64
  exchange(v, SK_LANES(8));
#endif
}

// out[c][r] = x[r][c] for r < rows, c < columns; rows are padded with zeros to a multiple of W.
// out [columns, ldo], x [rows, ldx]
static inline void pack_transposed(float* out, int64_t ldo, const E* x, int64_t ldx, int64_t rows,
                                   int64_t columns) {
  for (int64_t r = 0; r < rows; r += W)
    for (int64_t c = 0; c < columns; c += W) {
      vf v[W];
      int64_t height = least(W, rows - r), width = least(W, columns - c);
      if (height == W && width == W) {
#pragma GCC unroll 16
        for (int i = 0; i < W; i++) v[i] = load(x + (r + i) * ldx + c);
      } else {
        for (int i = 0; i < W; i++) v[i] = i < height ? load_some(x + (r + i) * ldx + c, width) : vf{};
      }
      transpose(v);
      if (width == W) {
#pragma GCC unroll 16
        for (int i = 0; i < W; i++) store(out + (c + i) * ldo + r, v[i]);
      } else {
        for (int i = 0; i < width; i++) store(out + (c + i) * ldo + r, v[i]);
      }
    }
}

// out[c] = scale * x[c] for c < n; out is padded with zeros to a multiple of W.
SK_INLINE void pack_row(float* out, const E* x, int64_t n, float scale) {
  each_vector(n, [&](int64_t c, auto lanes) { store(out + c, lanes.get(x + c) * scale); });
}
// x[c] = scale * in[c], and x[c] += in[c], for c < n; in is padded.
SK_INLINE void unpack_row(E* x, const float* in, int64_t n, float scale) {
  each_vector(n, [&](int64_t c, auto lanes) { lanes.put(x + c, load(in + c) * scale); });
}
SK_INLINE void add_row(float* x, const float* in, int64_t n) {
  each_vector(n, [&](int64_t c, auto lanes) { lanes.put(x + c, lanes.get(x + c) + load(in + c)); });
}
SK_INLINE float dot(const E* x, const E* y, int64_t n) {
  vf sum = {};
  each_vector(n, [&](int64_t c, auto lanes) { sum += lanes.get(x + c) * lanes.get(y + c); });
  return reduce_add(sum);
}
SK_INLINE void clear(float* x, int64_t n) { memset(x, 0, n * sizeof(float)); }

} // namespace SK_ISA
} // namespace sk
#endif
