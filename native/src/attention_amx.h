// The products of attention by AMX: those of pairs (attention_pair.h), 32 rows by 32 columns at a time, in
// tiles. What does not fill tiles goes by VDPBF16PS.
#ifndef SEEKR_ATTENTION_AMX_H
#define SEEKR_ATTENTION_AMX_H
#include "amx.h"
#include "attention_factor.h"

namespace sk {
namespace SK_ISA {

constexpr int64_t SIDE = 16;       // of a tile: rows, pairs, columns
constexpr int64_t MOST_PAIRS = 32; // along K where A is read by columns: of a block of queries

// C[16 M, 16 N] (+)= A B of K pairs, whole tiles. A in rows of `row` pairs.
template <int M, int N, bool ADD>
static inline void tiles(int64_t K, const F* a, int64_t row, const F* b, int64_t ldb, float* c, int64_t ldc) {
  const int64_t line = 4 * ldc, a_row = 4 * row, b_row = 4 * ldb;
  if (ADD) {
    load_tile<0>(c, line);
    if (N > 1) load_tile<1>(c + SIDE, line);
    if (M > 1) load_tile<2>(c + SIDE * ldc, line);
    if (M > 1 && N > 1) load_tile<3>(c + SIDE * ldc + SIDE, line);
  } else {
    clear_tile<0>(), clear_tile<1>(), clear_tile<2>(), clear_tile<3>();
  }
  for (int64_t k = 0; k < K; k += SIDE, a += SIDE, b += SIDE * ldb) {
    load_tile<6>(b, b_row);
    load_tile<4>(a, a_row);
    multiply_tiles<0, 4, 6>();
    if (N > 1) {
      load_tile<7>(b + SIDE, b_row);
      multiply_tiles<1, 4, 7>();
    }
    if (M > 1) {
      load_tile<5>(a + SIDE * row, a_row);
      multiply_tiles<2, 5, 6>();
      if (N > 1) multiply_tiles<3, 5, 7>();
    }
  }
  store_tile<0>(c, line);
  if (N > 1) store_tile<1>(c + SIDE, line);
  if (M > 1) store_tile<2>(c + SIDE * ldc, line);
  if (M > 1 && N > 1) store_tile<3>(c + SIDE * ldc + SIDE, line);
}

// out[m][k] = a[k][m] for 16 m and K pairs
static inline void transpose_pairs(F* out, int64_t K, const F* a, int64_t column) {
  for (int64_t k = 0; k < K; k += SIDE) {
    vf v[W];
    for (int64_t i = 0; i < SIDE; i++) v[i] = (vf)_mm512_loadu_si512(a + (k + i) * column);
    transpose(v);
    for (int64_t i = 0; i < SIDE; i++) _mm512_storeu_si512(out + i * MOST_PAIRS + k, (__m512i)v[i]);
  }
}

// C[M,N] (+)= A[M,K] B[K,N] for multiples of SIDE.
template <bool ADD>
static inline void by_tiles(int64_t M, int64_t N, int64_t K, const F* a, int64_t row, int64_t column,
                            const F* b, int64_t ldb, float* c, int64_t ldc) {
  alignas(64) F along[2 * SIDE * MOST_PAIRS];
  for (int64_t m = 0; m < M; m += 2 * SIDE) {
    const bool two = m + SIDE < M;
    const F* rows = a + m * row;
    if (column != 1)
      for (int64_t s = 0; s <= two; s++)
        transpose_pairs(along + s * SIDE * MOST_PAIRS, K, rows + s * SIDE, column);
    const F* left = column == 1 ? rows : along;
    const int64_t ld = column == 1 ? row : MOST_PAIRS;
    for (int64_t n = 0; n < N; n += 2 * SIDE) {
      float* to = c + m * ldc + n;
      if (n + SIDE < N)
        two ? tiles<2, 2, ADD>(K, left, ld, b + n, ldb, to, ldc)
            : tiles<1, 2, ADD>(K, left, ld, b + n, ldb, to, ldc);
      else
        two ? tiles<2, 1, ADD>(K, left, ld, b + n, ldb, to, ldc)
            : tiles<1, 1, ADD>(K, left, ld, b + n, ldb, to, ldc);
    }
  }
}

} // namespace SK_ISA
} // namespace sk
#endif
