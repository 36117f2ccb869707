// Rows moved by index: embedding_bwd, gather, scatter, scatter_add.
#include "types.h"

namespace {

template <class T> static void embedding(sk_context* ctx, const std::string& type, int64_t N, int64_t C) {
  Random random{uint64_t(N + C)};
  const int64_t V = 5;
  std::vector<int32_t> tokens;
  for (int64_t n = 0; n < N; n++) tokens.push_back(int32_t(random.below(V + 1)) - 1);
  if (N > 2) tokens[0] = -1, tokens[1] = int32_t(V - 1), tokens[2] = 0;
  const Array<T> w(random, V * C), x(random, N * C), dx(random, N * C);
  const Array<float> dw(random, (V + 1) * C); // where a token of -1 would be, too
  std::vector<double> xs(x.was.begin(), x.was.end()), dws(dw.was.begin(), dw.was.end());
  for (int64_t n = 0; n < N; n++)
    for (int64_t c = 0; tokens[size_t(n)] >= 0 && c < C; c++) {
      const int64_t at = tokens[size_t(n)] * C + c;
      xs[size_t(n * C + c)] = w[at], dws[size_t(at + C)] += dx[n * C + c];
    }
  const std::string name = type + "embedding N " + std::to_string(N) + " C " + std::to_string(C) + " ";
  const sk_rows forward{w.f(), x.f(), indices(tokens), N, V, C};
  const sk_embedding_gradient backward{dw.f() + C, indices(tokens), dx.f(), N, C, V};
  check_done(sk_gather(ctx, &forward), "gather, where some are none");
  check_near(name + "x", x, xs, 0);
  check_done(sk_embedding_bwd(ctx, &backward), "embedding_bwd");
  check_near(name + "dw", dw, dws);
}

template <class T>
static void rows(sk_context* ctx, const std::string& type, int64_t N, int64_t C,
                 const std::vector<int32_t>& ascending, const std::vector<int32_t>& any) {
  Random random{uint64_t(N * C)};
  const int64_t R = int64_t(ascending.size()), G = int64_t(any.size());
  const Array<T> x(random, N * C), into(random, N * C), d(random, R * C), out(unwritten<T>(G * C));
  std::vector<double> gathered, scattered(size_t(N * C), 0), added(into.was.begin(), into.was.end());
  for (int32_t r : any)
    for (int64_t c = 0; c < C; c++) gathered.push_back(x[r * C + c]);
  for (int64_t r = 0; r < R; r++)
    for (int64_t c = 0; c < C; c++)
      scattered[size_t(ascending[size_t(r)] * C + c)] += d[r * C + c],
          added[size_t(ascending[size_t(r)] * C + c)] += d[r * C + c];
  const std::string name = type + "rows of " + std::to_string(C) + " ";
  sk_rows a{x.f(), out.f(), indices(any), G, N, C};
  check_done(sk_gather(ctx, &a), "gather");
  check_near(name + "gathered", out, gathered, 0);
  a = {x.f(), d.f(), indices(ascending), R, N, C};
  check_done(sk_scatter(ctx, &a), "scatter");
  check_near(name + "scattered", x, scattered);
  a.x = into.f();
  check_done(sk_scatter_add(ctx, &a), "scatter_add");
  check_near(name + "added", into, added);
}

} // namespace

void embedding_tests() {
  each_type([](auto element, sk_context* ctx, const std::string& type) {
    using T = decltype(element);
    embedding<T>(ctx, type, 3, 1);
    embedding<T>(ctx, type, 37, 131);
    embedding<T>(ctx, type, 5, 1032); // more than a block, 16 bytes a thread
    embedding<T>(ctx, type, 0, 3);
    rows<T>(ctx, type, 9, 1, {0, 0, 8}, {8, 0, 0});
    rows<T>(ctx, type, 20, 130, {1, 1, 1, 4, 18, 19, 19}, {19, 3, 3, 0});
    rows<T>(ctx, type, 4, 5, {}, {});
  });
  Context ctx(0);
  const OnDevice<float> x(20);
  const std::vector<int32_t> wrong{0, 5}, back{1, 0};
  sk_rows a{x.f(), x.f(), wrong.data(), 2, 5, 4};
  check_error(sk_gather(ctx, &a), "rows[1] is 5, outside [-1, 5)");
  a.rows = back.data();
  check_error(sk_scatter(ctx, &a), "rows[1] is 0 after 1: not ascending");
}
