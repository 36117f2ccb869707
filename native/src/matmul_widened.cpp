// matmul_widened: a product of bfloat16 where the CPU has nothing for them: a piece's operands become floats,
// sgemm multiplies those, and the sum is rounded.
#include "attention_tile.h"
#include "kernels.h"
#include "pieces.h"
#ifdef SK_BF16

namespace sk {
namespace SK_ISA {

static constexpr int64_t STRETCH = 2048; // k at a time

// rows x columns of x, a row of which is ld elements
static void widen_matrix(float* out, const E* x, int64_t ld, int64_t rows, int64_t columns) {
  for (int64_t r = 0; r < rows; r++)
    each_vector(columns,
                [&](int64_t c, auto lanes) { lanes.put(out + r * columns + c, lanes.get(x + r * ld + c)); });
}

// y = alpha sum (+ y), rows x columns, a row of which is ld elements
template <class Y>
static void finish(Y* y, int64_t ld, const float* sum, int64_t rows, int64_t columns, const sk_product* a) {
  for (int64_t r = 0; r < rows; r++, y += ld, sum += columns)
    each_vector(columns, [&](int64_t c, auto lanes) {
      vf v = lanes.get(sum + c) * a->alpha;
      lanes.put(y + c, a->accumulate ? lanes.get(y + c) + v : v);
    });
}

int matmul_widened(sk_context* ctx, const sk_product* a) {
  const int64_t M = a->M, N = a->N, K = a->K, lda = a->ta ? M : K, ldb = a->tb ? K : N;
  const Pieces pieces(M, N, K);
  int status = 0;
  parallel(ctx, pieces.count, [=, &status](int64_t piece, int worker) {
    const int64_t i = piece / pieces.across * pieces.m, j = piece % pieces.across * pieces.n;
    const int64_t m = least(pieces.m, M - i), n = least(pieces.n, N - j), stretch = least(K, STRETCH);
    float* left = scratch(ctx, worker, (m + n) * stretch + m * n);
    float *right = left + m * stretch, *sum = right + n * stretch;
    for (int64_t from = 0; from < K; from += stretch) {
      const int64_t k = least(stretch, K - from);
      if (a->ta) widen_matrix(left, elements(a->a) + from * M + i, lda, k, m);
      else widen_matrix(left, elements(a->a) + i * K + from, lda, m, k);
      if (a->tb) widen_matrix(right, elements(a->b) + j * K + from, ldb, n, k);
      else widen_matrix(right, elements(a->b) + from * N + j, ldb, k, n);
      const int failed = a->sgemm(a->ta ? 'T' : 'N', a->tb ? 'T' : 'N', m, n, k, 1, left, a->ta ? m : k,
                                  right, a->tb ? k : n, from ? 1 : 0, sum, n);
      if (failed) __atomic_store_n(&status, failed, __ATOMIC_RELAXED);
    }
    const int64_t at = i * N + j;
    if (a->wide) finish(a->y + at, N, sum, m, n, a);
    else finish(elements(a->y) + at, N, sum, m, n, a);
  });
  return status;
}

} // namespace SK_ISA
} // namespace sk
#endif
