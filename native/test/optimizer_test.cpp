// adamw over several steps, dot, add_scaled.
#include "check.h"
#include <cmath>

namespace {

template <class T> struct State {
  std::vector<T> w, m, v;
};

static const float lr = 1e-2f, b1 = 0.9f, b2 = 0.95f, eps = 1e-8f, decay = 0.1f, grad_scale = 0.37f;

static sk_adamw_step first_step(float* w, float* m, float* v, const float* g, int64_t n) {
  return {.w = w,
          .m = m,
          .v = v,
          .g = g,
          .rounded = nullptr,
          .n = n,
          .step = 1,
          .lr = lr,
          .b1 = b1,
          .b2 = b2,
          .eps = eps,
          .decay = decay,
          .grad_scale = grad_scale};
}

template <class T> static void step_of(State<T>& s, const std::vector<float>& g, int64_t step) {
  for (size_t i = 0; i < g.size(); i++) {
    const T d = T(grad_scale) * g[i];
    s.m[i] = b1 * s.m[i] + (1 - T(b1)) * d;
    s.v[i] = b2 * s.v[i] + (1 - T(b2)) * d * d;
    const T mhat = s.m[i] / T(1 - std::pow(double(b1), double(step)));
    const T vhat = s.v[i] / T(1 - std::pow(double(b2), double(step)));
    s.w[i] -= lr * (mhat / (std::sqrt(vhat) + eps) + decay * s.w[i]);
  }
}

static void adamw(int64_t n) {
  Random random{uint64_t(n)};
  const std::vector<float> w = random.normals(n), zeros(size_t(n), 0);
  std::vector<float> g[5];
  for (auto& x : g) x = random.normals(n, 0.1f);
  g[2].assign(size_t(n), 0); // a step without gradient
  State<double> exact{{w.begin(), w.end()}, std::vector<double>(size_t(n)), std::vector<double>(size_t(n))};
  State<float> plain{w, zeros, zeros};
  for (int64_t k = 0; k < 5; k++) step_of(exact, g[k], k + 1), step_of(plain, g[k], k + 1);
  each_context([&](sk_context* ctx, const std::string& label) {
    Guarded<float> gw("adamw w", w), m("adamw m", zeros), v("adamw v", zeros), rounded("adamw rounded", n);
    for (int64_t k = 0; k < 5; k++) {
      sk_adamw_step a = first_step(gw, m, v, g[k].data(), n);
      a.step = k + 1;
      a.rounded = k == 4 ? rounded.data() : nullptr;
      check_ok(sk_adamw(ctx, &a), "adamw");
    }
    const std::string name = std::to_string(n) + " " + label;
    check_same("adamw rounded " + name, rounded, gw, n * int64_t(sizeof(float)));
    check_close("adamw w " + name, gw, exact.w.data(), plain.w.data(), n, 3e-7);
    check_close("adamw m " + name, m, exact.m.data(), plain.m.data(), n, 1e-8);
    check_close("adamw v " + name, v, exact.v.data(), plain.v.data(), n, 1e-9);
  });
}

static void dot(int64_t n) {
  Random random{uint64_t(n)};
  const std::vector<float> x = random.normals(n, 1e3f), y = random.normals(n);
  double exact = 0, squares = 0, size = 0;
  for (int64_t i = 0; i < n; i++) {
    exact += double(x[i]) * y[i], squares += double(x[i]) * x[i];
    size += std::abs(double(x[i]) * y[i]);
  }
  each_context([&](sk_context* ctx, const std::string& label) {
    Guarded<float> gx("dot x", x), gy("dot y", y);
    Guarded<double> out("dot out", 1);
    const std::string name = "dot " + std::to_string(n) + " " + label;
    const sk_pair apart{.out = out, .x = gx, .y = gy, .n = n}, one{.out = out, .x = gx, .y = gx, .n = n};
    check_ok(sk_dot(ctx, &apart), "dot");
    check(std::abs(out[0] - exact) <= 1e-13 * size, "%s: %.17g, expected %.17g", name.c_str(), out[0], exact);
    check_ok(sk_dot(ctx, &one), "dot");
    check_close(name + " of one array", out, &squares, 1, 1e-13);
    if (n == 0) return;
    gx[n - 1] = NAN;
    check_ok(sk_dot(ctx, &one), "dot");
    check(std::isnan(out[0]), "%s sees NaN", name.c_str());
    gx[n - 1] = -INFINITY;
    check_ok(sk_dot(ctx, &one), "dot");
    check(out[0] == INFINITY, "%s sees Inf", name.c_str());
    gx[n - 1] = 3e38f;
    check_ok(sk_dot(ctx, &one), "dot");
    check(std::isfinite(out[0]), "%s does not overflow", name.c_str());
  });
}

static void add_scaled(int64_t n) {
  Random random{uint64_t(n) + 3};
  const std::vector<float> x = random.normals(n, 3), y = random.normals(n);
  const float scale = -0.7f;
  std::vector<double> exact;
  std::vector<float> plain;
  for (int64_t i = 0; i < n; i++) {
    exact.push_back(y[i] + double(scale) * x[i]);
    plain.push_back(y[i] + scale * x[i]);
  }
  each_context([&](sk_context* ctx, const std::string& label) {
    Guarded<float> gx("add_scaled x", x), gy("add_scaled y", y);
    const sk_scaled a{.y = gy, .x = gx, .n = n, .scale = scale};
    check_ok(sk_add_scaled(ctx, &a), "add_scaled");
    check_close("add_scaled " + std::to_string(n) + " " + label, gy, exact.data(), plain.data(), n);
    check_same("add_scaled leaves x", gx, x.data(), n * 4);
  });
}

static void errors() {
  sk_context* ctx;
  check_ok(sk_create(&ctx, 2, "auto"), "create");
  float x[4] = {};
  double out = 5;
  sk_adamw_step step = first_step(x, x, x, x, 4);
  check_error(sk_adamw(nullptr, &step), "sk_adamw: ctx is null");
  check_error(sk_adamw(ctx, nullptr), "sk_adamw: a is null");
  CHECK_REFUSED(sk_adamw, ctx, step, w = nullptr, "w is null");
  CHECK_REFUSED(sk_adamw, ctx, step, m = nullptr, "m is null");
  CHECK_REFUSED(sk_adamw, ctx, step, v = nullptr, "v is null");
  CHECK_REFUSED(sk_adamw, ctx, step, g = nullptr, "g is null");
  CHECK_REFUSED(sk_adamw, ctx, step, n = -4, "n is -4");
  CHECK_REFUSED(sk_adamw, ctx, step, step = 0, "step is 0");
  const sk_pair pair{.out = &out, .x = x, .y = x, .n = 4};
  check_error(sk_dot(nullptr, &pair), "sk_dot: ctx is null");
  check_error(sk_dot(ctx, nullptr), "sk_dot: a is null");
  CHECK_REFUSED(sk_dot, ctx, pair, out = nullptr, "out is null");
  CHECK_REFUSED(sk_dot, ctx, pair, x = nullptr, "x is null");
  CHECK_REFUSED(sk_dot, ctx, pair, y = nullptr, "y is null");
  CHECK_REFUSED(sk_dot, ctx, pair, n = -4, "n is -4");
  const sk_scaled scaled{.y = x, .x = x, .n = 4, .scale = 1};
  check_error(sk_add_scaled(nullptr, &scaled), "sk_add_scaled: ctx is null");
  check_error(sk_add_scaled(ctx, nullptr), "sk_add_scaled: a is null");
  CHECK_REFUSED(sk_add_scaled, ctx, scaled, y = nullptr, "y is null");
  CHECK_REFUSED(sk_add_scaled, ctx, scaled, x = nullptr, "x is null");
  CHECK_REFUSED(sk_add_scaled, ctx, scaled, n = -4, "n is -4");
  step.n = 0;
  check_ok(sk_adamw(ctx, &step), "nothing");
  check_ok(sk_destroy(ctx), "destroy");
}

} // namespace

void optimizer_tests() {
  for (int64_t n : {1, 2, 7, 63, 65, 127, 40001}) adamw(n), dot(n), add_scaled(n);
  dot(0);
  Random random;
  const std::vector<float> x = random.normals(100003);
  check_deterministic("dot", [&](sk_context* ctx) {
    std::vector<float> bits(2);
    const sk_pair pair{
        .out = reinterpret_cast<double*>(bits.data()), .x = x.data(), .y = x.data(), .n = int64_t(x.size())};
    sk_dot(ctx, &pair);
    return bits;
  });
  check_deterministic("add_scaled", [&](sk_context* ctx) {
    std::vector<float> y = x;
    const sk_scaled a{.y = y.data(), .x = x.data(), .n = int64_t(x.size()), .scale = 0.3f};
    sk_add_scaled(ctx, &a);
    return y;
  });
  check_deterministic("adamw", [&](sk_context* ctx) {
    std::vector<float> w = x, m(x.size()), v(x.size());
    const sk_adamw_step a = first_step(w.data(), m.data(), v.data(), x.data(), int64_t(x.size()));
    sk_adamw(ctx, &a);
    return w;
  });
  errors();
}
