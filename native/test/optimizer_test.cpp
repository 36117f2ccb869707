// adamw over several steps, sum_squares.
#include "check.h"
#include <cmath>

namespace {

template <class T> struct State {
  std::vector<T> w, m, v;
};

static const float lr = 1e-2f, b1 = 0.9f, b2 = 0.95f, eps = 1e-8f, decay = 0.1f, grad_scale = 0.37f;

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
      float* written = k == 4 ? rounded.data() : nullptr;
      check_ok(sk_adamw(ctx, gw, m, v, g[k].data(), written, n, lr, b1, b2, eps, decay, grad_scale, k + 1),
               "adamw");
    }
    const std::string name = std::to_string(n) + " " + label;
    check_same("adamw rounded " + name, rounded, gw, n * int64_t(sizeof(float)));
    check_close("adamw w " + name, gw, exact.w.data(), plain.w.data(), n, 3e-7);
    check_close("adamw m " + name, m, exact.m.data(), plain.m.data(), n, 1e-8);
    check_close("adamw v " + name, v, exact.v.data(), plain.v.data(), n, 1e-9);
  });
}

static void sum_squares(int64_t n) {
  Random random{uint64_t(n)};
  const std::vector<float> x = random.normals(n, 1e3f);
  double exact = 0;
  for (float v : x) exact += double(v) * v;
  each_context([&](sk_context* ctx, const std::string& label) {
    Guarded<float> gx("sum_squares x", x);
    Guarded<double> out("sum_squares out", 1);
    check_ok(sk_sum_squares(ctx, out, gx, n), "sum_squares");
    check_close("sum_squares " + std::to_string(n) + " " + label, out, &exact, 1, 1e-13);
    if (n == 0) return;
    gx[n - 1] = NAN;
    check_ok(sk_sum_squares(ctx, out, gx, n), "sum_squares");
    check(std::isnan(out[0]), "sum_squares sees NaN %s", label.c_str());
    gx[n - 1] = -INFINITY;
    check_ok(sk_sum_squares(ctx, out, gx, n), "sum_squares");
    check(out[0] == INFINITY, "sum_squares sees Inf %s", label.c_str());
    gx[n - 1] = 3e38f;
    check_ok(sk_sum_squares(ctx, out, gx, n), "sum_squares");
    check(std::isfinite(out[0]), "sum_squares does not overflow %s", label.c_str());
  });
}

static void errors() {
  sk_context* ctx;
  check_ok(sk_create(&ctx, 2, "auto"), "create");
  float x[4] = {};
  double out = 5;
  check_error(sk_adamw(nullptr, x, x, x, x, x, 4, lr, b1, b2, eps, decay, 1, 1), "sk_adamw: ctx is null");
  check_error(sk_adamw(ctx, nullptr, x, x, x, x, 4, lr, b1, b2, eps, decay, 1, 1), "w is null");
  check_error(sk_adamw(ctx, x, nullptr, x, x, x, 4, lr, b1, b2, eps, decay, 1, 1), "m is null");
  check_error(sk_adamw(ctx, x, x, nullptr, x, x, 4, lr, b1, b2, eps, decay, 1, 1), "v is null");
  check_error(sk_adamw(ctx, x, x, x, nullptr, x, 4, lr, b1, b2, eps, decay, 1, 1), "g is null");
  check_error(sk_adamw(ctx, x, x, x, x, x, -4, lr, b1, b2, eps, decay, 1, 1), "n is -4");
  check_error(sk_adamw(ctx, x, x, x, x, x, 4, lr, b1, b2, eps, decay, 1, 0), "step is 0");
  check_error(sk_sum_squares(nullptr, &out, x, 4), "sk_sum_squares: ctx is null");
  check_error(sk_sum_squares(ctx, nullptr, x, 4), "out is null");
  check_error(sk_sum_squares(ctx, &out, nullptr, 4), "x is null");
  check_error(sk_sum_squares(ctx, &out, x, -4), "n is -4");
  check_ok(sk_adamw(ctx, x, x, x, x, x, 0, lr, b1, b2, eps, decay, 1, 1), "nothing");
  check_ok(sk_destroy(ctx), "destroy");
}

} // namespace

void optimizer_tests() {
  for (int64_t n : {1, 2, 7, 63, 65, 127, 40001}) adamw(n), sum_squares(n);
  sum_squares(0);
  Random random;
  const std::vector<float> x = random.normals(100003);
  check_deterministic("sum_squares", [&](sk_context* ctx) {
    std::vector<float> bits(2);
    sk_sum_squares(ctx, reinterpret_cast<double*>(bits.data()), x.data(), int64_t(x.size()));
    return bits;
  });
  check_deterministic("adamw", [&](sk_context* ctx) {
    std::vector<float> w = x, m(x.size()), v(x.size());
    sk_adamw(ctx, w.data(), m.data(), v.data(), x.data(), nullptr, int64_t(x.size()), lr, b1, b2, eps, decay,
             1, 1);
    return w;
  });
  errors();
}
