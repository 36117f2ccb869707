// rope, swiglu, zero.
#include "check.h"
#include <cmath>

static void rope(int64_t N, int64_t NH, int64_t NKV, int64_t HS) {
  Random random{uint64_t(N * 1009 + HS)};
  const int64_t P = 50, half = HS / 2, row = (NH + 2 * NKV) * HS;
  std::vector<float> qkv = random.normals(N * row), cos(size_t(P * half), 0), sin(size_t(P * half), 0);
  for (int64_t p = 0; p < P; p++)
    for (int64_t i = 0; i < half; i++) {
      double a = double(p) * std::pow(10000.0, -2.0 * double(i) / double(HS));
      cos[size_t(p * half + i)] = float(std::cos(a));
      sin[size_t(p * half + i)] = float(std::sin(a));
    }
  std::vector<int32_t> positions(static_cast<size_t>(N));
  for (int32_t& p : positions) p = int32_t(random.below(P));
  for (int inverse = 0; inverse < 2; inverse++) {
    std::vector<double> exact(qkv.begin(), qkv.end());
    std::vector<float> plain = qkv;
    for (int64_t n = 0; n < N; n++)
      for (int64_t h = 0; h < NH + NKV; h++)
        for (int64_t i = 0; i < half; i++) {
          const size_t at = size_t(n * row + h * HS + i), to = at + size_t(half);
          const float c = cos[size_t(positions[size_t(n)] * half + i)];
          const float s = sin[size_t(positions[size_t(n)] * half + i)] * (inverse ? -1.0f : 1.0f);
          exact[at] = double(qkv[at]) * c - double(qkv[to]) * s;
          exact[to] = double(qkv[to]) * c + double(qkv[at]) * s;
          plain[at] = qkv[at] * c - qkv[to] * s;
          plain[to] = qkv[to] * c + qkv[at] * s;
        }
    each_context([&](sk_context* ctx, const std::string& label) {
      Guarded<float> x("rope", qkv);
      const sk_rope a{.qkv = x,
                      .positions = positions.data(),
                      .cos = cos.data(),
                      .sin = sin.data(),
                      .N = N,
                      .NH = NH,
                      .NKV = NKV,
                      .HS = HS,
                      .P = P};
      check_ok((inverse ? sk_rope_bwd : sk_rope_fwd)(ctx, &a), "rope");
      check_close(std::string(inverse ? "rope_bwd " : "rope_fwd ") + std::to_string(N) + " " +
                      std::to_string(NH) + "/" + std::to_string(NKV) + "x" + std::to_string(HS) + " " + label,
                  x, exact.data(), plain.data(), N * row);
    });
  }
}

template <class T> static void swiglu_formulas(T g, T u, T d, T out[4]) {
  const T e = std::exp(-g), sig = 1 / (1 + e), silu = g * sig;
  out[0] = g / (1 + e) * u;
  out[1] = d * u * sig * (1 + g * (1 - sig));
  out[2] = d * silu;
  out[3] = silu * u;
}

static void swiglu(int64_t N, int64_t F, float scale) {
  Random random{uint64_t(N * 1009 + F)};
  const std::vector<float> gu = random.normals(N * 2 * F, scale), dh = random.normals(N * F);
  std::vector<double> exact[4];
  std::vector<float> plain[4];
  for (auto& e : exact) e.resize(size_t(N * F));
  for (auto& p : plain) p.resize(size_t(N * F));
  for (int64_t n = 0; n < N; n++)
    for (int64_t i = 0; i < F; i++) {
      const float g = gu[size_t(n * 2 * F + i)], u = gu[size_t(n * 2 * F + F + i)], d = dh[size_t(n * F + i)];
      double e[4];
      float p[4];
      swiglu_formulas<double>(g, u, d, e);
      swiglu_formulas<float>(g, u, d, p);
      for (int k = 0; k < 4; k++) exact[k][size_t(n * F + i)] = e[k], plain[k][size_t(n * F + i)] = p[k];
    }
  each_context([&](sk_context* ctx, const std::string& label) {
    const std::string name = std::to_string(N) + "x" + std::to_string(F) + " " + label;
    Guarded<float> h("swiglu h", N * F), dgu("swiglu dgu", N * 2 * F), d("swiglu dh", dh), in("gu", gu);
    const sk_swiglu forward{.h = h, .gu = in, .N = N, .F = F};
    const sk_swiglu_gradient backward{.dgu = dgu, .dh = d, .gu = in, .N = N, .F = F};
    check_ok(sk_swiglu_fwd(ctx, &forward), "swiglu_fwd");
    check_ok(sk_swiglu_bwd(ctx, &backward), "swiglu_bwd");
    check_same("swiglu_bwd leaves the h of swiglu_fwd " + name, d, h, N * F * 4);
    std::vector<float> dgate, dup;
    for (int64_t n = 0; n < N; n++) {
      dgate.insert(dgate.end(), dgu + n * 2 * F, dgu + n * 2 * F + F);
      dup.insert(dup.end(), dgu + n * 2 * F + F, dgu + (n + 1) * 2 * F);
    }
    const float* got[4] = {h, dgate.data(), dup.data(), d};
    const char* names[4] = {"swiglu_fwd h ", "swiglu_bwd dgate ", "swiglu_bwd dup ", "swiglu_bwd h "};
    for (int k = 0; k < 4; k++)
      check_close(names[k] + name, got[k], exact[k].data(), plain[k].data(), N * F, 2e-7);
  });
}

// Far from zero: relative to the exact value, and finite.
static void swiglu_extremes() {
  const std::vector<float> gates = {-1e30f, -1e4f, -200, -100, -89, -88, -50, -20, -5,   -1e-6f, 0,
                                    1e-6f,  5,     20,   50,   88,  89,  100, 200, 1e4f, 1e30f};
  const int64_t F = int64_t(gates.size());
  std::vector<float> gu = gates;
  gu.resize(size_t(2 * F), 1);
  each_context([&](sk_context* ctx, const std::string& label) {
    std::vector<float> h(gates.size()), dgu(gu.size()), dh(gates.size(), 1);
    const sk_swiglu forward{.h = h.data(), .gu = gu.data(), .N = 1, .F = F};
    const sk_swiglu_gradient backward{.dgu = dgu.data(), .dh = dh.data(), .gu = gu.data(), .N = 1, .F = F};
    check_ok(sk_swiglu_fwd(ctx, &forward), "swiglu_fwd");
    check_ok(sk_swiglu_bwd(ctx, &backward), "swiglu_bwd");
    for (int64_t i = 0; i < F; i++) {
      const double g = gates[size_t(i)], e = std::exp(-g), sig = 1 / (1 + e);
      const double silu = g / (1 + e), slope = sig + (e < 1e300 ? g * e * sig * sig : 0);
      auto close = [](double x, double exact) {
        return std::fabs(x - exact) <= 1e-6 * std::fabs(exact) + 1e-35;
      };
      check(close(h[size_t(i)], silu), "silu(%g) is %g, not %g %s", g, double(h[size_t(i)]), silu,
            label.c_str());
      check(close(dgu[size_t(i)], slope), "silu'(%g) is %g, not %g %s", g, double(dgu[size_t(i)]), slope,
            label.c_str());
      check_same("swiglu extremes: dup is h", &dh[size_t(i)], &dgu[size_t(F + i)], 4);
      check_same("swiglu_bwd leaves the h of swiglu_fwd", &dh[size_t(i)], &h[size_t(i)], 4);
    }
  });
}

static void zero() {
  each_context([](sk_context* ctx, const std::string& label) {
    for (int64_t n : {0, 1, 7, 127, 600000}) {
      Guarded<float> x("zero", n);
      const sk_vector a{.x = x, .n = n};
      check_ok(sk_zero(ctx, &a), "zero");
      bool all = true;
      for (int64_t i = 0; i < n; i++) all &= x[i] == 0;
      check(all, "zero of %lld %s", (long long)n, label.c_str());
    }
  });
}

static void errors() {
  sk_context* ctx;
  check_ok(sk_create(&ctx, 2, "auto"), "create");
  float x[64] = {};
  int32_t positions[2] = {0, 3};
  for (auto rope : {sk_rope_fwd, sk_rope_bwd}) {
    const sk_rope good{
        .qkv = x, .positions = positions, .cos = x, .sin = x, .N = 2, .NH = 2, .NKV = 1, .HS = 4, .P = 4};
    const char* name = rope == sk_rope_bwd ? "sk_rope_bwd: " : "sk_rope_fwd: ";
    check_error(rope(nullptr, &good), (std::string(name) + "ctx is null").c_str());
    check_error(rope(ctx, nullptr), (std::string(name) + "a is null").c_str());
    CHECK_REFUSED(rope, ctx, good, qkv = nullptr, "qkv is null");
    CHECK_REFUSED(rope, ctx, good, positions = nullptr, "positions is null");
    CHECK_REFUSED(rope, ctx, good, cos = nullptr, "cos is null");
    CHECK_REFUSED(rope, ctx, good, sin = nullptr, "sin is null");
    CHECK_REFUSED(rope, ctx, good, NKV = 3, "NH is 2, not a multiple of NKV, which is 3");
    CHECK_REFUSED(rope, ctx, good, HS = 3, "HS is 3, which is odd");
    CHECK_REFUSED(rope, ctx, good, NKV = 0, "NKV is 0");
    CHECK_REFUSED(rope, ctx, good, P = 3, "positions[1] is 3, outside [0, 3)");
    CHECK_REFUSED(rope, ctx, good, P = -1, "P is -1");
    CHECK_REFUSED(rope, ctx, good, N = -1, "N is -1");
  }
  sk_swiglu forward{.h = x, .gu = x, .N = 1, .F = 4};
  check_error(sk_swiglu_fwd(nullptr, &forward), "sk_swiglu_fwd: ctx is null");
  check_error(sk_swiglu_fwd(ctx, nullptr), "sk_swiglu_fwd: a is null");
  CHECK_REFUSED(sk_swiglu_fwd, ctx, forward, h = nullptr, "h is null");
  CHECK_REFUSED(sk_swiglu_fwd, ctx, forward, gu = nullptr, "gu is null");
  CHECK_REFUSED(sk_swiglu_fwd, ctx, forward, F = 0, "F is 0");
  const sk_swiglu_gradient backward{.dgu = x, .dh = x, .gu = x, .N = 1, .F = 4};
  CHECK_REFUSED(sk_swiglu_bwd, ctx, backward, dgu = nullptr, "dgu is null");
  CHECK_REFUSED(sk_swiglu_bwd, ctx, backward, dh = nullptr, "dh is null");
  CHECK_REFUSED(sk_swiglu_bwd, ctx, backward, gu = nullptr, "gu is null");
  CHECK_REFUSED(sk_swiglu_bwd, ctx, backward, N = -1, "N is -1");
  const sk_vector vector{.x = x, .n = 4};
  CHECK_REFUSED(sk_zero, ctx, vector, x = nullptr, "sk_zero: x is null");
  CHECK_REFUSED(sk_zero, ctx, vector, n = -4, "n is -4");
  forward.N = 0;
  check_ok(sk_swiglu_fwd(ctx, &forward), "no rows");
  check_ok(sk_destroy(ctx), "destroy");
}

void elementwise_tests() {
  for (int64_t HS : {2, 6, 14, 64, 66, 126}) rope(7, 3, 1, HS);
  rope(1, 1, 1, 64);
  rope(127, 4, 2, 64);
  for (int64_t N : {1, 2, 65})
    for (int64_t F : {1, 2, 7, 63, 65, 127, 400}) swiglu(N, F, 3);
  swiglu(7, 1536, 30);
  swiglu_extremes();
  Random random;
  const std::vector<float> gu = random.normals(101 * 2 * 333), dh = random.normals(101 * 333);
  check_deterministic("swiglu_bwd", [&](sk_context* ctx) {
    std::vector<float> d(gu.size()), h = dh;
    const sk_swiglu_gradient a{.dgu = d.data(), .dh = h.data(), .gu = gu.data(), .N = 101, .F = 333};
    sk_swiglu_bwd(ctx, &a);
    d.insert(d.end(), h.begin(), h.end());
    return d;
  });
  zero();
  errors();
}
