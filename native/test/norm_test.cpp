// rmsnorm against double, beside a plain float implementation.
#include "check.h"
#include <cmath>

static const float eps = 1e-5f;

namespace {

template <class T> struct Norm {
  std::vector<T> y, x, rstd, dx, dw;
};

// The formulas of seekr.h, in T.
template <class T>
static Norm<T> formulas(const std::vector<float>& a, const std::vector<float>* b, const std::vector<float>& w,
                        const std::vector<float>& dy, const std::vector<float>& dx0,
                        const std::vector<float>& dw0, int64_t N, int64_t C) {
  Norm<T> r{std::vector<T>(size_t(N * C)), std::vector<T>(size_t(N * C)), std::vector<T>(size_t(N)),
            std::vector<T>(dx0.begin(), dx0.end()), std::vector<T>(dw0.begin(), dw0.end())};
  for (int64_t n = 0; n < N; n++) {
    T *x = &r.x[size_t(n * C)], squares = 0, dot = 0;
    const float* d = &dy[size_t(n * C)];
    for (int64_t c = 0; c < C; c++) {
      x[c] = T(a[size_t(n * C + c)]) + (b ? T((*b)[size_t(n * C + c)]) : 0);
      squares += x[c] * x[c];
    }
    const T s = r.rstd[size_t(n)] = 1 / std::sqrt(squares / T(C) + T(eps));
    for (int64_t c = 0; c < C; c++) {
      r.y[size_t(n * C + c)] = x[c] * s * w[size_t(c)];
      dot += d[c] * w[size_t(c)] * x[c] * s;
    }
    for (int64_t c = 0; c < C; c++) {
      r.dx[size_t(n * C + c)] += s * (d[c] * w[size_t(c)] - x[c] * s * (dot / T(C)));
      r.dw[size_t(c)] += d[c] * x[c] * s;
    }
  }
  return r;
}

static void one_shape(int64_t N, int64_t C, bool residual) {
  Random random{uint64_t(N * 1009 + C)};
  const std::vector<float> a = random.normals(N * C), b = random.normals(N * C, 3, 1),
                           w = random.normals(C, 0.3f, 1), dy = random.normals(N * C),
                           dx0 = random.normals(N * C), dw0 = random.normals(C);
  const Norm<double> exact = formulas<double>(a, residual ? &b : nullptr, w, dy, dx0, dw0, N, C);
  const Norm<float> plain = formulas<float>(a, residual ? &b : nullptr, w, dy, dx0, dw0, N, C);
  each_context([&](sk_context* ctx, const std::string& label) {
    const std::string name =
        std::to_string(N) + "x" + std::to_string(C) + (residual ? " a + b " : " ") + label;
    Guarded<float> y("rmsnorm y", N * C), x("rmsnorm x", N * C), rstd("rmsnorm rstd", N), ga("a", a),
        gb("b", b), gw("w", w), dx("rmsnorm dx", dx0), dw("rmsnorm dw", dw0), gdy("dy", dy),
        dx2("rmsnorm dx alone", dx0);
    const sk_rmsnorm forward{.y = y,
                             .x = x,
                             .rstd = rstd,
                             .a = ga,
                             .b = residual ? gb.data() : nullptr,
                             .w = gw,
                             .N = N,
                             .C = C,
                             .eps = eps};
    check_ok(sk_rmsnorm_fwd(ctx, &forward), "rmsnorm_fwd");
    check_close("rmsnorm_fwd y " + name, y, exact.y.data(), plain.y.data(), N * C);
    check_close("rmsnorm_fwd rstd " + name, rstd, exact.rstd.data(), plain.rstd.data(), N);
    if (residual) check_same("rmsnorm_fwd x " + name, x, plain.x.data(), N * C * 4);
    else
      check(std::isnan(x[0]) && std::isnan(x[N * C - 1]), "rmsnorm_fwd %s: x is not written", name.c_str());

    sk_rmsnorm_gradient backward{.dx = dx,
                                 .dw = dw,
                                 .dy = gdy,
                                 .x = residual ? x.data() : ga.data(),
                                 .rstd = rstd,
                                 .w = gw,
                                 .N = N,
                                 .C = C};
    check_ok(sk_rmsnorm_bwd(ctx, &backward), "rmsnorm_bwd");
    check_close("rmsnorm_bwd dx " + name, dx, exact.dx.data(), plain.dx.data(), N * C);
    check_close("rmsnorm_bwd dw " + name, dw, exact.dw.data(), plain.dw.data(), C);
    backward.dx = dx2, backward.dw = nullptr;
    check_ok(sk_rmsnorm_bwd(ctx, &backward), "rmsnorm_bwd without dw");
    check_same("rmsnorm_bwd without dw " + name, dx2, dx, N * C * 4);
  });
}

static void in_place() {
  each_context([](sk_context* ctx, const std::string& label) {
    const int64_t N = 5, C = 70;
    Random random;
    const std::vector<float> a = random.normals(N * C), b = random.normals(N * C), w = random.normals(C);
    std::vector<float> y(N * C), x(N * C), y2(N * C), x2 = a, rstd(N);
    sk_rmsnorm n{.y = y.data(),
                 .x = x.data(),
                 .rstd = rstd.data(),
                 .a = a.data(),
                 .b = b.data(),
                 .w = w.data(),
                 .N = N,
                 .C = C,
                 .eps = eps};
    check_ok(sk_rmsnorm_fwd(ctx, &n), "apart");
    n.y = y2.data(), n.x = x2.data(), n.a = x2.data();
    check_ok(sk_rmsnorm_fwd(ctx, &n), "x is a");
    check_same("rmsnorm_fwd x in a's place " + label, x2.data(), x.data(), N * C * 4);
    check_same("rmsnorm_fwd y in a's place " + label, y2.data(), y.data(), N * C * 4);
  });
}

static void errors() {
  sk_context* ctx;
  check_ok(sk_create(&ctx, 2, "auto"), "create");
  float x[4] = {1, 2, 3, 4}, y[4];
  sk_rmsnorm n{.y = y, .x = x, .rstd = y, .a = x, .b = x, .w = x, .N = 1, .C = 4, .eps = eps};
  check_error(sk_rmsnorm_fwd(nullptr, &n), "sk_rmsnorm_fwd: ctx is null");
  check_error(sk_rmsnorm_fwd(ctx, nullptr), "sk_rmsnorm_fwd: a is null");
  CHECK_REFUSED(sk_rmsnorm_fwd, ctx, n, y = nullptr, "y is null");
  CHECK_REFUSED(sk_rmsnorm_fwd, ctx, n, x = nullptr, "x is null");
  CHECK_REFUSED(sk_rmsnorm_fwd, ctx, n, rstd = nullptr, "rstd is null");
  CHECK_REFUSED(sk_rmsnorm_fwd, ctx, n, a = nullptr, "a is null");
  CHECK_REFUSED(sk_rmsnorm_fwd, ctx, n, w = nullptr, "w is null");
  CHECK_REFUSED(sk_rmsnorm_fwd, ctx, n, N = -1, "N is -1");
  CHECK_REFUSED(sk_rmsnorm_fwd, ctx, n, C = 0, "C is 0");
  CHECK_REFUSED(sk_rmsnorm_fwd, ctx, n, eps = NAN, "eps is nan");
  CHECK_REFUSED(sk_rmsnorm_fwd, ctx, n, eps = -1, "eps is -1");
  sk_rmsnorm_gradient g{.dx = y, .dw = y, .dy = x, .x = x, .rstd = x, .w = x, .N = 1, .C = 4};
  check_error(sk_rmsnorm_bwd(nullptr, &g), "sk_rmsnorm_bwd: ctx is null");
  check_error(sk_rmsnorm_bwd(ctx, nullptr), "sk_rmsnorm_bwd: a is null");
  CHECK_REFUSED(sk_rmsnorm_bwd, ctx, g, dx = nullptr, "dx is null");
  CHECK_REFUSED(sk_rmsnorm_bwd, ctx, g, dy = nullptr, "dy is null");
  CHECK_REFUSED(sk_rmsnorm_bwd, ctx, g, x = nullptr, "x is null");
  CHECK_REFUSED(sk_rmsnorm_bwd, ctx, g, rstd = nullptr, "rstd is null");
  CHECK_REFUSED(sk_rmsnorm_bwd, ctx, g, w = nullptr, "w is null");
  CHECK_REFUSED(sk_rmsnorm_bwd, ctx, g, C = -4, "C is -4");
  n.N = g.N = 0, n.x = nullptr, n.b = nullptr;
  check_ok(sk_rmsnorm_fwd(ctx, &n), "no rows");
  check_ok(sk_rmsnorm_bwd(ctx, &g), "no rows");
  check_ok(sk_destroy(ctx), "destroy");
}

} // namespace

void norm_tests() {
  for (int64_t N : {1, 2, 7, 65, 127})
    for (int64_t C : {1, 2, 7, 63, 65, 127, 576}) one_shape(N, C, (N + C) % 2);
  one_shape(1100, 33, true);
  const int64_t N = 1500, C = 100;
  Random random;
  const std::vector<float> dy = random.normals(N * C), x = random.normals(N * C),
                           rstd = random.normals(N, 0.1f, 1), w = random.normals(C);
  check_deterministic("rmsnorm_bwd", [&](sk_context* ctx) {
    std::vector<float> d(size_t(N * C + C), 0);
    const sk_rmsnorm_gradient a{.dx = d.data(),
                                .dw = d.data() + N * C,
                                .dy = dy.data(),
                                .x = x.data(),
                                .rstd = rstd.data(),
                                .w = w.data(),
                                .N = N,
                                .C = C};
    sk_rmsnorm_bwd(ctx, &a);
    return d;
  });
  in_place();
  errors();
}
