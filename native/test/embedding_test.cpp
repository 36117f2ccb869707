// embedding, gather, scatter, scatter_add: exact, or sums in the promised order.
#include "check.h"
#include <algorithm>

static void one_shape(int64_t N, int64_t C, int64_t V) {
  Random random{uint64_t(N * 1009 + C)};
  const std::vector<float> w = random.normals(V * C), dx = random.normals(N * C), dw0 = random.normals(V * C);
  std::vector<int32_t> tokens(static_cast<size_t>(N)), sorted;
  for (int32_t& t : tokens) t = int32_t(random.below(V));
  sorted = tokens;
  std::sort(sorted.begin(), sorted.end());

  std::vector<float> x(size_t(N * C), 0), dw = dw0, scattered(size_t(V * C), 0), added = dw0;
  for (int64_t n = 0; n < N; n++)
    for (int64_t c = 0; c < C; c++) {
      x[size_t(n * C + c)] = w[size_t(tokens[size_t(n)] * C + c)];
      dw[size_t(tokens[size_t(n)] * C + c)] += dx[size_t(n * C + c)];
      scattered[size_t(sorted[size_t(n)] * C + c)] += dx[size_t(n * C + c)];
      added[size_t(sorted[size_t(n)] * C + c)] += dx[size_t(n * C + c)];
    }
  // Every other token is none: its rows stay as they are and give nothing.
  std::vector<int32_t> some = tokens;
  std::vector<float> x_some = dx, dw_some = dw0;
  for (int64_t n = 0; n < N; n++)
    for (int64_t c = 0; c < C; c++) {
      if (n % 2 == 0) some[size_t(n)] = -1;
      else {
        x_some[size_t(n * C + c)] = x[size_t(n * C + c)];
        dw_some[size_t(tokens[size_t(n)] * C + c)] += dx[size_t(n * C + c)];
      }
    }
  each_context([&](sk_context* ctx, const std::string& label) {
    const std::string name =
        std::to_string(N) + "x" + std::to_string(C) + " of " + std::to_string(V) + " " + label;
    Guarded<float> gx("embedding x", N * C), gdw("embedding dw", dw0), out("gather out", N * C),
        gs("scatter dx", V * C), ga("scatter_add x", dw0);
    Guarded<int32_t> gt("tokens", tokens), gr("rows", sorted);
    check_ok(sk_embedding_fwd(ctx, gx, gt, w.data(), N, C, V), "embedding_fwd");
    check_same("embedding_fwd " + name, gx, x.data(), N * C * 4);
    check_ok(sk_gather(ctx, out, w.data(), gt, N, C), "gather");
    check_same("gather " + name, out, x.data(), N * C * 4);
    check_ok(sk_embedding_bwd(ctx, gdw, gt, dx.data(), N, C, V), "embedding_bwd");
    check_same("embedding_bwd " + name, gdw, dw.data(), V * C * 4);
    Guarded<float> gx_some("embedding x", dx), gdw_some("embedding dw", dw0);
    Guarded<int32_t> gt_some("tokens", some);
    check_ok(sk_embedding_fwd(ctx, gx_some, gt_some, w.data(), N, C, V), "embedding_fwd of some");
    check_same("embedding_fwd of some " + name, gx_some, x_some.data(), N * C * 4);
    check_ok(sk_embedding_bwd(ctx, gdw_some, gt_some, dx.data(), N, C, V), "embedding_bwd of some");
    check_same("embedding_bwd of some " + name, gdw_some, dw_some.data(), V * C * 4);
    check_ok(sk_scatter(ctx, gs, dx.data(), gr, N, V, C), "scatter");
    check_same("scatter " + name, gs, scattered.data(), V * C * 4);
    check_ok(sk_scatter_add(ctx, ga, dx.data(), gr, N, V, C), "scatter_add");
    check_same("scatter_add " + name, ga, added.data(), V * C * 4);
  });
}

static void errors() {
  sk_context* ctx;
  check_ok(sk_create(&ctx, 2, "auto"), "create");
  float x[8] = {}, y[8];
  int32_t good[2] = {0, 1}, high[2] = {0, 2}, low[2] = {-1, 0}, lower[2] = {0, -2}, falling[2] = {1, 0};
  check_error(sk_embedding_fwd(nullptr, y, good, x, 2, 4, 2), "sk_embedding_fwd: ctx is null");
  check_error(sk_embedding_fwd(ctx, nullptr, good, x, 2, 4, 2), "x is null");
  check_error(sk_embedding_fwd(ctx, y, nullptr, x, 2, 4, 2), "tokens is null");
  check_error(sk_embedding_fwd(ctx, y, good, nullptr, 2, 4, 2), "w is null");
  check_error(sk_embedding_fwd(ctx, y, high, x, 2, 4, 2), "tokens[1] is 2, outside [-1, 2)");
  check_error(sk_embedding_fwd(ctx, y, lower, x, 2, 4, 2), "tokens[1] is -2, outside [-1, 2)");
  check_error(sk_embedding_fwd(ctx, y, good, x, -2, 4, 2), "N is -2");
  check_error(sk_embedding_fwd(ctx, y, good, x, 2, 0, 2), "C is 0");
  check_error(sk_embedding_fwd(ctx, y, good, x, 2, 4, 0), "V is 0");
  check_error(sk_embedding_bwd(ctx, nullptr, good, x, 2, 4, 2), "dw is null");
  check_error(sk_embedding_bwd(ctx, y, nullptr, x, 2, 4, 2), "tokens is null");
  check_error(sk_embedding_bwd(ctx, y, good, nullptr, 2, 4, 2), "dx is null");
  check_error(sk_embedding_bwd(ctx, y, high, x, 2, 4, 2), "tokens[1] is 2");
  check_error(sk_gather(ctx, nullptr, x, good, 2, 4), "out is null");
  check_error(sk_gather(ctx, y, nullptr, good, 2, 4), "x is null");
  check_error(sk_gather(ctx, y, x, nullptr, 2, 4), "rows is null");
  check_error(sk_gather(ctx, y, x, low, 2, 4), "rows[0] is -1");
  check_error(sk_scatter(ctx, nullptr, x, good, 2, 2, 4), "dx is null");
  check_error(sk_scatter(ctx, y, nullptr, good, 2, 2, 4), "d is null");
  check_error(sk_scatter(ctx, y, x, nullptr, 2, 2, 4), "rows is null");
  check_error(sk_scatter(ctx, y, x, high, 2, 2, 4), "rows[1] is 2");
  check_error(sk_scatter(ctx, y, x, falling, 2, 2, 4), "not ascending");
  check_error(sk_scatter(ctx, y, x, good, -1, 2, 4), "R is -1");
  y[7] = 5;
  check_ok(sk_scatter(ctx, y, x, good, 0, 2, 4), "no rows");
  check(y[7] == 0, "scatter of no rows is zero");
  check_error(sk_scatter_add(nullptr, y, x, good, 2, 2, 4), "sk_scatter_add: ctx is null");
  check_error(sk_scatter_add(ctx, nullptr, x, good, 2, 2, 4), "x is null");
  check_error(sk_scatter_add(ctx, y, nullptr, good, 2, 2, 4), "d is null");
  check_error(sk_scatter_add(ctx, y, x, nullptr, 2, 2, 4), "rows is null");
  check_error(sk_scatter_add(ctx, y, x, high, 2, 2, 4), "rows[1] is 2");
  check_error(sk_scatter_add(ctx, y, x, falling, 2, 2, 4), "not ascending");
  check_error(sk_scatter_add(ctx, y, x, good, -1, 2, 4), "R is -1");
  check_error(sk_scatter_add(ctx, y, x, good, 2, -2, 4), "N is -2");
  check_error(sk_scatter_add(ctx, y, x, good, 2, 2, 0), "C is 0");
  y[7] = 5;
  check_ok(sk_scatter_add(ctx, y, x, good, 0, 2, 4), "no rows");
  check(y[7] == 5, "scatter_add of no rows is nothing");
  check_ok(sk_embedding_fwd(ctx, y, good, x, 0, 4, 2), "no tokens");
  check_ok(sk_destroy(ctx), "destroy");
}

void embedding_tests() {
  const int64_t shapes[][3] = {{1, 1, 1},     {2, 7, 3},     {7, 63, 5},
                               {63, 65, 127}, {127, 130, 2}, {300, 576, 400}};
  for (const auto& s : shapes) one_shape(s[0], s[1], s[2]);
  errors();
}
