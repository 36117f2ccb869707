// Attention: what a row must not see, nothing at all, and arguments that are refused.
#include "attention_plain.h"
#include <cmath>

namespace {

struct Forward {
  std::vector<float> o, lse;
  Forward(sk_context* ctx, const Shape& z, const std::vector<float>& x)
      : o(z.N() * z.NH * z.HS), lse(z.N() * z.NH) {
    const sk_attention a = z.arguments(o.data(), lse.data(), x.data());
    check_ok(sk_attention_fwd(ctx, &a), "sk_attention_fwd");
  }
};

// What lies after a row, and in other sequences, leaves no trace in it: not even when it is NaN.
void causality() {
  Shape z(2, 1, 16, {70, 130, 65});
  Random random(11);
  std::vector<float> x = random.normals(z.N() * z.ld()), poisoned = x;
  const int64_t t = 80, n = z.cu[1] + t; // rows of sequence 1 after t, and all of sequence 2
  for (int64_t i = (n + 1) * z.ld(); i < z.N() * z.ld(); i++) poisoned[i] = std::nanf("");
  each_context([&](sk_context* ctx, const std::string& label) {
    const Forward clean(ctx, z, x), other(ctx, z, poisoned);
    check_same("attention causality of lse " + label, clean.lse.data(), other.lse.data(), (n + 1) * z.NH * 4);
    // 0 * NaN is NaN, so of o only rows whose tiles hold no later key can be compared.
    check_same("attention causality of o " + label, clean.o.data(), other.o.data(),
               (z.cu[1] + 64) * z.NH * z.HS * 4);
  });
}

// Blocks of 64 keys that lie before a row's window leave no trace in it either: they are not computed with.
// Row 192, the first of its block, sees 65 keys, from 128 on. What lies before is poisoned.
void skipped_blocks() {
  const Shape z = Shape(4, 2, 24, {300}).with(65, 0.3f);
  const int64_t poison = 128, from = 192, T = z.N();
  Random random(17);
  std::vector<float> x = random.normals(T * z.ld()), x2 = random.normals(T * z.ld()),
                     dy = random.normals(T * z.NH * z.HS);
  Queries queries = sample(z, 3, random);
  // Of the queries those from `from` on: all that come before are left out.
  const int64_t skipped =
      std::lower_bound(queries.pos.begin(), queries.pos.end(), from) - queries.pos.begin();
  queries.pos.erase(queries.pos.begin(), queries.pos.begin() + skipped);
  queries.weight.erase(queries.weight.begin(), queries.weight.begin() + skipped);
  queries.p.erase(queries.p.begin(),
                  queries.p.begin() + int64_t(queries.heads.size()) * queries.prefix[skipped]);
  queries.prefix.resize(queries.pos.size());
  for (int64_t i = 1; i < queries.R(); i++)
    queries.prefix[i] = queries.prefix[i - 1] + queries.pos[i - 1] + 1;
  queries.row_start = {0, int32_t(queries.R())};

  auto outputs = [&](sk_context* ctx, bool poisoned) {
    std::vector<float> in = x, in2 = x2, bits, d(T * z.ld());
    auto spoil = [&](std::vector<float>& v, int64_t width) {
      for (int64_t i = 0; poisoned && i < poison * width; i++) v[i] = std::nanf("");
    };
    spoil(in, z.ld()), spoil(in2, z.ld());
    auto keep = [&](const float* v, int64_t n) { bits.insert(bits.end(), v, v + n); };
    Forward one(ctx, z, in), two(ctx, z, in2);
    keep(&one.o[z.o(from, 0)], (T - from) * z.NH * z.HS);
    keep(&one.lse[from * z.NH], (T - from) * z.NH);
    const sk_attention of = z.arguments(one.o.data(), one.lse.data(), in.data());
    std::vector<double> kl(queries.R() * queries.heads.size()), diff(z.NH);
    for (float eps : {0.f, 1e-8f}) {
      const sk_attention_gradient g{.of = of,
                                    .dqkv = d.data(),
                                    .dout = dy.data(),
                                    .kl = kl.data(),
                                    .queries = queries.arguments(),
                                    .eps = eps};
      check_ok(sk_attention_bwd(ctx, &g), "sk_attention_bwd");
      keep(&d[from * z.ld()], (T - from) * z.ld());
      for (double v : kl) bits.push_back(float(v));
    }
    Queries captured = queries;
    const sk_attention_rows rows{.of = of, .queries = captured.arguments()};
    check_ok(sk_attention_capture(ctx, &rows), "sk_attention_capture");
    keep(captured.p.data(), int64_t(captured.p.size()));
    const sk_attention_change change{.diff = diff.data(),
                                     .of = of,
                                     .qkv2 = in2.data(),
                                     .lse2 = two.lse.data(),
                                     .queries = queries.arguments()};
    check_ok(sk_attention_diff(ctx, &change), "sk_attention_diff");
    for (double v : diff) bits.push_back(float(v));
    return bits;
  };
  each_context([&](sk_context* ctx, const std::string& label) {
    const std::vector<float> clean = outputs(ctx, false), other = outputs(ctx, true);
    bool numbers = true;
    for (float v : clean) numbers &= std::isfinite(v);
    check(numbers, "attention before a window %s: finite", label.c_str());
    check_same("attention before a window " + label, clean.data(), other.data(), int64_t(clean.size()) * 4);
  });
}

// A decoded token looks at no key before its window.
void skipped_cache() {
  const int64_t NH = 4, NKV = 2, HS = 24, T = 200, row = (NH + 2 * NKV) * HS;
  const int32_t length = 150;
  Random random(19);
  const std::vector<float> k = random.normals(NKV * T * HS), v = random.normals(NKV * T * HS),
                           x = random.normals(row);
  for (int64_t window : {1, 3, 64, 65, 150})
    each_context([&](sk_context* ctx, const std::string& label) {
      auto decode = [&](bool poisoned) {
        std::vector<float> kc = k, vc = v, o(NH * HS);
        for (int64_t kv = 0; poisoned && kv < NKV; kv++)
          for (int64_t j = 0; j < T; j++)
            if (j <= length - window || j >= length)
              for (int64_t c = 0; c < HS; c++)
                kc[(kv * T + j) * HS + c] = vc[(kv * T + j) * HS + c] = std::nanf("");
        const sk_decode d{.o = o.data(),
                          .kcache = kc.data(),
                          .vcache = vc.data(),
                          .qkv = x.data(),
                          .lengths = &length,
                          .B = 1,
                          .T = T,
                          .NH = NH,
                          .NKV = NKV,
                          .HS = HS,
                          .window = window,
                          .scale = 0.2f};
        check_ok(sk_attention_decode(ctx, &d), "sk_attention_decode");
        return o;
      };
      const std::vector<float> clean = decode(false), other = decode(true);
      check_same("decode before a window of " + std::to_string(window) + " " + label, clean.data(),
                 other.data(), NH * HS * 4);
      // A window of one key is that key's value.
      for (int64_t h = 0; window == 1 && h < NH; h++)
        check_same("decode of one key " + label, &clean[h * HS], &x[(NH + NKV + h / (NH / NKV)) * HS],
                   HS * 4);
    });
}

// No sequences, only empty ones, no queries, no selected heads.
void nothing() {
  Random random(13);
  Shape z(2, 1, 8, {0, 3, 0}), empty(2, 1, 8, {0, 0}), none(2, 1, 8, {});
  Queries queries = sample(z, 1, random), no_queries = sample(empty, 1, random), no_heads = queries;
  no_heads.heads.clear();
  no_queries.row_start = {0, 0, 0, 0};
  std::vector<float> x = random.normals(z.N() * z.ld()), dy = random.normals(z.N() * z.NH * z.HS);
  each_context([&](sk_context* ctx, const std::string& label) {
    Forward of(ctx, z, x);
    std::vector<float> d(z.N() * z.ld()), d2 = d, d3 = d;
    for (const Shape* e : {&empty, &none}) {
      double sens[4] = {1, 1, 1, 1};
      std::vector<float> o(1), lse(1);
      const sk_attention a = e->arguments(o.data(), lse.data(), x.data());
      const sk_attention_gradient g{.of = a, .dqkv = d.data(), .dout = dy.data(), .sens = sens};
      check_ok(sk_attention_fwd(ctx, &a), "sk_attention_fwd");
      check_ok(sk_attention_bwd(ctx, &g), "sk_attention_bwd");
      for (int i = 0; i < 4; i++)
        check(sens[i] == (i < e->S() * 2 ? 0 : 1), "attention of nothing %s: sens[%d]", label.c_str(), i);
    }
    const sk_attention a = z.arguments(of.o.data(), of.lse.data(), x.data());
    double kl = 5;
    auto backward = [&](std::vector<float>& out, const sk_queries& q) {
      const sk_attention_gradient g{
          .of = a, .dqkv = out.data(), .dout = dy.data(), .kl = q.row_start ? &kl : nullptr, .queries = q};
      check_ok(sk_attention_bwd(ctx, &g), "sk_attention_bwd");
    };
    // Where row_start is NULL nothing else of the queries is looked at.
    backward(d, {.H = -7}), backward(d2, no_queries.arguments()), backward(d3, no_heads.arguments());
    check_same("attention without queries " + label, d.data(), d2.data(), int64_t(d.size()) * 4);
    check_same("attention without heads " + label, d.data(), d3.data(), int64_t(d.size()) * 4);
    const sk_attention_rows rows{.of = a, .queries = no_heads.arguments()};
    check_ok(sk_attention_capture(ctx, &rows), "sk_attention_capture");
    check(kl == 5, "attention without queries %s: kl is not written", label.c_str());
  });
}

// What every function refuses of sk_attention. kernel(of) calls one of them.
template <class F> void refused_shapes(F kernel, const sk_attention& good) {
  auto refused = [&](auto change, const char* message) {
    sk_attention of = good;
    change(of);
    check_error(kernel(of), message);
  };
  const int32_t late[] = {1, 3}, falling[] = {0, 4, 3}, both[] = {0, 1, 3};
  refused([](auto& a) { a.lse = nullptr; }, "lse is null");
  refused([](auto& a) { a.qkv = nullptr; }, "qkv is null");
  refused([](auto& a) { a.cu_seqlens = nullptr; }, "cu_seqlens is null");
  refused([&](auto& a) { a.cu_seqlens = late; }, "cu_seqlens[0] is 1, not 0");
  refused([&](auto& a) { a.cu_seqlens = falling, a.S = 2; }, "cu_seqlens[2] is 3 after 4: not ascending");
  refused([](auto& a) { a.N = 4; }, "cu_seqlens[1] is 3, not N, which is 4");
  refused([&](auto& a) { a.cu_seqlens = both; }, "cu_seqlens[1] is 1, not N, which is 3");
  refused([](auto& a) { a.N = -1; }, "N is -1");
  refused([](auto& a) { a.S = -1; }, "S is -1");
  refused([](auto& a) { a.window = -1; }, "window is -1");
  refused([](auto& a) { a.scale = -0.5f; }, "scale is -0.5, not a number >= 0");
  refused([](auto& a) { a.scale = NAN; }, "scale is nan");
  refused([](auto& a) { a.NKV = 0; }, "NKV is 0");
  refused([](auto& a) { a.NH = 3; }, "NH is 3, not a multiple of NKV, which is 2");
  refused([](auto& a) { a.HS = 0; }, "HS is 0");
}

// What every function refuses of sk_queries. kernel(queries) calls one of them, with 3 tokens of one
// sequence.
template <class F> void refused_queries(F kernel, const sk_queries& good) {
  auto refused = [&](auto change, const char* message) {
    sk_queries q = good;
    change(q);
    check_error(kernel(q), message);
  };
  const int32_t late[] = {1, 2}, beyond[] = {0, 3}, twice[] = {1, 1};
  const int64_t wrong[] = {0, 1};
  refused([&](auto& q) { q.row_start = late; }, "queries.row_start[0] is 1, not 0");
  refused([](auto& q) { q.pos = nullptr; }, "queries.pos is null");
  refused([](auto& q) { q.prefix = nullptr; }, "queries.prefix is null");
  refused([&](auto& q) { q.pos = beyond; }, "queries.pos of a sequence[1] is 3, outside [0, 3)");
  refused([&](auto& q) { q.pos = twice; }, "queries.pos of a sequence[1] is 1 after 1: not ascending");
  refused([&](auto& q) { q.prefix = wrong; }, "queries.prefix[1] is 1, not 2");
}

template <class F> void refused_heads(F kernel, const sk_queries& good) {
  const int32_t high[] = {0, 4}, twice[] = {1, 1};
  sk_queries q = good;
  q.H = -1;
  check_error(kernel(q), "queries.H is -1");
  q = good, q.heads = nullptr;
  check_error(kernel(q), "queries.heads is null");
  q.heads = high;
  check_error(kernel(q), "queries.heads[1] is 4, outside [0, 4)");
  q.heads = twice;
  check_error(kernel(q), "queries.heads[1] is 1 after 1: not ascending");
  q = good, q.p = nullptr;
  check_error(kernel(q), "queries.p is null");
}

void errors() {
  sk_context* ctx;
  check_ok(sk_create(&ctx, 2, "auto"), "create");
  Shape z(4, 2, 2, {3});
  std::vector<float> x(z.N() * z.ld()), y = x, o(z.N() * z.NH * z.HS), lse(z.N() * z.NH), p(10);
  std::vector<double> out(8);
  const int32_t heads[] = {1, 2}, row_start[] = {0, 2}, pos[] = {1, 2};
  const int64_t prefix[] = {0, 2};
  const float weight[] = {1, 1};
  const sk_queries queries{.H = 2,
                           .heads = heads,
                           .row_start = row_start,
                           .pos = pos,
                           .prefix = prefix,
                           .weight = weight,
                           .p = p.data()};
  const sk_attention of = z.arguments(o.data(), lse.data(), x.data());
  const sk_attention_gradient gradient{
      .of = of, .dqkv = y.data(), .dout = o.data(), .kl = out.data(), .queries = queries};
  const sk_attention_rows rows{.of = of, .queries = queries};
  const sk_attention_change change{
      .diff = out.data(), .of = of, .qkv2 = x.data(), .lse2 = lse.data(), .queries = queries};
  auto with_shape = [&](auto kernel, auto arguments) {
    return [=](const sk_attention& a) {
      auto changed = arguments;
      changed.of = a;
      return kernel(ctx, &changed);
    };
  };
  auto with_queries = [&](auto kernel, auto arguments) {
    return [=](const sk_queries& q) {
      auto changed = arguments;
      changed.queries = q;
      return kernel(ctx, &changed);
    };
  };
  check_ok(sk_attention_fwd(ctx, &of), "sk_attention_fwd");
  check_ok(sk_attention_bwd(ctx, &gradient), "sk_attention_bwd");
  check_ok(sk_attention_capture(ctx, &rows), "sk_attention_capture");
  check_ok(sk_attention_diff(ctx, &change), "sk_attention_diff");
  check_error(sk_attention_fwd(nullptr, &of), "sk_attention_fwd: ctx is null");
  check_error(sk_attention_bwd(nullptr, &gradient), "sk_attention_bwd: ctx is null");
  check_error(sk_attention_capture(nullptr, &rows), "sk_attention_capture: ctx is null");
  check_error(sk_attention_diff(nullptr, &change), "sk_attention_diff: ctx is null");
  check_error(sk_attention_fwd(ctx, nullptr), "sk_attention_fwd: a is null");
  check_error(sk_attention_bwd(ctx, nullptr), "sk_attention_bwd: a is null");
  check_error(sk_attention_capture(ctx, nullptr), "sk_attention_capture: a is null");
  check_error(sk_attention_diff(ctx, nullptr), "sk_attention_diff: a is null");

  refused_shapes([=](const sk_attention& a) { return sk_attention_fwd(ctx, &a); }, of);
  refused_shapes(with_shape(sk_attention_bwd, gradient), of);
  refused_shapes(with_shape(sk_attention_capture, rows), of);
  refused_shapes(with_shape(sk_attention_diff, change), of);
  refused_queries(with_queries(sk_attention_bwd, gradient), queries);
  refused_queries(with_queries(sk_attention_capture, rows), queries);
  refused_queries(with_queries(sk_attention_diff, change), queries);
  refused_heads(with_queries(sk_attention_bwd, gradient), queries);
  refused_heads(with_queries(sk_attention_capture, rows), queries);

  CHECK_REFUSED(sk_attention_fwd, ctx, of, o = nullptr, "o is null");
  CHECK_REFUSED(sk_attention_bwd, ctx, gradient, of.o = nullptr, "o is null");
  CHECK_REFUSED(sk_attention_bwd, ctx, gradient, dqkv = nullptr, "dqkv is null");
  CHECK_REFUSED(sk_attention_bwd, ctx, gradient, dout = nullptr, "dout is null");
  CHECK_REFUSED(sk_attention_bwd, ctx, gradient, kl = nullptr, "kl is null");
  CHECK_REFUSED(sk_attention_bwd, ctx, gradient, eps = -1, "eps is -1");
  CHECK_REFUSED(sk_attention_bwd, ctx, gradient, queries.weight = nullptr, "queries.weight is null");
  CHECK_REFUSED(sk_attention_capture, ctx, rows, queries.row_start = nullptr, "queries.row_start is null");
  CHECK_REFUSED(sk_attention_diff, ctx, change, diff = nullptr, "diff is null");
  CHECK_REFUSED(sk_attention_diff, ctx, change, qkv2 = nullptr, "qkv2 is null");
  CHECK_REFUSED(sk_attention_diff, ctx, change, lse2 = nullptr, "lse2 is null");
  CHECK_REFUSED(sk_attention_diff, ctx, change, queries.weight = nullptr, "queries.weight is null");

  const int32_t lengths[] = {0, 2};
  const sk_decode decode{.o = o.data(),
                         .kcache = y.data(),
                         .vcache = y.data(),
                         .qkv = x.data(),
                         .lengths = lengths,
                         .B = 2,
                         .T = 3,
                         .NH = 4,
                         .NKV = 2,
                         .HS = 2,
                         .scale = 1};
  check_ok(sk_attention_decode(ctx, &decode), "sk_attention_decode");
  check_error(sk_attention_decode(nullptr, &decode), "sk_attention_decode: ctx is null");
  check_error(sk_attention_decode(ctx, nullptr), "sk_attention_decode: a is null");
  CHECK_REFUSED(sk_attention_decode, ctx, decode, o = nullptr, "o is null");
  CHECK_REFUSED(sk_attention_decode, ctx, decode, kcache = nullptr, "kcache is null");
  CHECK_REFUSED(sk_attention_decode, ctx, decode, vcache = nullptr, "vcache is null");
  CHECK_REFUSED(sk_attention_decode, ctx, decode, qkv = nullptr, "qkv is null");
  CHECK_REFUSED(sk_attention_decode, ctx, decode, lengths = nullptr, "lengths is null");
  CHECK_REFUSED(sk_attention_decode, ctx, decode, B = -1, "B is -1");
  CHECK_REFUSED(sk_attention_decode, ctx, decode, T = -1, "T is -1");
  CHECK_REFUSED(sk_attention_decode, ctx, decode, T = 2, "lengths[1] is 2, outside [0, 2)");
  CHECK_REFUSED(sk_attention_decode, ctx, decode, NH = 3, "NH is 3, not a multiple of NKV");
  CHECK_REFUSED(sk_attention_decode, ctx, decode, window = -2, "window is -2");
  CHECK_REFUSED(sk_attention_decode, ctx, decode, scale = NAN, "scale is nan");
  check_ok(sk_destroy(ctx), "destroy");
}

} // namespace

void attention_edges_tests() {
  causality();
  skipped_blocks();
  skipped_cache();
  nothing();
  errors();
}
