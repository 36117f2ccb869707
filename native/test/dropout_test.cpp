// dropout: which elements are kept, by the formula of seekr.h in plain integers, and how often.
#include "check.h"
#include <cmath>

static uint64_t mix64(uint64_t z) {
  z ^= z >> 30, z *= 0xBF58476D1CE4E5B9u;
  z ^= z >> 27, z *= 0x94D049BB133111EBu;
  return z ^ z >> 31;
}
static uint32_t mix32(uint32_t h) {
  h ^= h >> 16, h *= 0x85EBCA6Bu;
  h ^= h >> 13, h *= 0xC2B2AE35u;
  return h ^ h >> 16;
}
static bool kept(int64_t key, int64_t salt, int64_t c, float p) {
  const uint64_t k = mix64(uint64_t(key) + uint64_t(salt));
  const uint32_t drawn = mix32(mix32(uint32_t(c) + uint32_t(k)) ^ uint32_t(k / 0x100000000u)) / 2;
  return drawn >= uint64_t(double(p) * 0x80000000u);
}

static std::vector<int64_t> keys_of(Random& random, int64_t N) {
  std::vector<int64_t> keys(static_cast<size_t>(N));
  for (int64_t& key : keys) key = int64_t(random.next());
  return keys;
}

static void one_shape(int64_t N, int64_t C, int64_t salt, float p) {
  Random random{uint64_t(N * 1009 + C)};
  const std::vector<float> x = random.normals(N * C), y0 = random.normals(N * C);
  const std::vector<int64_t> keys = keys_of(random, N);
  std::vector<double> exact[2];
  std::vector<float> plain[2];
  for (int64_t i = 0; i < N * C; i++) {
    const bool stays = kept(keys[size_t(i / C)], salt, i % C, p);
    const float of = x[size_t(i)];
    for (int add = 0; add < 2; add++) {
      const float was = add ? y0[size_t(i)] : 0;
      exact[add].push_back(was + (stays ? double(of) / (1 - double(p)) : 0));
      plain[add].push_back(was + (stays ? of / (1 - p) : 0));
    }
  }
  each_context([&](sk_context* ctx, const std::string& label) {
    const std::string name =
        "dropout " + std::to_string(N) + "x" + std::to_string(C) + " of " + std::to_string(p) + " " + label;
    Guarded<float> gx("dropout x", x), gy("dropout y", N * C), added("dropout y", y0);
    Guarded<int64_t> gk("dropout keys", keys);
    sk_dropped_rows a{.y = gy, .x = gx, .keys = gk, .N = N, .C = C, .salt = salt, .p = p};
    check_ok(sk_dropout(ctx, &a), "dropout");
    check_close(name, gy, exact[0].data(), plain[0].data(), N * C);
    bool same = true;
    for (int64_t i = 0; i < N * C; i++) same &= (gy[i] != 0) == kept(keys[size_t(i / C)], salt, i % C, p);
    check(same, "%s: keeps what the formula does", name.c_str());
    a.y = added, a.accumulate = 1;
    check_ok(sk_dropout(ctx, &a), "dropout");
    check_close(name + " added", added, exact[1].data(), plain[1].data(), N * C);
    check_same(name + ": what is only read stays", gx, x.data(), N * C * 4);
    check_same(name + ": what is only read stays", gk, keys.data(), N * 8);
  });
}

// Shares within 5 standard deviations: of all, of rows that follow each other, of two salts, of neighbours.
static void shares() {
  Random random{5};
  const int64_t N = 512, C = 512;
  const std::vector<float> ones(size_t(N * C), 1);
  std::vector<int64_t> counted(static_cast<size_t>(N));
  for (int64_t n = 0; n < N; n++) counted[size_t(n)] = n;
  sk_context* ctx;
  check_ok(sk_create(&ctx, 2, "auto"), "create");
  for (const auto& keys : {keys_of(random, N), counted})
    for (float p : {0.1f, 0.5f, 0.9f}) {
      std::vector<float> y[2] = {ones, ones};
      for (int salt = 0; salt < 2; salt++) {
        const sk_dropped_rows a{.y = y[salt].data(),
                                .x = ones.data(),
                                .keys = keys.data(),
                                .N = N,
                                .C = C,
                                .salt = 6 + salt,
                                .p = p};
        check_ok(sk_dropout(ctx, &a), "dropout");
      }
      auto on = [&](int salt, int64_t i) { return y[salt][size_t(i)] != 0; };
      auto share = [&](const char* what, double expected, int64_t end, auto holds) {
        int64_t n = 0;
        for (int64_t i = 0; i < end; i++) n += holds(i);
        const double found = double(n) / double(end), most = 5 * std::sqrt(expected / double(end));
        check(std::fabs(found - expected) < most, "dropout of %g: %s %g of all, not %g", double(p), what,
              found, expected);
      };
      const double keep = 1 - double(p), both = keep * keep;
      share("kept", keep, N * C, [&](int64_t i) { return on(0, i); });
      share("neighbours kept", both, N * C - 1, [&](int64_t i) { return on(0, i) && on(0, i + 1); });
      share("kept in two rows", both, (N - 1) * C, [&](int64_t i) { return on(0, i) && on(0, i + C); });
      share("kept by two salts", both, N * C, [&](int64_t i) { return on(0, i) && on(1, i); });
      for (int64_t c = 0; c < C; c += 73)
        share("kept in a column", keep, N, [&](int64_t n) { return on(0, n * C + c); });
      for (int64_t n = 0; n < N; n += 73)
        share("kept in a row", keep, C, [&](int64_t c) { return on(0, n * C + c); });
    }
  check_ok(sk_destroy(ctx), "destroy");
}

static void edges() {
  sk_context* ctx;
  check_ok(sk_create(&ctx, 2, "auto"), "create");
  float x[8] = {1, NAN, 2, INFINITY, -3, NAN, 4, NAN}, y[8];
  int64_t keys[2] = {7, -7};
  const sk_dropped_rows a{.y = y, .x = x, .keys = keys, .N = 2, .C = 4, .salt = 1, .p = 0};
  check_ok(sk_dropout(ctx, &a), "dropout of none");
  check_same("dropout of none is a copy", y, x, sizeof x);
  auto most = a;
  most.p = std::nextafter(1.0f, 0.0f);
  check_ok(sk_dropout(ctx, &most), "dropout of nearly all");
  for (float v : y) check(v == 0, "what is dropped is 0, not %g", double(v));
  check_error(sk_dropout(nullptr, &a), "sk_dropout: ctx is null");
  check_error(sk_dropout(ctx, nullptr), "a is null");
  CHECK_REFUSED(sk_dropout, ctx, a, y = nullptr, "y is null");
  CHECK_REFUSED(sk_dropout, ctx, a, x = nullptr, "x is null");
  CHECK_REFUSED(sk_dropout, ctx, a, keys = nullptr, "keys is null");
  CHECK_REFUSED(sk_dropout, ctx, a, N = -1, "N is -1");
  CHECK_REFUSED(sk_dropout, ctx, a, C = 0, "C is 0");
  CHECK_REFUSED(sk_dropout, ctx, a, accumulate = 2, "accumulate is 2, neither 0 nor 1");
  CHECK_REFUSED(sk_dropout, ctx, a, p = 1, "p is 1, not at least 0 and below 1");
  CHECK_REFUSED(sk_dropout, ctx, a, p = -0.5f, "p is -0.5, not");
  CHECK_REFUSED(sk_dropout, ctx, a, p = NAN, "p is nan, not");
  auto none = a;
  none.N = 0, y[0] = 5;
  check_ok(sk_dropout(ctx, &none), "dropout of no rows");
  check(y[0] == 5, "dropout of no rows is nothing");
  check_ok(sk_destroy(ctx), "destroy");
}

void dropout_tests() {
  const int64_t shapes[][2] = {{1, 1}, {2, 7}, {63, 65}, {127, 130}, {5, 40000}};
  for (const auto& s : shapes)
    for (float p : {0.0f, 0.001f, 0.1f, 0.5f}) one_shape(s[0], s[1], s[0] * s[1] - 9, p);
  shares();
  edges();
}
