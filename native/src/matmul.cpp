// matmul: a grid of pieces of y, each one call of a single-threaded sgemm.
#include "matmul.h"
#include <cstring>

namespace sk {

using Sgemm = void (*)(int order, int ta, int tb, int m, int n, int k, float alpha, const float* a, int lda,
                       const float* b, int ldb, float beta, float* c, int ldc);
enum { ROW_MAJOR = 101, NO_TRANS = 111, TRANS = 112 };

// Sides of a piece are multiples of the tiles of common kernels: 16 and 48 wide, 4, 6, 8, 12, 14 or 16 high.
static constexpr int64_t TILE = 48;
static constexpr int64_t FEW = 8, MANY = 64;  // pieces
static constexpr int64_t LARGE = 384;         // side from which sgemm runs at full speed
static constexpr double WORTH_IT = 20;        // microseconds in one piece, below which threads do not pay

static int64_t half(int64_t side) { return ((side + 1) / 2 + TILE - 1) / TILE * TILE; }
static int64_t pieces(int64_t side, int64_t piece) { return (side + piece - 1) / piece; }

// At 50 multiplications and 5 floats of memory a nanosecond: one core.
static double microseconds(int64_t m, int64_t n, int64_t k) {
  double compute = double(m) * double(n) * double(k) / 50e3, memory = double(m + n) * double(k) / 5e3;
  return compute > memory ? compute : memory;
}

// The shape of a piece follows from M, N and K alone, so the bits of y do not depend on the number of threads. K is never split.
static void piece_shape(int64_t M, int64_t N, int64_t K, int64_t& m, int64_t& n) {
  m = M;
  n = N;
  for (;;) {
    int64_t count = pieces(M, m) * pieces(N, n);
    int64_t& side = m > n ? m : n; // halving the longer side repeats the lesser reading
    int64_t next = half(side);
    bool wanted = count < FEW || (count < MANY && next >= LARGE);
    if (!wanted || next >= side || microseconds(m, n, K) < 2 * WORTH_IT) return;
    side = next;
  }
}

// y[M,N] = A B (+ y when accumulate), A is a[M,K] or, ta, a[K,M]; B is b[K,N] or, tb, b[N,K]
int matmul(sk_context* ctx, void* sgemm, float* y, const float* a, const float* b, int64_t M, int64_t N, int64_t K,
           bool ta, bool tb, bool accumulate) {
  if (M == 0 || N == 0) return 0;
  if (K == 0) {
    if (!accumulate) std::memset(y, 0, size_t(M * N) * sizeof(float));
    return 0;
  }
  Sgemm gemm;
  std::memcpy(&gemm, &sgemm, sizeof gemm);
  const int64_t lda = ta ? M : K, ldb = tb ? K : N;
  int64_t m, n;
  piece_shape(M, N, K, m, n);
  const int64_t across = pieces(N, n);
  parallel(ctx, pieces(M, m) * across, [&](int64_t piece, int) {
    const int64_t i = piece / across * m, j = piece % across * n;
    gemm(ROW_MAJOR, ta ? TRANS : NO_TRANS, tb ? TRANS : NO_TRANS, int(M - i < m ? M - i : m), int(N - j < n ? N - j : n),
         int(K), 1, ta ? a + i : a + i * K, int(lda), tb ? b + j * K : b + j, int(ldb), accumulate ? 1 : 0,
         y + i * N + j, int(N));
  });
  return 0;
}

} // namespace sk
