// rmsnorm_fwd and rmsnorm_bwd against their formulas in double.
#include "types.h"

namespace {

template <class T> static void one(sk_context* ctx, const std::string& type, int64_t N, int64_t C, bool sum) {
  Random random{uint64_t(N * 31 + C)};
  const float eps = 1e-2f;
  const Array<T> a(random, N * C), b(random, N * C), w(random, C), dy(random, N * C), dx(random, N * C);
  const Array<T> x(unwritten<T>(N * C)), y(unwritten<T>(N * C));
  const Array<float> rstd(unwritten<float>(N)), dw(random, C);
  const std::string name =
      type + "N " + std::to_string(N) + " C " + std::to_string(C) + (sum ? " sum " : " ");

  std::vector<double> xs, ys, rstds, dxs, dws(dw.was.begin(), dw.was.end());
  for (int64_t n = 0; n < N; n++) {
    double squares = 0, mean = 0;
    for (int64_t i = n * C; i < (n + 1) * C; i++) {
      xs.push_back(sum ? rounded<T>(a[i] + b[i]) : a[i]); // as it is kept
      squares += xs.back() * xs.back();
    }
    const double r = 1 / std::sqrt(squares / double(C) + double(eps));
    rstds.push_back(r);
    for (int64_t c = 0; c < C; c++) {
      const double xhat = xs[size_t(n * C + c)] * r;
      ys.push_back(xhat * w[c]);
      mean += dy[n * C + c] * w[c] * xhat / double(C);
      dws[size_t(c)] += dy[n * C + c] * xhat;
    }
    for (int64_t c = 0; c < C; c++)
      dxs.push_back(dx[n * C + c] + r * (dy[n * C + c] * w[c] - xs[size_t(n * C + c)] * r * mean));
  }
  const sk_rmsnorm forward{y.f(), sum ? x.f() : nullptr, rstd.f(), a.f(), sum ? b.f() : nullptr, w.f(), N, C,
                           eps};
  check_done(sk_rmsnorm_fwd(ctx, &forward), "rmsnorm_fwd");
  if (sum) check_near(name + "x", x, xs);
  check_near(name + "rstd", rstd, rstds);
  check_near(name + "y", y, ys);
  const sk_rmsnorm_gradient backward{
      dx.f(), sum ? dw.f() : nullptr, dy.f(), sum ? x.f() : a.f(), rstd.f(), w.f(), N, C};
  check_done(sk_rmsnorm_bwd(ctx, &backward), "rmsnorm_bwd");
  check_near(name + "dx", dx, dxs, 4e-6);
  if (sum) check_near(name + "dw", dw, dws, 4e-6);
  else check_same(name + "dw", dw.get().data(), dw.was.data(), C * 4);
}

} // namespace

void norm_tests() {
  each_type([](auto element, sk_context* ctx, const std::string& type) {
    using T = decltype(element);
    for (bool sum : {false, true}) {
      one<T>(ctx, type, 1, 1, sum);
      one<T>(ctx, type, 3, 7, sum);
      one<T>(ctx, type, 17, 129, sum); // several blocks of channels
      one<T>(ctx, type, 2, 300, sum);
      one<T>(ctx, type, 1031, 2, sum);  // more rows than parts
      one<T>(ctx, type, 3, 2312, sum);  // more than a block, 16 bytes a thread
      one<T>(ctx, type, 2, 25000, sum); // more than shared memory is taken for
    }
    one<T>(ctx, type, 0, 5, true);
  });
}
