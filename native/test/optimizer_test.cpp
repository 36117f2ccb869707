// adamw over several steps, dot, add_scaled, add_squares, anchor.
#include "check.h"
#include "narrow_adamw.h"
#include <cmath>

using plain::drawn, plain::narrowed, plain::widened;

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
    Guarded<uint16_t> narrow("adamw rounded to bfloat16", n);
    for (int64_t k = 0; k < 5; k++) {
      sk_adamw_step a = first_step(gw, m, v, g[k].data(), n);
      a.step = k + 1;
      a.rounded = k == 4 ? rounded.data() : nullptr;
      check_ok(sk_adamw(ctx, &a), "adamw");
    }
    const std::string name = std::to_string(n) + " " + label;
    check_same("adamw rounded " + name, rounded, gw, n * int64_t(sizeof(float)));
    Guarded<float> m2("adamw m", zeros), v2("adamw v", zeros);
    sk_adamw_step still = first_step(gw, m2, v2, g[0].data(), n);
    still.lr = 0, still.rounded = reinterpret_cast<float*>(narrow.data()), still.rounded_bf16 = 1;
    check_ok(sk_adamw(ctx, &still), "adamw");
    std::vector<uint16_t> nearest;
    for (float x : gw.copy()) nearest.push_back(drawn(x, 0x7FFF + (drawn(x, 0) & 1)));
    check_same("adamw rounded to bfloat16 " + name, narrow, nearest.data(), n * 2);
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

// Of narrow arrays every bit is said.
static void narrow_adamw(int64_t n, bool w_narrow, bool g_narrow) {
  Random random{uint64_t(n + 7)};
  std::vector<float> w = random.normals(n), g[3];
  if (w_narrow) w = plain::widened(narrowed(w));
  for (auto& x : g) x = random.normals(n, 0.1f);
  const std::vector<float> first = w;
  const std::vector<uint16_t> none(static_cast<size_t>(n));
  std::vector<float> m(w.size()), v(w.size());
  for (int64_t k = 0; k < 3; k++) {
    sk_adamw_step a = first_step(w.data(), m.data(), v.data(), nullptr, n);
    const std::vector<float> gs = g_narrow ? plain::widened(narrowed(g[k])) : g[k];
    a.g = gs.data(), a.step = k + 1, a.key = -5 + k;
    plain::narrow_adamw(a, w_narrow);
  }
  each_context([&](sk_context* ctx, const std::string& label) {
    Guarded<uint16_t> ws("narrow w", narrowed(first)), ms("narrow m", none), vs("narrow v", none);
    Guarded<float> wf("wide w", first);
    for (int64_t k = 0; k < 3; k++) {
      const std::vector<uint16_t> gs = narrowed(g[k]);
      sk_adamw_step a = first_step(wf, reinterpret_cast<float*>(ms.data()),
                                   reinterpret_cast<float*>(vs.data()), g[k].data(), n);
      if (w_narrow) a.w = reinterpret_cast<float*>(ws.data());
      if (g_narrow) a.g = reinterpret_cast<const float*>(gs.data());
      a.step = k + 1, a.key = -5 + k, a.w_bf16 = w_narrow, a.mv_bf16 = 1, a.g_bf16 = g_narrow;
      check_ok(sk_adamw(ctx, &a), "adamw");
    }
    const std::string name =
        std::to_string(n) + (w_narrow ? " narrow" : " wide") + (g_narrow ? " " : " wide g ") + label;
    check_same("narrow adamw m " + name, ms, narrowed(m).data(), n * 2);
    check_same("narrow adamw v " + name, vs, narrowed(v).data(), n * 2);
    if (w_narrow) check_same("narrow adamw w " + name, ws, narrowed(w).data(), n * 2);
    else check_same("wide adamw w " + name, wf, w.data(), n * 4);
  });
}

// How many of n draws of probability p may come: five standard deviations on either side.
static void check_share(const char* name, int64_t came, double p, int64_t n) {
  const double away = std::fabs(double(came) - p * double(n)), most = 5 * std::sqrt(p * (1 - p) * double(n));
  check(away <= most, "%s: %lld of %lld, which is %.0f away and may be %.0f", name,
        static_cast<long long>(came), static_cast<long long>(n), away, most);
}

// Many times the same step: means are what would be stored without rounding, and no draw follows another.
static void rounding_has_no_bias() {
  const int64_t n = 400000;
  for (float from : {1.0f, -0.75f}) {
    const std::vector<uint16_t> start(size_t(n), narrowed({from})[0]),
        tiny(size_t(n), narrowed({0x1p-9f})[0]);
    const std::vector<float> g(size_t(n), from * 0.3f);
    std::vector<uint16_t> w = start, m = start, v = tiny;
    sk_context* ctx;
    check_ok(sk_create(&ctx, 2, "auto"), "create");
    sk_adamw_step a = first_step(reinterpret_cast<float*>(w.data()), reinterpret_cast<float*>(m.data()),
                                 reinterpret_cast<float*>(v.data()), g.data(), n);
    a.w_bf16 = a.mv_bf16 = 1, a.key = 77, a.step = 3;
    check_ok(sk_adamw(ctx, &a), "adamw");
    float exact[3] = {from, from, 0x1p-9f}; // w, m, v of float moments
    sk_adamw_step one = first_step(&exact[0], &exact[1], &exact[2], g.data(), 1);
    one.step = 3;
    check_ok(sk_adamw(ctx, &one), "adamw");
    double up[3];
    std::vector<uint16_t>* stored[3] = {&w, &m, &v};
    std::vector<char> is[3];
    for (int k = 0; k < 3; k++) {
      const float below = widened(narrowed({exact[k]})[0]),
                  above = widened(uint16_t(narrowed({exact[k]})[0] + 1));
      up[k] = (double(exact[k]) - below) / (double(above) - below);
      check(up[k] > 0.02 && up[k] < 0.98, "the case of %d rounds at all: %g", k, up[k]);
      int64_t came = 0, other = 0;
      for (uint16_t x : *stored[k]) {
        is[k].push_back(widened(x) == above);
        came += is[k].back(), other += widened(x) != above && widened(x) != below;
      }
      check(other == 0, "all are neighbours of %g", double(exact[k]));
      check_share("rounded away from 0", came, up[k], n);
    }
    for (int k = 0; k < 3; k++) {
      int64_t both = 0, next = 0;
      for (int64_t i = 0; i < n; i++) both += is[k][size_t(i)] && is[(k + 1) % 3][size_t(i)];
      for (int64_t i = 0; i + 1 < n; i++) next += is[k][size_t(i)] && is[k][size_t(i + 1)];
      check_share("two of w, m and v", both, up[k] * up[(k + 1) % 3], n);
      check_share("two neighbours", next, up[k] * up[k], n - 1);
    }
    // A shorter vector has the same draws, another key others.
    std::vector<uint16_t> short_w = start, other_w = start, m2 = start, v2 = tiny, m3 = start, v3 = tiny;
    a.n = 1000, a.w = reinterpret_cast<float*>(short_w.data()), a.m = reinterpret_cast<float*>(m2.data()),
    a.v = reinterpret_cast<float*>(v2.data());
    check_ok(sk_adamw(ctx, &a), "adamw");
    check_same("the draws of a shorter vector", short_w.data(), w.data(), 1000 * 2);
    a.n = n, a.key = 78, a.w = reinterpret_cast<float*>(other_w.data()),
    a.m = reinterpret_cast<float*>(m3.data()), a.v = reinterpret_cast<float*>(v3.data());
    check_ok(sk_adamw(ctx, &a), "adamw");
    int64_t differ = 0;
    for (int64_t i = 0; i < n; i++) differ += other_w[size_t(i)] != w[size_t(i)];
    check_share("draws of another key that differ", differ, 2 * up[0] * (1 - up[0]), n);
    check_ok(sk_destroy(ctx), "destroy");
  }
}

static void narrow_special() {
  sk_context* ctx;
  check_ok(sk_create(&ctx, 1, "auto"), "create");
  for (float g : {NAN, INFINITY, 0.0f}) {
    uint16_t w[3] = {0x3F80, 0x3F80, 0x3F80}, m[3] = {}, v[3] = {};
    const float gs[3] = {1, g, 1};
    sk_adamw_step a = first_step(reinterpret_cast<float*>(w), reinterpret_cast<float*>(m),
                                 reinterpret_cast<float*>(v), gs, 3);
    a.w_bf16 = a.mv_bf16 = 1;
    check_ok(sk_adamw(ctx, &a), "adamw");
    if (g == 0) check(m[1] == 0 && v[1] == 0, "nothing stays nothing");
    else
      check(std::isnan(g) ? std::isnan(widened(m[1])) : std::isinf(widened(m[1])), "%g comes through",
            double(g));
    check(std::isfinite(widened(m[0])) && std::isfinite(widened(w[2])), "beside %g", double(g));
    double out = 0;
    const sk_pair pair{
        .out = &out, .x = reinterpret_cast<float*>(m), .y = reinterpret_cast<float*>(m), .n = 3, .bf16 = 1};
    check_ok(sk_dot(ctx, &pair), "dot");
    check(std::isfinite(out) == (g == 0), "the sum of squares beside %g is %g", double(g), out);
  }
  check_ok(sk_destroy(ctx), "destroy");
}

static void narrow_dot(int64_t n) {
  Random random{uint64_t(n) + 11};
  const std::vector<uint16_t> x = narrowed(random.normals(n)), y = narrowed(random.normals(n, 2));
  double exact = 0, size = 0;
  for (size_t i = 0; i < x.size(); i++) {
    exact += double(widened(x[i])) * widened(y[i]);
    size += std::fabs(double(widened(x[i])) * widened(y[i]));
  }
  each_context([&](sk_context* ctx, const std::string& label) {
    Guarded<uint16_t> gx("dot x", x), gy("dot y", y);
    double out = NAN;
    const sk_pair a{.out = &out,
                    .x = reinterpret_cast<float*>(gx.data()),
                    .y = reinterpret_cast<float*>(gy.data()),
                    .n = n,
                    .bf16 = 1};
    check_ok(sk_dot(ctx, &a), "dot");
    check(std::fabs(out - exact) <= 1e-12 * size, "narrow dot %lld %s: %g, not %g", static_cast<long long>(n),
          label.c_str(), out, exact);
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
  CHECK_REFUSED(sk_adamw, ctx, step, mv_bf16 = 2, "mv_bf16 is 2, neither 0 nor 1");
  CHECK_REFUSED(sk_adamw, ctx, step, g_bf16 = -1, "g_bf16 is -1, neither 0 nor 1");
  CHECK_REFUSED(sk_adamw, ctx, step, rounded_bf16 = 3, "rounded_bf16 is 3, neither 0 nor 1");
  CHECK_REFUSED(sk_adamw, ctx, step, w_bf16 = 1, "w_bf16 is 1, but mv_bf16 is 0");
  CHECK_REFUSED(sk_adamw, ctx, step, g_bf16 = 1, "g_bf16 is 1, but w_bf16 is 0");
  CHECK_REFUSED(sk_adamw, ctx, step, rounded = x;
                changed.mv_bf16 = 1, "rounded is not null, but mv_bf16 is 1");
  const sk_pair pair{.out = &out, .x = x, .y = x, .n = 4};
  CHECK_REFUSED(sk_dot, ctx, pair, bf16 = 2, "bf16 is 2, neither 0 nor 1");
  check_error(sk_dot(nullptr, &pair), "sk_dot: ctx is null");
  check_error(sk_dot(ctx, nullptr), "sk_dot: a is null");
  CHECK_REFUSED(sk_dot, ctx, pair, out = nullptr, "out is null");
  CHECK_REFUSED(sk_dot, ctx, pair, x = nullptr, "x is null");
  CHECK_REFUSED(sk_dot, ctx, pair, y = nullptr, "y is null");
  CHECK_REFUSED(sk_dot, ctx, pair, n = -4, "n is -4");
  const sk_scaled scaled{.y = x, .x = x, .n = 4, .scale = 1};
  check_error(sk_add_scaled(nullptr, &scaled), "sk_add_scaled: ctx is null");
  check_error(sk_add_squares(nullptr, &scaled), "sk_add_squares: ctx is null");
  for (auto add : {sk_add_scaled, sk_add_squares}) {
    check_error(add(ctx, nullptr), "a is null");
    CHECK_REFUSED(add, ctx, scaled, y = nullptr, "y is null");
    CHECK_REFUSED(add, ctx, scaled, x = nullptr, "x is null");
    CHECK_REFUSED(add, ctx, scaled, n = -4, "n is -4");
  }
  sk_pull pull{.out = &out, .g = x, .w = x, .fisher = x, .anchor = x, .n = 4, .lambda = 1};
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
  check(out == 0, "the anchor of nothing is 0");
  step.n = 0;
  check_ok(sk_adamw(ctx, &step), "nothing");
  check_ok(sk_destroy(ctx), "destroy");
}

} // namespace

void optimizer_tests() {
  for (int64_t n : {1, 2, 7, 63, 65, 127, 40001}) adamw(n), dot(n), add_scaled(n);
  for (int64_t n : {1, 2, 7, 63, 65, 127, 1027, 40001}) add_squares(n), anchor(n);
  for (int64_t n : {1, 7, 65, 16384, 40001}) {
    narrow_adamw(n, false, false), narrow_adamw(n, true, false), narrow_adamw(n, true, true);
    narrow_dot(n);
  }
  rounding_has_no_bias();
  narrow_special();
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
