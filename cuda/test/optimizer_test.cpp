// Passes over vectors against their formulas in double.
#include "../../native/test/narrow_adamw.h"
#include "types.h"

namespace {

template <class T>
static void adamw(sk_context* ctx, const std::string& type, int64_t n, int64_t step, bool round) {
  Random random{uint64_t(n + step)};
  const Array<float> w(random, n), m(random, n), g(random, n);
  std::vector<float> squares = random.normals(n);
  for (float& x : squares) x *= x;
  const Array<float> v(squares);
  const Array<T> reads(unwritten<T>(n));
  const sk_adamw_step a{w.f(), m.f(), v.f(), g.f(), round ? reads.f() : nullptr,
                        n,     step,  0,     0.1f,  0.9f,
                        0.98f, 1e-3f, 0.2f,  0.5f,  0,
                        0,     0,     0};
  std::vector<double> ws, ms, vs;
  for (int64_t i = 0; i < n; i++) {
    const double gs = double(a.grad_scale) * g[i];
    ms.push_back(double(a.b1) * m[i] + (1 - double(a.b1)) * gs);
    vs.push_back(double(a.b2) * v[i] + (1 - double(a.b2)) * gs * gs);
    const double unbiased = ms.back() / (1 - std::pow(double(a.b1), double(step))),
                 square = vs.back() / (1 - std::pow(double(a.b2), double(step)));
    ws.push_back(w[i] -
                 double(a.lr) * (unbiased / (std::sqrt(square) + double(a.eps)) + double(a.decay) * w[i]));
  }
  const std::string name = type + "adamw n " + std::to_string(n) + " step " + std::to_string(step) + " ";
  check_done(sk_adamw(ctx, &a), "adamw");
  check_near(name + "w", w, ws, 2e-6);
  check_near(name + "m", m, ms);
  check_near(name + "v", v, vs);
  if (round)
    check_same(name + "rounded", reads.now.get().data(), narrowed<T>(w.get()).data(), n * int64_t(sizeof(T)));
}

// To the bit as on a host: m, v of bfloat16, w and g of W and G.
template <class W, class G>
static void narrow_adamw(sk_context* ctx, const std::string& type, int64_t n, int64_t step) {
  Random random{uint64_t(n + step + 5)};
  const Array<W> w(random, n);
  const Array<G> g(random, n);
  const Array<sk::bf16> m(random, n);
  std::vector<float> squares = random.normals(n);
  for (float& x : squares) x *= x;
  const Array<sk::bf16> v(narrowed<sk::bf16>(squares));
  sk_adamw_step a{w.f(), m.f(), v.f(), g.f(), nullptr, n, step, 1000 - step, 0.1f,
                  0.9f,  0.98f, 1e-3f, 0.2f,  0.5f,    0, 0,    0,           0};
  a.w_bf16 = sizeof(W) == 2, a.mv_bf16 = 1, a.g_bf16 = sizeof(G) == 2;
  check_done(sk_adamw(ctx, &a), "adamw");
  std::vector<float> ws = w.was, ms = m.was, vs = v.was;
  a.w = ws.data(), a.m = ms.data(), a.v = vs.data(), a.g = g.was.data();
  plain::narrow_adamw(a, a.w_bf16);
  const std::string name = type + "narrow adamw n " + std::to_string(n) + " step " + std::to_string(step) +
                           (a.w_bf16 ? " w" : "") + (a.g_bf16 ? " g " : " ");
  check_same(name + "w", w.get().data(), ws.data(), n * 4);
  check_same(name + "m", m.get().data(), ms.data(), n * 4);
  check_same(name + "v", v.get().data(), vs.data(), n * 4);
}

// Floats that another library's model reads.
static void rounded_to_bf16(sk_context* ctx, int64_t n) {
  Random random{uint64_t(n + 6)};
  const Array<float> w(random, n), m(random, n), g(random, n), v(std::vector<float>(size_t(n), 1));
  const Array<sk::bf16> reads(unwritten<sk::bf16>(n));
  sk_adamw_step a{w.f(), m.f(), v.f(), g.f(), reads.f(), n, 2, 0, 0.1f,
                  0.9f,  0.98f, 1e-3f, 0.2f,  0.5f,      0, 0, 0, 0};
  a.rounded_bf16 = 1;
  check_done(sk_adamw(ctx, &a), "adamw");
  check_same("adamw rounded to bfloat16", reads.now.get().data(), narrowed<sk::bf16>(w.get()).data(), n * 2);
}

static void narrow_dot(sk_context* ctx, const std::string& type, int64_t n) {
  Random random{uint64_t(n + 2)};
  const Array<sk::bf16> x(random, n), y(random, n);
  double exact = 0, out = NAN;
  for (int64_t i = 0; i < n; i++) exact += x[i] * y[i];
  const sk_pair a{&out, x.f(), y.f(), n, 1};
  check_done(sk_dot(ctx, &a), "dot");
  check_close(type + "narrow dot n " + std::to_string(n), &out, &exact, 1, 1e-9);
}

static void vectors(sk_context* ctx, const std::string& type, int64_t n) {
  Random random{uint64_t(n + 1)};
  const Array<float> x(random, n), y(random, n), f(random, n), g(random, n), anchor(random, n);
  const std::string name = type + "n " + std::to_string(n) + " ";
  double dot = 0, self = 0, pull = 0, out[3] = {NAN, NAN, NAN};
  std::vector<double> added, squared, pulled;
  for (int64_t i = 0; i < n; i++) {
    dot += x[i] * y[i], self += x[i] * x[i];
    added.push_back(y[i] + double(0.3f) * x[i]);
    squared.push_back(f[i] + double(0.7f) * x[i] * x[i]);
    const double away = x[i] - anchor[i];
    pull += double(0.9f) / 2 * squared.back() * away * away;
    pulled.push_back(g[i] + double(0.9f) * squared.back() * away);
  }
  const sk_pair pair{&out[0], x.f(), y.f(), n, 0}, same{&out[1], x.f(), x.f(), n, 0};
  check_done(sk_dot(ctx, &pair), "dot");
  check_done(sk_dot(ctx, &same), "dot with itself");
  const sk_scaled add{y.f(), x.f(), n, 0.3f}, squares{f.f(), x.f(), n, 0.7f};
  check_done(sk_add_scaled(ctx, &add), "add_scaled");
  check_near(name + "add_scaled", y, added);
  check_done(sk_add_squares(ctx, &squares), "add_squares");
  check_near(name + "add_squares", f, squared);
  const sk_pull to{&out[2], g.f(), x.f(), f.f(), anchor.f(), n, 0.9f};
  check_done(sk_anchor(ctx, &to), "anchor");
  check_near(name + "anchor g", g, pulled);
  const double want[] = {dot, self, pull};
  check_close(name + "dot", out, want, 1, 1e-9);
  check_close(name + "dot with itself", out + 1, want + 1, 1, 1e-9);
  check_close(name + "anchor", out + 2, want + 2, 1, 1e-6);
}

} // namespace

void optimizer_tests() {
  each_type([](auto element, sk_context* ctx, const std::string& type) {
    using T = decltype(element);
    for (bool round : {false, true})
      adamw<T>(ctx, type, 1283, 1, round); // more than a block, 16 bytes a thread
    adamw<T>(ctx, type, 1, 1000, true);
    adamw<T>(ctx, type, 0, 3, true);
    for (int64_t n : {0, 1, 300, 2603}) {
      narrow_adamw<float, float>(ctx, type, n, 1);
      narrow_adamw<sk::bf16, float>(ctx, type, n, 2);
      narrow_adamw<sk::bf16, sk::bf16>(ctx, type, n, 1000);
    }
    for (int64_t n : {299, 300}) rounded_to_bf16(ctx, n);
    for (int64_t n : {0, 1, 8193}) narrow_dot(ctx, type, n);
    for (int64_t n : {0, 1, 255, 8192, 8193, 20011}) vectors(ctx, type, n);
    double out = 0;
    const OnDevice<float> bad(std::vector<float>{1, NAN, 2}), good(std::vector<float>{1, 1, 1});
    const sk_pair a{&out, bad.f(), good.f(), 3, 0};
    check_done(sk_dot(ctx, &a), "dot");
    check(std::isnan(out), "%sdot of NaN is %g", type.c_str(), out);
  });
}
