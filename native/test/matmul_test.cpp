// matmul over a naive sgemm, and of bfloat16: shapes below, at and above the pieces, all transpositions,
// accumulation, alpha.
#include "narrow.h"
#include <cmath>

static int refusing_sgemm(char, char, int64_t, int64_t, int64_t, float, const float*, int64_t, const float*,
                          int64_t, float, float*, int64_t) {
  return 3;
}

static void one_shape(int64_t M, int64_t N, int64_t K, float alpha) {
  Random random{uint64_t(M * 1000003 + N * 1009 + K)};
  const std::string shape = "matmul " + std::to_string(M) + "x" + std::to_string(N) + "x" +
                            std::to_string(K) + " alpha " + std::to_string(alpha);
  const std::vector<float> a = random.normals(M * K), b = random.normals(K * N), y0 = random.normals(M * N);
  for (int mode = 0; mode < 8; mode++) {
    const bool ta = mode & 1, tb = mode & 2, accumulate = mode & 4;
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
      Guarded<float> ga("a", a), gb("b", b), y("y", M * N);
      for (int64_t i = 0; accumulate && i < M * N; i++) y[i] = y0[size_t(i)];
      const sk_product product{.sgemm = naive_sgemm,
                               .y = y,
                               .a = ga,
                               .b = gb,
                               .M = M,
                               .N = N,
                               .K = K,
                               .ta = ta,
                               .tb = tb,
                               .accumulate = accumulate,
                               .alpha = alpha};
      check_ok(sk_matmul(ctx, &product), "matmul");
      check_close(shape + " mode " + std::to_string(mode) + " " + label, y, exact.data(),
                  K ? plain.data() : nullptr, M * N);
    });
  }
}

// Sums are float and rounded once: half a unit of the last place of y, and what float sums are off by.
static void one_bf16_shape(int64_t M, int64_t N, int64_t K, float alpha) {
  Random random{uint64_t(M * 1000003 + N * 1009 + K)};
  const std::string shape =
      "matmul of bfloat16 " + std::to_string(M) + "x" + std::to_string(N) + "x" + std::to_string(K);
  std::vector<uint16_t> a, b, y0;
  for (float x : random.normals(M * K)) a.push_back(narrow(x));
  for (float x : random.normals(K * N)) b.push_back(narrow(x));
  for (float x : random.normals(M * N)) y0.push_back(narrow(x));
  for (int mode = 0; mode < 16; mode++) {
    const bool ta = mode & 1, tb = mode & 2, accumulate = mode & 4, wide = mode & 8;
    std::vector<double> exact, terms;
    for (int64_t m = 0; m < M; m++)
      for (int64_t n = 0; n < N; n++) {
        double sum = 0, all = 0;
        for (int64_t k = 0; k < K; k++) {
          const double term = double(widen(a[size_t(ta ? k * M + m : m * K + k)])) *
                              double(widen(b[size_t(tb ? n * K + k : k * N + n)]));
          sum += term, all += std::fabs(term);
        }
        exact.push_back(alpha * sum + (accumulate ? double(widen(y0[size_t(m * N + n)])) : 0));
        terms.push_back(all);
      }
    each_bf16_context([&](sk_context* ctx, const std::string& label) {
      Guarded<uint16_t> ga("a", a), gb("b", b), narrow_y("y", y0);
      Guarded<float> wide_y("y", M * N);
      for (int64_t i = 0; accumulate && i < M * N; i++) wide_y[i] = widen(y0[size_t(i)]);
      const sk_product product{.sgemm = naive_sgemm,
                               .y = wide ? wide_y : elements(narrow_y),
                               .a = elements(ga),
                               .b = elements(gb),
                               .M = M,
                               .N = N,
                               .K = K,
                               .ta = ta,
                               .tb = tb,
                               .accumulate = accumulate,
                               .wide = wide,
                               .alpha = alpha};
      check_ok(sk_matmul(ctx, &product), "matmul");
      int64_t wrong = 0;
      for (int64_t i = 0; i < M * N; i++) {
        const double got = double(wide ? wide_y[i] : widen(narrow_y[i])), want = exact[size_t(i)];
        const double allowed =
            terms[size_t(i)] * 0x1p-21 + std::fabs(want) * (wide ? 0x1p-22 : 0x1p-8) + 0x1p-120;
        wrong += !(std::fabs(got - want) <= allowed);
      }
      check(wrong == 0, "%s mode %d %s: %lld of %lld are off", shape.c_str(), mode, label.c_str(),
            (long long)wrong, (long long)(M * N));
    });
  }
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
  CHECK_REFUSED(sk_matmul, ctx, p, wide = 2, "wide is 2");
  CHECK_REFUSED(sk_matmul, ctx, p, sgemm = nullptr, "sgemm is null");
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
  const int64_t shapes[][3] = {{1, 1, 1},      {1, 7, 2},     {2, 1, 63},     {7, 63, 65},   {63, 65, 127},
                               {127, 2, 300},  {1, 3000, 65}, {200, 150, 70}, {50, 31, 0},   {3000, 2, 33},
                               {16, 100, 129}, {17, 100, 33}, {9, 2000, 48},  {6200, 17, 3}, {18, 12400, 2}};
  for (float alpha : {1.0f, -0.7f})
    for (const auto& s : shapes) {
      one_shape(s[0], s[1], s[2], alpha);
      one_bf16_shape(s[0], s[1], s[2], alpha);
    }
  // Two stretches of k, the second odd; blocks that end within a strip; several pieces.
  for (const int64_t n : {1, 33}) one_bf16_shape(140, 6 * n, 1031, 1);
  one_bf16_shape(18, 209, 2051, 0.3f);
  Random random;
  const int64_t M = 301, N = 211, K = 67; // several pieces, ragged at both ends
  const std::vector<float> a = random.normals(M * K), b = random.normals(K * N);
  std::vector<uint16_t> narrow_a, narrow_b;
  for (float x : a) narrow_a.push_back(narrow(x));
  for (float x : b) narrow_b.push_back(narrow(x));
  check_deterministic("matmul", [&](sk_context* ctx) {
    std::vector<float> y(M * N);
    const sk_product product{.sgemm = naive_sgemm,
                             .y = y.data(),
                             .a = a.data(),
                             .b = b.data(),
                             .M = M,
                             .N = N,
                             .K = K,
                             .alpha = 1};
    check_ok(sk_matmul(ctx, &product), "matmul");
    return y;
  });
  for (const char* who : {"auto", "sgemm"})
    check_deterministic("matmul of bfloat16", [&](sk_context* ctx) {
      check_ok(sk_configure(ctx, 1, nullptr), "bfloat16");
      check_ok(sk_multiply_by(ctx, who), who);
      std::vector<float> y(M * N);
      const sk_product product{.sgemm = naive_sgemm,
                               .y = y.data(),
                               .a = elements(narrow_a.data()),
                               .b = elements(narrow_b.data()),
                               .M = M,
                               .N = N,
                               .K = K,
                               .wide = 1,
                               .alpha = 1};
      check_ok(sk_matmul(ctx, &product), "matmul");
      return y;
    });
  errors();
}
