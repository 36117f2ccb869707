// embedding_bwd, gather, scatter, scatter_add: exact, or sums in the promised order.
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
    Guarded<float> gw("gather x", w), gdx("embedding dx", dx);
    Guarded<int32_t> gt("tokens", tokens), gt_some("tokens", some), gr("rows", sorted);

    Guarded<float> gdw("embedding dw", dw0), gdw_some("embedding dw", dw0);
    const sk_embedding_gradient backward{.dw = gdw, .tokens = gt, .dx = gdx, .N = N, .C = C, .V = V};
    const sk_embedding_gradient backward_some{
        .dw = gdw_some, .tokens = gt_some, .dx = gdx, .N = N, .C = C, .V = V};
    check_ok(sk_embedding_bwd(ctx, &backward), "embedding_bwd");
    check_same("embedding_bwd " + name, gdw, dw.data(), V * C * 4);
    check_ok(sk_embedding_bwd(ctx, &backward_some), "embedding_bwd of some");
    check_same("embedding_bwd of some " + name, gdw_some, dw_some.data(), V * C * 4);

    Guarded<float> out("gather d", N * C), out_some("gather d", dx), gs("scatter x", V * C),
        ga("scatter_add x", dw0);
    const sk_rows gathered{.x = gw, .d = out, .rows = gt, .R = N, .N = V, .C = C};
    const sk_rows gathered_some{.x = gw, .d = out_some, .rows = gt_some, .R = N, .N = V, .C = C};
    const sk_rows scatter{.x = gs, .d = gdx, .rows = gr, .R = N, .N = V, .C = C};
    const sk_rows scatter_add{.x = ga, .d = gdx, .rows = gr, .R = N, .N = V, .C = C};
    check_ok(sk_gather(ctx, &gathered), "gather");
    check_same("gather " + name, out, x.data(), N * C * 4);
    check_ok(sk_gather(ctx, &gathered_some), "gather of some");
    check_same("gather of some " + name, out_some, x_some.data(), N * C * 4);
    check_ok(sk_scatter(ctx, &scatter), "scatter");
    check_same("scatter " + name, gs, scattered.data(), V * C * 4);
    check_ok(sk_scatter_add(ctx, &scatter_add), "scatter_add");
    check_same("scatter_add " + name, ga, added.data(), V * C * 4);
    check_same("what is only read stays " + name, gw, w.data(), V * C * 4);
    check_same("what is only read stays " + name, gdx, dx.data(), N * C * 4);
  });
}

static void errors() {
  sk_context* ctx;
  check_ok(sk_create(&ctx, 2, "auto"), "create");
  float x[8] = {}, y[8];
  int32_t good[2] = {0, 1}, high[2] = {0, 2}, low[2] = {-1, 0}, lower[2] = {0, -2}, falling[2] = {1, 0};
  sk_embedding_gradient e{.dw = x, .tokens = good, .dx = y, .N = 2, .C = 4, .V = 2};
  check_error(sk_embedding_bwd(nullptr, &e), "sk_embedding_bwd: ctx is null");
  check_error(sk_embedding_bwd(ctx, nullptr), "a is null");
  CHECK_REFUSED(sk_embedding_bwd, ctx, e, dw = nullptr, "dw is null");
  CHECK_REFUSED(sk_embedding_bwd, ctx, e, tokens = nullptr, "tokens is null");
  CHECK_REFUSED(sk_embedding_bwd, ctx, e, dx = nullptr, "dx is null");
  CHECK_REFUSED(sk_embedding_bwd, ctx, e, tokens = high, "tokens[1] is 2, outside [-1, 2)");
  CHECK_REFUSED(sk_embedding_bwd, ctx, e, tokens = lower, "tokens[1] is -2, outside [-1, 2)");
  CHECK_REFUSED(sk_embedding_bwd, ctx, e, N = -2, "N is -2");
  CHECK_REFUSED(sk_embedding_bwd, ctx, e, C = 0, "C is 0");
  CHECK_REFUSED(sk_embedding_bwd, ctx, e, V = 0, "V is 0");
  sk_rows r{.x = y, .d = x, .rows = good, .R = 2, .N = 2, .C = 4};
  check_error(sk_gather(nullptr, &r), "sk_gather: ctx is null");
  check_error(sk_scatter(nullptr, &r), "sk_scatter: ctx is null");
  check_error(sk_scatter_add(nullptr, &r), "sk_scatter_add: ctx is null");
  for (auto move : {sk_gather, sk_scatter, sk_scatter_add}) {
    check_error(move(ctx, nullptr), "a is null");
    CHECK_REFUSED(move, ctx, r, x = nullptr, "x is null");
    CHECK_REFUSED(move, ctx, r, d = nullptr, "d is null");
    CHECK_REFUSED(move, ctx, r, rows = nullptr, "rows is null");
    const std::string least = move == sk_gather ? "-1" : "0";
    CHECK_REFUSED(move, ctx, r, rows = lower, ("rows[1] is -2, outside [" + least + ", 2)").c_str());
    CHECK_REFUSED(move, ctx, r, rows = high, ("rows[1] is 2, outside [" + least + ", 2)").c_str());
    CHECK_REFUSED(move, ctx, r, N = 1, ("rows[1] is 1, outside [" + least + ", 1)").c_str());
    CHECK_REFUSED(move, ctx, r, R = -1, "R is -1");
    CHECK_REFUSED(move, ctx, r, N = -2, "N is -2");
    CHECK_REFUSED(move, ctx, r, C = 0, "C is 0");
  }
  for (auto move : {sk_scatter, sk_scatter_add})
    CHECK_REFUSED(move, ctx, r, rows = low, "rows[0] is -1, outside [0, 2)");
  CHECK_REFUSED(sk_scatter, ctx, r, rows = falling, "not ascending");
  CHECK_REFUSED(sk_scatter_add, ctx, r, rows = falling, "not ascending");
  r.rows = falling;
  check_ok(sk_gather(ctx, &r), "a gather in any order");
  r.R = 0, y[7] = 5;
  check_ok(sk_scatter_add(ctx, &r), "no rows");
  check(y[7] == 5, "scatter_add of no rows is nothing");
  check_ok(sk_scatter(ctx, &r), "no rows");
  check(y[7] == 0, "scatter of no rows is zero");
  e.N = 0;
  check_ok(sk_embedding_bwd(ctx, &e), "no tokens");
  check_ok(sk_destroy(ctx), "destroy");
}

void embedding_tests() {
  const int64_t shapes[][3] = {{1, 1, 1},     {2, 7, 3},     {7, 63, 5},
                               {63, 65, 127}, {127, 130, 2}, {300, 576, 400}};
  for (const auto& s : shapes) one_shape(s[0], s[1], s[2]);
  errors();
}
