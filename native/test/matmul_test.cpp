// matmul over a naive sgemm, and in bfloat16: shapes below, at and above the pieces, all transpositions,
// accumulation, alpha.
#include "check.h"
#include <cmath>
#include <cstring>

// To nearest, ties to even; of finite numbers.
static float rounded(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
  std::memcpy(&x, &bits, sizeof bits);
  return x;
}

static bool has_bf16(sk_context* ctx) {
  return std::string(sk_isa(ctx)) == "avx512" && __builtin_cpu_supports("avx512bf16");
}

static int refusing_sgemm(char, char, int64_t, int64_t, int64_t, float, const float*, int64_t, const float*,
                          int64_t, float, float*, int64_t) {
  return 3;
}

// y, or in bfloat16 the error of a context that has no such products.
static void matmul(sk_context* ctx, sk_product a) {
  a.sgemm = a.bf16 ? refusing_sgemm : naive_sgemm;
  const int status = sk_matmul(ctx, &a);
  if (!a.bf16 || has_bf16(ctx)) check_ok(status, "matmul");
  else check_error(status, "sk_matmul: products in bfloat16 need a CPU with AVX512-BF16 and isa avx512");
}

static void one_shape(int64_t M, int64_t N, int64_t K, bool bf16, float alpha) {
  Random random{uint64_t(M * 1000003 + N * 1009 + K)};
  const std::string shape = (bf16 ? "matmul_bf16 " : "matmul ") + std::to_string(M) + "x" +
                            std::to_string(N) + "x" + std::to_string(K) + " alpha " + std::to_string(alpha);
  const std::vector<float> given_a = random.normals(M * K), given_b = random.normals(K * N),
                           y0 = random.normals(M * N);
  for (int mode = 0; mode < 8; mode++) {
    const bool ta = mode & 1, tb = mode & 2, accumulate = mode & 4;
    std::vector<float> a = given_a, b = given_b;
    if (bf16 && !(M <= 16 && !ta && tb)) {
      for (float& x : a) x = rounded(x);
      for (float& x : b) x = rounded(x);
    }
    std::vector<double> exact(static_cast<size_t>(M * N));
    for (int64_t m = 0; m < M; m++)
      for (int64_t n = 0; n < N; n++) {
        double sum = 0;
        for (int64_t k = 0; k < K; k++)
          sum += double(a[size_t(ta ? k * M + m : m * K + k)]) * b[size_t(tb ? n * K + k : k * N + n)];
        exact[size_t(m * N + n)] = alpha * sum + (accumulate ? y0[size_t(m * N + n)] : 0);
      }
    std::vector<float> plain = y0;
    if (K)
      naive_sgemm(ta ? 'T' : 'N', tb ? 'T' : 'N', M, N, K, alpha, a.data(), ta ? M : K, b.data(), tb ? K : N,
                  accumulate, plain.data(), N);
    each_context([&](sk_context* ctx, const std::string& label) {
      Guarded<float> ga("a", given_a), gb("b", given_b), y("y", M * N);
      for (int64_t i = 0; accumulate && i < M * N; i++) y[i] = y0[size_t(i)];
      matmul(ctx, {.y = y,
                   .a = ga,
                   .b = gb,
                   .M = M,
                   .N = N,
                   .K = K,
                   .ta = ta,
                   .tb = tb,
                   .accumulate = accumulate,
                   .bf16 = bf16,
                   .alpha = alpha});
      if (bf16 && !has_bf16(ctx)) return;
      check_close(shape + " mode " + std::to_string(mode) + " " + label, y, exact.data(),
                  K ? plain.data() : nullptr, M * N);
    });
  }
}

// a[2,1] b[1,n] for operands that rounding treats in its own way; two rows, so that no other kernel takes
// them.
static void rounding() {
  const float inf = HUGE_VALF, most = 0x1.fffffep127f;
  const float x[] = {1 + 0x1p-8f, 1 + 0x3p-8f, 1 + 0x1.8p-8f, -1 - 0x1p-8f, 0x1p-126f,
                     0x1p-127f,   most,        inf,           -inf,         NAN};
  const float want[] = {1, 1 + 0x1p-6f, 1 + 0x1p-7f, -1, 0x1p-126f, 0, inf, inf, -inf, NAN};
  constexpr int n = sizeof x / sizeof *x;
  const float ones[] = {1, 1};
  each_context([&](sk_context* ctx, const std::string& label) {
    float y[2 * n];
    matmul(ctx, {.y = y, .a = ones, .b = x, .M = 2, .N = n, .K = 1, .bf16 = 1, .alpha = 1});
    for (int i = 0; has_bf16(ctx) && i < 2 * n; i++)
      check(y[i] == want[i % n] || (std::isnan(y[i]) && std::isnan(want[i % n])),
            "%s: %a rounds to %a, not %a", label.c_str(), double(x[i % n]), double(want[i % n]),
            double(y[i]));
  });
}

static void errors() {
  sk_context* ctx;
  check_ok(sk_create(&ctx, 2, "auto"), "create");
  float x[4] = {};
  sk_product p{.sgemm = naive_sgemm, .y = x, .a = x, .b = x, .M = 1, .N = 1, .K = 1, .alpha = 1};
  check_error(sk_matmul(nullptr, &p), "sk_matmul: ctx is null");
  check_error(sk_matmul(ctx, nullptr), "sk_matmul: a is null");
  CHECK_REFUSED(sk_matmul, ctx, p, y = nullptr, "y is null");
  CHECK_REFUSED(sk_matmul, ctx, p, a = nullptr, "a is null");
  CHECK_REFUSED(sk_matmul, ctx, p, b = nullptr, "b is null");
  CHECK_REFUSED(sk_matmul, ctx, p, M = -1, "M is -1");
  CHECK_REFUSED(sk_matmul, ctx, p, N = -1, "N is -1");
  CHECK_REFUSED(sk_matmul, ctx, p, K = -1, "K is -1");
  CHECK_REFUSED(sk_matmul, ctx, p, ta = 2, "ta is 2");
  CHECK_REFUSED(sk_matmul, ctx, p, tb = -1, "tb is -1");
  CHECK_REFUSED(sk_matmul, ctx, p, accumulate = 2, "accumulate is 2");
  CHECK_REFUSED(sk_matmul, ctx, p, bf16 = 2, "bf16 is 2");
  CHECK_REFUSED(sk_matmul, ctx, p, sgemm = nullptr, "sgemm is null, and bf16 is 0");
  sk_product refused = p;
  refused.sgemm = refusing_sgemm, refused.M = refused.N = 2;
  check_error(sk_matmul(ctx, &refused), "sgemm of 2 x 2 x 1: status 3");
  p.M = 0, p.N = p.K = 4;
  check_ok(sk_matmul(ctx, &p), "M = 0");
  p.M = 4, p.N = 0;
  check_ok(sk_matmul(ctx, &p), "N = 0");
  check_ok(sk_destroy(ctx), "destroy");
}

void matmul_tests() {
  const int64_t shapes[][3] = {{1, 1, 1},      {1, 7, 2},     {2, 1, 63},     {7, 63, 65}, {63, 65, 127},
                               {127, 2, 300},  {1, 3000, 65}, {200, 150, 70}, {50, 31, 0}, {3000, 2, 33},
                               {16, 100, 129}, {17, 100, 33}, {9, 2000, 48}};
  for (bool bf16 : {false, true})
    for (float alpha : {1.0f, -0.7f})
      for (const auto& s : shapes) one_shape(s[0], s[1], s[2], bf16, alpha);
  // Two stretches of k, the second odd; blocks that end within a strip.
  for (const int64_t n : {1, 33}) one_shape(140, 6 * n, 1031, true, 1);
  one_shape(18, 209, 2051, true, 0.3f);
  rounding();
  Random random;
  const int64_t M = 301, N = 211, K = 67; // several pieces, ragged at both ends
  const std::vector<float> a = random.normals(M * K), b = random.normals(K * N);
  for (const int bf16 : {0, 1})
    check_deterministic(bf16 ? "matmul_bf16" : "matmul", [&](sk_context* ctx) {
      std::vector<float> y(M * N);
      matmul(ctx,
             {.y = y.data(), .a = a.data(), .b = b.data(), .M = M, .N = N, .K = K, .bf16 = bf16, .alpha = 1});
      return y;
    });
  errors();
}
