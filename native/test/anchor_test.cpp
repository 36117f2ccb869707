// add_squares, anchor.
#include "check.h"
#include <cmath>

namespace {

static const float lambda = 0.7f, scale = 0.3f;

static void add_squares(int64_t n) {
  Random random{uint64_t(n)};
  const std::vector<float> f = random.normals(n), g = random.normals(n, 3);
  std::vector<double> exact;
  std::vector<float> plain;
  for (int64_t i = 0; i < n; i++) {
    exact.push_back(f[i] + double(scale) * g[i] * g[i]);
    plain.push_back(f[i] + scale * g[i] * g[i]);
  }
  each_context([&](sk_context* ctx, const std::string& label) {
    Guarded<float> got("add_squares f", f), gg("add_squares g", g);
    check_ok(sk_add_squares(ctx, got, gg, n, scale), "add_squares");
    check_close("add_squares " + std::to_string(n) + " " + label, got, exact.data(), plain.data(), n);
    check_same("add_squares leaves g", gg, g.data(), n * 4);
  });
}

static void anchor(int64_t n) {
  Random random{uint64_t(n) + 7};
  const std::vector<float> g = random.normals(n), w = random.normals(n), a = random.normals(n);
  std::vector<float> fisher = random.normals(n);
  for (float& v : fisher) v *= v;
  std::vector<double> exact;
  std::vector<float> plain;
  double penalty = 0;
  for (int64_t i = 0; i < n; i++) {
    const double away = double(w[i]) - a[i], pull = double(lambda) * fisher[i] * away;
    exact.push_back(g[i] + pull);
    plain.push_back(g[i] + lambda * fisher[i] * (w[i] - a[i]));
    penalty += pull * away / 2;
  }
  each_context([&](sk_context* ctx, const std::string& label) {
    Guarded<float> gg("anchor g", g), gw("anchor w", w), gf("anchor fisher", fisher), ga("anchor anchor", a);
    Guarded<double> out("anchor out", 1);
    const std::string name = "anchor " + std::to_string(n) + " " + label;
    check_ok(sk_anchor(ctx, out, gg, gw, gf, ga, n, lambda), "anchor");
    check_close(name, gg, exact.data(), plain.data(), n);
    check_close(name + " penalty", out, &penalty, 1, 1e-6);
    check_same(name + " leaves w", gw, w.data(), n * 4);
    if (n == 0) return;
    gw[n - 1] = NAN;
    check_ok(sk_anchor(ctx, out, gg, gw, gf, ga, n, lambda), "anchor");
    check(std::isnan(out[0]), "%s sees NaN", name.c_str());
  });
}

static void errors() {
  sk_context* ctx;
  check_ok(sk_create(&ctx, 2, "auto"), "create");
  float x[4] = {};
  double out[1] = {5};
  check_error(sk_add_squares(nullptr, x, x, 4, 1), "sk_add_squares: ctx is null");
  check_error(sk_add_squares(ctx, nullptr, x, 4, 1), "f is null");
  check_error(sk_add_squares(ctx, x, nullptr, 4, 1), "g is null");
  check_error(sk_add_squares(ctx, x, x, -4, 1), "n is -4");
  check_error(sk_anchor(nullptr, out, x, x, x, x, 4, 1), "sk_anchor: ctx is null");
  check_error(sk_anchor(ctx, nullptr, x, x, x, x, 4, 1), "out is null");
  check_error(sk_anchor(ctx, out, nullptr, x, x, x, 4, 1), "g is null");
  check_error(sk_anchor(ctx, out, x, nullptr, x, x, 4, 1), "w is null");
  check_error(sk_anchor(ctx, out, x, x, nullptr, x, 4, 1), "fisher is null");
  check_error(sk_anchor(ctx, out, x, x, x, nullptr, 4, 1), "anchor is null");
  check_error(sk_anchor(ctx, out, x, x, x, x, -4, 1), "n is -4");
  check_ok(sk_anchor(ctx, out, x, x, x, x, 0, 1), "nothing");
  check(out[0] == 0, "the anchor of nothing is 0");
  check_ok(sk_destroy(ctx), "destroy");
}

} // namespace

void anchor_tests() {
  for (int64_t n : {1, 2, 7, 63, 65, 127, 1027, 40001}) add_squares(n), anchor(n);
  Random random;
  const std::vector<float> x = random.normals(100003);
  check_deterministic("add_squares", [&](sk_context* ctx) {
    std::vector<float> f = x;
    sk_add_squares(ctx, f.data(), x.data(), int64_t(x.size()), scale);
    return f;
  });
  check_deterministic("anchor", [&](sk_context* ctx) {
    std::vector<float> g = x, bits(2);
    sk_anchor(ctx, reinterpret_cast<double*>(bits.data()), g.data(), x.data(), x.data(), x.data(),
              int64_t(g.size()), lambda);
    g.insert(g.end(), bits.begin(), bits.end());
    return g;
  });
  errors();
}
