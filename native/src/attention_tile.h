// The matrix arithmetic of attention: one register-blocked kernel.
//
// Every product of attention is C[M,N] (+)= A[M,K] B[K,N] with a narrow tile in each place, of factors
// along K. A is read one factor at a time and may have any strides, so a transposed A costs nothing; rows of
// B and C are contiguous, N is a multiple of W:
//   scores   S  = Q K^T     B is a packed K^T tile          dP = dO V^T    B is a packed V^T tile
//   output   O += P V       B is V, padded to W columns      dQ += dS K     B is K
//   dV += P^T dO,  dK += dS^T Q      A is P or dS, read by columns
#ifndef SEEKR_ATTENTION_TILE_H
#define SEEKR_ATTENTION_TILE_H
#include "attention_factor.h"
#ifdef __AMX_BF16__
#include "attention_amx.h"
#endif

namespace sk {
namespace SK_ISA {

// The register block: MR x NV accumulators, NV vectors of B and one factor of A fill the register file.
#if SK_VEC_BYTES == 64
constexpr int MR = 6, NV = 4; // tried 8 x 3, 7 x 4, 5 x 4: within 3 %, of floats and of pairs
#elif SK_VEC_BYTES == 32
constexpr int MR = 6, NV = 2; // tried 4 x 3, 3 x 4: 0 to 2 % slower, 4 x 2: 3 to 5 %, 5 x 2: 4 to 5 %
#else
constexpr int MR = 4, NV = 2; // 11 of 16 registers; no other was tried, CPUs without AVX2 are old
#endif

// C[M, N*W] (+)= A B, K in factors.  Factor (m, k) of A is a[m * row + k * column].
template <int M, int N, bool ADD>
static inline void block(int64_t K, const F* a, int64_t row, int64_t column, const F* b, int64_t ldb,
                         float* c, int64_t ldc) {
  vf sum[M][N];
#pragma GCC unroll 8
  for (int m = 0; m < M; m++)
#pragma GCC unroll 8
    for (int n = 0; n < N; n++) sum[m][n] = ADD ? load(c + m * ldc + n * W) : vf{};
  for (int64_t k = 0; k < K; k++, a += column, b += ldb) {
    vF v[N];
#pragma GCC unroll 8
    for (int n = 0; n < N; n++) v[n] = load(b + n * W);
#pragma GCC unroll 8
    for (int m = 0; m < M; m++) {
      vF s = broadcast(a[m * row]);
#pragma GCC unroll 8
      for (int n = 0; n < N; n++) sum[m][n] = add_product(sum[m][n], s, v[n]);
    }
  }
#pragma GCC unroll 8
  for (int m = 0; m < M; m++)
#pragma GCC unroll 8
    for (int n = 0; n < N; n++) store(c + m * ldc + n * W, sum[m][n]);
}

typedef void (*Block)(int64_t, const F*, int64_t, int64_t, const F*, int64_t, float*, int64_t);

// The block of m <= M rows and n <= N vectors.
template <int M, int N, bool ADD> static Block choose_block(int64_t m, int64_t n) {
  if constexpr (M > 1)
    if (m < M) return choose_block<M - 1, N, ADD>(m, n);
  if constexpr (N > 1)
    if (n < N) return choose_block<M, N - 1, ADD>(m, n);
  return block<M, N, ADD>;
}

// C[M,N] (+)= A[M,K] B[K,N], K in factors, N a multiple of W. A panel of B stays in the first-level cache
// while the rows of A pass.
template <bool ADD>
static inline void by_vectors(int64_t M, int64_t N, int64_t K, const F* a, int64_t row, int64_t column,
                              const F* b, int64_t ldb, float* c, int64_t ldc) {
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

#ifdef __AMX_BF16__
// The same, by tiles as far as they are filled.
template <bool ADD>
static inline void product(int64_t M, int64_t N, int64_t K, const F* a, int64_t row, int64_t column,
                           const F* b, int64_t ldb, float* c, int64_t ldc) {
  const int64_t whole = K / SIDE * SIDE, m = whole ? M / SIDE * SIDE : 0;
  if (m) by_tiles<ADD>(m, N, whole, a, row, column, b, ldb, c, ldc);
  if (m && whole < K)
    by_vectors<true>(m, N, K - whole, a + whole * column, row, column, b + whole * ldb, ldb, c, ldc);
  if (m < M) by_vectors<ADD>(M - m, N, K, a + m * row, row, column, b, ldb, c + m * ldc, ldc);
}
#else
struct Tiles {
  Tiles() {} // nothing to be set up
};
template <bool ADD>
static inline void product(int64_t M, int64_t N, int64_t K, const F* a, int64_t row, int64_t column,
                           const F* b, int64_t ldb, float* c, int64_t ldc) {
  by_vectors<ADD>(M, N, K, a, row, column, b, ldb, c, ldc);
}
#endif

} // namespace SK_ISA
} // namespace sk
#endif
