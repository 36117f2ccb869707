// add_squares, anchor.
#include "check.h"
#include <cmath>

namespace {

static const float lambda = 0.7f, scale = 0.3f;

static void add_squares(int64_t n) {
  Random random{uint64_t(n)};
  const std::vector<float> y = random.normals(n), x = random.normals(n, 3);
  std::vector<double> exact;
  std::vector<float> plain;
  for (int64_t i = 0; i < n; i++) {
    exact.push_back(y[i] + double(scale) * x[i] * x[i]);
    plain.push_back(y[i] + scale * x[i] * x[i]);
  }
  each_context([&](sk_context* ctx, const std::string& label) {
    Guarded<float> got("add_squares y", y), gx("add_squares x", x);
    const sk_scaled a{.y = got, .x = gx, .n = n, .scale = scale};
    check_ok(sk_add_squares(ctx, &a), "add_squares");
    check_close("add_squares " + std::to_string(n) + " " + label, got, exact.data(), plain.data(), n);
    check_same("add_squares leaves x", gx, x.data(), n * 4);
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
    const sk_pull pull{.out = out, .g = gg, .w = gw, .fisher = gf, .anchor = ga, .n = n, .lambda = lambda};
    check_ok(sk_anchor(ctx, &pull), "anchor");
    check_close(name, gg, exact.data(), plain.data(), n);
    check_close(name + " penalty", out, &penalty, 1, 1e-6);
    check_same(name + " leaves w", gw, w.data(), n * 4);
    if (n == 0) return;
    gw[n - 1] = NAN;
    check_ok(sk_anchor(ctx, &pull), "anchor");
    check(std::isnan(out[0]), "%s sees NaN", name.c_str());
  });
}

static void errors() {
  sk_context* ctx;
  check_ok(sk_create(&ctx, 2, "auto"), "create");
  float x[4] = {};
  double out[1] = {5};
  const sk_scaled squares{.y = x, .x = x, .n = 4, .scale = 1};
  check_error(sk_add_squares(nullptr, &squares), "sk_add_squares: ctx is null");
  check_error(sk_add_squares(ctx, nullptr), "sk_add_squares: a is null");
  CHECK_REFUSED(sk_add_squares, ctx, squares, y = nullptr, "y is null");
  CHECK_REFUSED(sk_add_squares, ctx, squares, x = nullptr, "x is null");
  CHECK_REFUSED(sk_add_squares, ctx, squares, n = -4, "n is -4");
  sk_pull pull{.out = out, .g = x, .w = x, .fisher = x, .anchor = x, .n = 4, .lambda = 1};
  check_error(sk_anchor(nullptr, &pull), "sk_anchor: ctx is null");
  check_error(sk_anchor(ctx, nullptr), "sk_anchor: a is null");
  CHECK_REFUSED(sk_anchor, ctx, pull, out = nullptr, "out is null");
  CHECK_REFUSED(sk_anchor, ctx, pull, g = nullptr, "g is null");
  CHECK_REFUSED(sk_anchor, ctx, pull, w = nullptr, "w is null");
  CHECK_REFUSED(sk_anchor, ctx, pull, fisher = nullptr, "fisher is null");
  CHECK_REFUSED(sk_anchor, ctx, pull, anchor = nullptr, "anchor is null");
  CHECK_REFUSED(sk_anchor, ctx, pull, n = -4, "n is -4");
  pull.n = 0;
  check_ok(sk_anchor(ctx, &pull), "nothing");
  check(out[0] == 0, "the anchor of nothing is 0");
  check_ok(sk_destroy(ctx), "destroy");
}

} // namespace

void anchor_tests() {
  for (int64_t n : {1, 2, 7, 63, 65, 127, 1027, 40001}) add_squares(n), anchor(n);
  Random random;
  const std::vector<float> x = random.normals(100003);
  check_deterministic("add_squares", [&](sk_context* ctx) {
    std::vector<float> y = x;
    const sk_scaled a{.y = y.data(), .x = x.data(), .n = int64_t(x.size()), .scale = scale};
    sk_add_squares(ctx, &a);
    return y;
  });
  check_deterministic("anchor", [&](sk_context* ctx) {
    std::vector<float> g = x, bits(2);
    const sk_pull pull{.out = reinterpret_cast<double*>(bits.data()),
                       .g = g.data(),
                       .w = x.data(),
                       .fisher = x.data(),
                       .anchor = x.data(),
                       .n = int64_t(g.size()),
                       .lambda = lambda};
    sk_anchor(ctx, &pull);
    g.insert(g.end(), bits.begin(), bits.end());
    return g;
  });
  errors();
}
