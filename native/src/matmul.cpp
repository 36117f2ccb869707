// matmul: a grid of pieces of y, each one call of a single-threaded sgemm. Few rows, and bfloat16, have
// products of their own (linear.cpp, matmul_bf16.cpp).
#include "arguments.h"
#include <algorithm>
#include <atomic>
#include <cstring>

namespace sk {

// Sides of a piece are multiples of the tiles of common kernels: 16 and 48 wide, 4, 6, 8, 12, 14 or 16 high.
static constexpr int64_t TILE = 48;
static constexpr int64_t FEW = 8, MANY = 64; // pieces
static constexpr int64_t LARGE = 384;        // side from which sgemm runs at full speed
static constexpr double WORTH_IT = 20;       // microseconds in one piece, below which threads do not pay

static int64_t half(int64_t side) { return ((side + 1) / 2 + TILE - 1) / TILE * TILE; }
static int64_t pieces(int64_t side, int64_t piece) { return (side + piece - 1) / piece; }

// At 50 multiplications and 5 floats of memory a nanosecond: one core.
static double microseconds(int64_t m, int64_t n, int64_t k) {
  double compute = double(m) * double(n) * double(k) / 50e3, memory = double(m + n) * double(k) / 5e3;
  return compute > memory ? compute : memory;
}

// The shape of a piece follows from M, N and K alone, so the bits of y do not depend on the number of
// threads. K is never split.
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

// y[M,N] = alpha A B (+ y when accumulate), A is a[M,K] or, ta, a[K,M]; B is b[K,N] or, tb, b[N,K]
static int matmul(sk_context* ctx, const sk_product* a) {
  const int64_t M = a->M, N = a->N, K = a->K, lda = a->ta ? M : K, ldb = a->tb ? K : N;
  int64_t m, n;
  piece_shape(M, N, K, m, n);
  const int64_t across = pieces(N, n);
  std::atomic<int> status{0};
  parallel(ctx, pieces(M, m) * across, [=, &status](int64_t piece, int) {
    const int64_t i = piece / across * m, j = piece % across * n;
    const int failed = a->sgemm(a->ta ? 'T' : 'N', a->tb ? 'T' : 'N', std::min(m, M - i), std::min(n, N - j),
                                K, a->alpha, a->a + i * (a->ta ? 1 : K), lda, a->b + j * (a->tb ? K : 1), ldb,
                                a->accumulate ? 1 : 0, a->y + i * N + j, N);
    if (failed) status.store(failed, std::memory_order_relaxed);
  });
  if (status)
    throw Error("sgemm of %lld x %lld x %lld: status %d", static_cast<long long>(M),
                static_cast<long long>(N), static_cast<long long>(K), status.load());
  return 0;
}

static void check_product(const sk_product& a) {
  SK_NOT_NULL(y), SK_NOT_NULL(a), SK_NOT_NULL(b);
  SK_FLAG(ta), SK_FLAG(tb), SK_FLAG(accumulate), SK_FLAG(bf16);
  SK_AT_LEAST(M, 0), SK_AT_LEAST(N, 0), SK_AT_LEAST(K, 0);
  if (!a.bf16 && !a.sgemm) throw Error("sgemm is null, and bf16 is 0");
}

} // namespace sk

using namespace sk;

SK_API int sk_matmul(sk_context* ctx, const sk_product* a) {
  return checked("sk_matmul", ctx, a, check_product, [&](const Kernels& kernels) {
    if (a->bf16 && !has_bf16(ctx))
      throw Error(
          "products in bfloat16 need a CPU with AVX512-BF16 and isa avx512; this context runs on %s%s",
          sk_isa(ctx), __builtin_cpu_supports("avx512bf16") ? "" : ", on a CPU without AVX512-BF16");
    if (a->M == 0 || a->N == 0) return 0;
    if (a->K == 0) {
      if (!a->accumulate) std::memset(a->y, 0, size_t(a->M * a->N) * sizeof(float));
      return 0;
    }
    if (!a->ta && a->tb && a->M <= FEW_ROWS) return kernels.linear_few(ctx, a);
    return a->bf16 ? avx512_bf16::matmul(ctx, a) : matmul(ctx, a);
  });
}
