// matmul over a naive sgemm: shapes below, at and above the pieces, all transpositions, accumulation.
#include "check.h"

static void one_shape(int64_t M, int64_t N, int64_t K) {
  Random random{uint64_t(M * 1000003 + N * 1009 + K)};
  const std::string shape = "matmul " + std::to_string(M) + "x" + std::to_string(N) + "x" + std::to_string(K);
  const std::vector<float> a = random.normals(M * K), b = random.normals(K * N), y0 = random.normals(M * N);
  for (int mode = 0; mode < 8; mode++) {
    const bool ta = mode & 1, tb = mode & 2, accumulate = mode & 4;
    std::vector<double> exact(static_cast<size_t>(M * N));
    for (int64_t m = 0; m < M; m++)
      for (int64_t n = 0; n < N; n++) {
        double sum = accumulate ? y0[size_t(m * N + n)] : 0;
        for (int64_t k = 0; k < K; k++)
          sum += double(a[size_t(ta ? k * M + m : m * K + k)]) * b[size_t(tb ? n * K + k : k * N + n)];
        exact[size_t(m * N + n)] = sum;
      }
    std::vector<float> plain = y0;
    if (K)
      naive_sgemm(ta ? 'T' : 'N', tb ? 'T' : 'N', M, N, K, 1, a.data(), ta ? M : K, b.data(), tb ? K : N, accumulate,
                  plain.data(), N);
    each_context([&](sk_context* ctx, const std::string& label) {
      Guarded<float> ga("a", a), gb("b", b), y("y", M * N);
      for (int64_t i = 0; accumulate && i < M * N; i++) y[i] = y0[size_t(i)];
      check_ok(sk_matmul(ctx, reinterpret_cast<void*>(naive_sgemm), y, ga, gb, M, N, K, ta, tb, accumulate), "matmul");
      check_close(shape + " mode " + std::to_string(mode) + " " + label, y, exact.data(), K ? plain.data() : nullptr,
                  M * N);
    });
  }
}

static void errors() {
  sk_context* ctx;
  check_ok(sk_create(&ctx, 2, "auto"), "create");
  float x[4] = {};
  void* f = reinterpret_cast<void*>(naive_sgemm);
  check_error(sk_matmul(nullptr, f, x, x, x, 1, 1, 1, 0, 0, 0), "sk_matmul: ctx is null");
  check_error(sk_matmul(ctx, nullptr, x, x, x, 1, 1, 1, 0, 0, 0), "sgemm is null");
  check_error(sk_matmul(ctx, f, nullptr, x, x, 1, 1, 1, 0, 0, 0), "y is null");
  check_error(sk_matmul(ctx, f, x, nullptr, x, 1, 1, 1, 0, 0, 0), "a is null");
  check_error(sk_matmul(ctx, f, x, x, nullptr, 1, 1, 1, 0, 0, 0), "b is null");
  check_error(sk_matmul(ctx, f, x, x, x, -1, 1, 1, 0, 0, 0), "M is -1");
  check_error(sk_matmul(ctx, f, x, x, x, 1, -1, 1, 0, 0, 0), "N is -1");
  check_error(sk_matmul(ctx, f, x, x, x, 1, 1, -1, 0, 0, 0), "K is -1");
  sk_sgemm* refuses = [](char, char, int64_t, int64_t, int64_t, float, const float*, int64_t, const float*, int64_t, float,
                         float*, int64_t) { return 3; };
  check_error(sk_matmul(ctx, reinterpret_cast<void*>(refuses), x, x, x, 2, 2, 1, 0, 0, 0), "sgemm of 2 x 2 x 1: status 3");
  check_error(sk_matmul(ctx, f, x, x, x, 1, 1, 1, 2, 0, 0), "ta is 2");
  check_ok(sk_matmul(ctx, f, x, x, x, 0, 4, 4, 0, 0, 0), "M = 0");
  check_ok(sk_matmul(ctx, f, x, x, x, 4, 0, 4, 0, 0, 0), "N = 0");
  check_ok(sk_destroy(ctx), "destroy");
}

void matmul_tests() {
  const int64_t shapes[][3] = {{1, 1, 1},     {1, 7, 2},     {2, 1, 63},    {7, 63, 65},  {63, 65, 127},
                               {127, 2, 300}, {1, 3000, 65}, {200, 150, 70}, {50, 31, 0}, {3000, 2, 33},
                               {16, 100, 129}, {17, 100, 33}, {9, 2000, 48}};
  for (const auto& s : shapes) one_shape(s[0], s[1], s[2]);
  Random random;
  const int64_t M = 301, N = 211, K = 67; // several pieces, ragged at both ends
  const std::vector<float> a = random.normals(M * K), b = random.normals(K * N);
  check_deterministic("matmul", [&](sk_context* ctx) {
    std::vector<float> y(M * N);
    sk_matmul(ctx, reinterpret_cast<void*>(naive_sgemm), y.data(), a.data(), b.data(), M, N, K, 0, 0, 0);
    return y;
  });
  errors();
}
