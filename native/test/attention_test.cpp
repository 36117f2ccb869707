// Attention against full maps: forward, backward with its taps, capture, diff, decode.
#include "attention_plain.h"
#include <tuple>

namespace {

std::vector<float> rounded(const std::vector<double>& x) { return std::vector<float>(x.begin(), x.end()); }

// Sums in double of what was computed in float: as exact as the plain float implementation that is summed the
// same way.
void check_double(const std::string& name, Guarded<double>& got, const std::vector<double>& exact,
                  const std::vector<double>& plain) {
  check_close(name, rounded(got.copy()).data(), exact.data(), rounded(plain).data(), got.n);
}

const std::vector<int> odd_lengths = {1, 2, 3, 7, 63, 64, 65, 0, 127, 129, 257};
std::vector<Shape> shapes() {
  std::vector<Shape> all;
  const int heads[][3] = {{1, 1, 8},  {4, 2, 8},   {6, 2, 16}, {3, 1, 24},
                          {2, 2, 64}, {4, 2, 128}, {9, 3, 64}, {2, 1, 6}};
  for (auto& h : heads) all.emplace_back(h[0], h[1], h[2], odd_lengths);
  const Shape one_long(2, 1, 32, {601}); // cut into parts
  all.push_back(one_long);
  all.emplace_back(2, 2, 40, std::vector<int>{385});
  // Windows around the size of a block of keys, which is 64, and of other scales.
  for (int64_t window : {1, 3, 63, 64, 65, 1000})
    all.push_back(Shape(4, 2, 8, odd_lengths).with(window, 0.3f));
  for (int64_t window : {2, 65, 128, 200}) all.push_back(one_long.with(window, 0.2f));
  all.push_back(Shape(3, 1, 24, odd_lengths).with(17, 0.5f));
  all.push_back(Shape(2, 1, 6, odd_lengths).with(127, 1));
  all.push_back(Shape(2, 2, 40, {385}).with(66, 0.05f));
  all.push_back(Shape(4, 2, 128, {1, 200, 67}).with(48, 0.08f));
  return all;
}

// The double reference itself: its gradient against differences of  sum o . dout + sum weight KL.
void reference_gradient(double eps, int64_t window) {
  Random random(7);
  const Shape z = Shape(2, 1, 3, {5, 1, 4}).with(window, 0.7f);
  std::vector<float> x = random.normals(z.N() * z.ld()), dy = random.normals(z.N() * z.NH * z.HS);
  Queries queries = sample(z, 2, random);
  auto loss = [&](const std::vector<double>& at) {
    Plain<double> p(z, x);
    p.qkv = at;
    p.forward();
    p.backward(dy, &queries, eps);
    double sum = 0;
    for (size_t i = 0; i < dy.size(); i++) sum += p.o[i] * double(dy[i]);
    for (int64_t i = 0; i < queries.R(); i++)
      for (size_t k = 0; k < queries.heads.size(); k++)
        sum += double(queries.weight[i]) * p.kl[i * queries.heads.size() + k];
    return sum;
  };
  Plain<double> p(z, x);
  p.backward(dy, &queries, eps);
  double worst = 0;
  for (size_t i = 0; i < x.size(); i++) {
    std::vector<double> up = p.qkv, down = p.qkv;
    up[i] += 1e-5, down[i] -= 1e-5;
    double error = std::abs((loss(up) - loss(down)) / 2e-5 - p.dqkv[i]);
    worst = error <= worst ? worst : error; // keeps NaN
  }
  // The rows of P do not sum to 1 exactly, being floats; the eps == 0 form takes it that they do.
  check(worst < 1e-6, "attention reference, eps %g, window %d: gradient and differences disagree by %g", eps,
        int(window), worst);
}

void forward_and_backward(const Shape& z, float spread) {
  Random random(z.NH * 100 + z.HS);
  std::vector<float> x = random.normals(z.N() * z.ld(), spread), dy = random.normals(z.N() * z.NH * z.HS);
  Queries queries = sample(z, 6, random);
  Plain<double> exact(z, x);
  Plain<float> plain(z, x);
  std::vector<float> o = rounded(exact.o), lse = rounded(exact.lse);
  struct Form {
    const char* name;
    bool distilled;
    float eps;
    Plain<double> exact;
    Plain<float> plain;
  };
  std::vector<Form> forms;
  for (auto [name, distilled, eps] : {std::tuple("bwd", false, 0.f),
                                      {"bwd+kl", true, 0.f},
                                      {"bwd+kl+eps", true, 1e-8f},
                                      {"bwd+kl+large eps", true, 0.01f}}) {
    if (z.HS >= 64 && (!distilled || eps == 0.01f)) continue; // for the sake of time
    forms.push_back({name, distilled, eps, exact, plain});
    forms.back().exact.backward(dy, distilled ? &queries : nullptr, double(eps), &o, &lse);
    forms.back().plain.backward(dy, distilled ? &queries : nullptr, eps, &o, &lse);
  }

  each_context([&](sk_context* ctx, const std::string& label) {
    std::string name = "attention " + z.name() + " " + label + " ";
    {
      Guarded<float> in("qkv", x), out("o", z.N() * z.NH * z.HS), l("lse", z.N() * z.NH);
      const sk_attention a = z.arguments(out, l, in);
      check_ok(sk_attention_fwd(ctx, &a), "sk_attention_fwd");
      check_close(name + "o", out, exact.o.data(), plain.o.data(), out.n);
      check_close(name + "lse", l, exact.lse.data(), plain.lse.data(), l.n);
    }
    for (Form& f : forms) {
      Guarded<float> in("qkv", x), d("dqkv", z.N() * z.ld()), dout("dout", dy), oo("o", o), l("lse", lse);
      Guarded<double> sens("sens", z.S() * z.NH), kl("kl", queries.R() * int64_t(queries.heads.size()));
      bool with_sens = f.distilled;
      const sk_attention_gradient g{.of = z.arguments(oo, l, in),
                                    .dqkv = d,
                                    .dout = dout,
                                    .sens = with_sens ? sens.data() : nullptr,
                                    .kl = f.distilled ? kl.data() : nullptr,
                                    .queries = f.distilled ? queries.arguments() : sk_queries{},
                                    .eps = f.eps};
      check_ok(sk_attention_bwd(ctx, &g), "sk_attention_bwd");
      check_close(name + f.name + " dqkv", d, f.exact.dqkv.data(), f.plain.dqkv.data(), d.n);
      if (with_sens) check_double(name + f.name + " sens", sens, f.exact.sens, f.plain.sens);
      if (f.distilled) check_double(name + f.name + " kl", kl, f.exact.kl, f.plain.kl);
    }
  });
}

// Every output of every kernel, for comparing bits.
std::vector<float> all_outputs(sk_context* ctx, const Shape& z) {
  Random random(3);
  std::vector<float> x = random.normals(z.N() * z.ld()), x2 = random.normals(z.N() * z.ld());
  std::vector<float> dy = random.normals(z.N() * z.NH * z.HS), bits;
  Queries queries = sample(z.with(0, z.scale), 5, random); // the same, whatever the window
  std::vector<float> o(z.N() * z.NH * z.HS), lse(z.N() * z.NH), o2 = o, lse2 = lse, d(z.N() * z.ld());
  std::vector<double> sens(z.S() * z.NH), kl(queries.R() * queries.heads.size()), diff(z.S() * z.NH);
  auto keep = [&](const auto& v) {
    const float* begin = reinterpret_cast<const float*>(v.data());
    bits.insert(bits.end(), begin, begin + v.size() * sizeof v[0] / sizeof(float));
  };
  const sk_attention one = z.arguments(o.data(), lse.data(), x.data()),
                     two = z.arguments(o2.data(), lse2.data(), x2.data());
  check_ok(sk_attention_fwd(ctx, &one), "sk_attention_fwd");
  check_ok(sk_attention_fwd(ctx, &two), "sk_attention_fwd");
  keep(o), keep(lse);
  for (float eps : {0.f, 1e-8f}) {
    const sk_attention_gradient g{.of = one,
                                  .dqkv = d.data(),
                                  .dout = dy.data(),
                                  .sens = sens.data(),
                                  .kl = kl.data(),
                                  .queries = queries.arguments(),
                                  .eps = eps};
    check_ok(sk_attention_bwd(ctx, &g), "sk_attention_bwd");
    keep(d), keep(sens), keep(kl);
  }
  for (const sk_queries& q : {sk_queries{}, queries.arguments()}) {
    const sk_attention_change change{
        .diff = diff.data(), .of = one, .qkv2 = x2.data(), .lse2 = lse2.data(), .queries = q};
    check_ok(sk_attention_diff(ctx, &change), "sk_attention_diff");
    keep(diff);
  }
  const sk_attention_rows rows{.of = one, .queries = queries.arguments()};
  check_ok(sk_attention_capture(ctx, &rows), "sk_attention_capture");
  keep(queries.p);
  return bits;
}

// A window that no sequence outgrows is none, to the bit.
void wide_windows(const Shape& z) {
  each_context([&](sk_context* ctx, const std::string& label) {
    const std::vector<float> none = all_outputs(ctx, z);
    for (int64_t window : {z.N(), int64_t(1) << 31, INT64_MAX}) {
      const std::vector<float> wide = all_outputs(ctx, z.with(window, z.scale));
      check_same("attention " + z.name() + " " + label + " in a window of " + std::to_string(window),
                 wide.data(), none.data(), int64_t(none.size()) * 4);
    }
  });
}

bool none_outside(const Shape& z, const Queries& queries, const float* p) {
  bool none = true;
  for (int64_t i = 0; i < queries.R(); i++)
    for (size_t k = 0; k < queries.heads.size(); k++)
      for (int64_t j = 0; j < z.first(queries.pos[i]); j++) none &= p[queries.at(i, int64_t(k)) + j] == 0;
  return none;
}

void capture_and_diff(const Shape& z) {
  Random random(z.HS);
  std::vector<float> x = random.normals(z.N() * z.ld()), x2 = x;
  for (float& y : x2) y += 0.1f * random.normal();
  Queries queries = sample(z, 4, random);
  Plain<double> one(z, x), two(z, x2);
  Plain<float> plain(z, x), plain2(z, x2);
  std::vector<float> lse = rounded(one.lse), lse2 = rounded(two.lse), p_plain(queries.p.size());
  std::vector<double> p(queries.p.size()), all(z.S() * z.NH), some = all, all_plain = all, some_plain = all;
  for (int64_t s = 0; s < z.S(); s++)
    for (int64_t h = 0; h < z.NH; h++) {
      int64_t b = z.cu[s], T = z.cu[s + 1] - b, m = s * z.NH + h;
      int64_t index = queries.index(h), next = queries.row_start[s];
      for (int64_t t = 0; t < T; t++) {
        double sum = 0, sum_plain = 0;
        std::vector<float> A(t + 1); // plain, from the lse that the kernels get
        for (int64_t j = z.first(t); j <= t; j++) {
          A[j] = std::exp(plain.score(b + t, b + j, h) - lse[(b + t) * z.NH + h]);
          double d = one.A[m][t * T + j] - two.A[m][t * T + j];
          float d_plain = A[j] - std::exp(plain2.score(b + t, b + j, h) - lse2[(b + t) * z.NH + h]);
          sum += d * d, sum_plain += double(d_plain * d_plain);
        }
        all[m] += sum, all_plain[m] += sum_plain;
        if (next == queries.row_start[s + 1] || queries.pos[next] != t) continue;
        some[m] += double(queries.weight[next]) * sum,
            some_plain[m] += double(queries.weight[next]) * sum_plain;
        for (int64_t j = 0; index >= 0 && j <= t; j++) {
          p[queries.at(next, index) + j] = one.A[m][t * T + j];
          p_plain[queries.at(next, index) + j] = A[j];
        }
        next++;
      }
    }
  each_context([&](sk_context* ctx, const std::string& label) {
    std::string name = "attention " + z.name() + " " + label + " ";
    Guarded<float> in("qkv", x), in2("qkv2", x2), l("lse", lse), l2("lse2", lse2),
        out("p", int64_t(p.size()));
    sk_attention_rows rows{.of = z.arguments(nullptr, l, in), .queries = queries.arguments()};
    rows.queries.p = out;
    rows.queries.weight = nullptr;
    check_ok(sk_attention_capture(ctx, &rows), "sk_attention_capture");
    check_close(name + "capture", out, p.data(), p_plain.data(), out.n);
    check(none_outside(z, queries, out), "%scapture: 0 outside the window", name.c_str());
    Guarded<double> diff("diff", z.S() * z.NH), diff_named("diff", z.S() * z.NH);
    sk_attention_change change{.diff = diff, .of = rows.of, .qkv2 = in2, .lse2 = l2};
    check_ok(sk_attention_diff(ctx, &change), "sk_attention_diff");
    change.diff = diff_named;
    change.queries = queries.arguments();
    change.queries.H = -1, change.queries.heads = nullptr, change.queries.p = nullptr;
    check_ok(sk_attention_diff(ctx, &change), "sk_attention_diff");
    check_double(name + "diff", diff, all, all_plain);
    check_double(name + "diff of queries", diff_named, some, some_plain);
  });
}

// The last token of every sequence, decoded from a cache of the others, against the last row of the full map.
void decode(const Shape& z, float spread) {
  Random random(z.HS + 5);
  std::vector<float> x = random.normals(z.N() * z.ld(), spread);
  Plain<double> exact(z, x);
  Plain<float> plain(z, x);
  std::vector<int64_t> used; // sequences that have a token
  int64_t T = 1;
  for (int64_t s = 0; s < z.S(); s++)
    if (z.cu[s + 1] > z.cu[s]) used.push_back(s), T = std::max<int64_t>(T, z.cu[s + 1] - z.cu[s]);
  int64_t B = int64_t(used.size()), row = z.NH * z.HS;
  std::vector<float> token, o_plain, k(B * z.NKV * T * z.HS, std::nanf("")), v = k, k_after = k, v_after = k;
  std::vector<double> o;
  std::vector<int32_t> lengths;
  for (int64_t b = 0; b < B; b++) {
    int64_t begin = z.cu[used[b]], last = z.cu[used[b] + 1] - 1;
    lengths.push_back(int32_t(last - begin));
    token.insert(token.end(), &x[last * z.ld()], &x[last * z.ld()] + z.ld());
    o.insert(o.end(), &exact.o[last * row], &exact.o[last * row] + row);
    o_plain.insert(o_plain.end(), &plain.o[last * row], &plain.o[last * row] + row);
    for (int64_t kv = 0; kv < z.NKV; kv++)
      for (int64_t n = begin; n <= last; n++)
        for (int64_t c = 0; c < z.HS; c++) {
          int64_t to = ((b * z.NKV + kv) * T + n - begin) * z.HS + c;
          k_after[to] = x[z.k(n, kv * z.G()) + c], v_after[to] = x[z.v(n, kv * z.G()) + c];
          if (n < last) k[to] = k_after[to], v[to] = v_after[to];
        }
  }
  each_context([&](sk_context* ctx, const std::string& label) {
    std::string name = "attention " + z.name() + " " + label + " decode";
    Guarded<float> in("qkv", token), out("o", B * row), kc("kcache", k), vc("vcache", v);
    sk_decode d{.o = out,
                .kcache = kc,
                .vcache = vc,
                .qkv = in,
                .lengths = lengths.data(),
                .B = B,
                .T = T,
                .NH = z.NH,
                .NKV = z.NKV,
                .HS = z.HS,
                .window = z.window,
                .scale = z.scale};
    check_ok(sk_attention_decode(ctx, &d), "sk_attention_decode");
    check_close(name, out, o.data(), o_plain.data(), out.n);
    check_same(name + " kcache", kc, k_after.data(), kc.n * 4);
    check_same(name + " vcache", vc, v_after.data(), vc.n * 4);
    // Each sequence alone, in a shorter cache, gives the same bits.
    for (int64_t b = 0; b < B; b++) {
      int64_t length = lengths[b] + 1;
      std::vector<float> k1(z.NKV * length * z.HS), v1 = k1;
      for (int64_t kv = 0; kv < z.NKV; kv++)
        for (int64_t i = 0; i < length * z.HS; i++)
          k1[kv * length * z.HS + i] = k[(b * z.NKV + kv) * T * z.HS + i],
                                  v1[kv * length * z.HS + i] = v[(b * z.NKV + kv) * T * z.HS + i];
      Guarded<float> o1("o", row), kg("kcache", k1), vg("vcache", v1);
      d.o = o1, d.kcache = kg, d.vcache = vg, d.qkv = in + b * z.ld(), d.lengths = &lengths[b];
      d.B = 1, d.T = length;
      check_ok(sk_attention_decode(ctx, &d), "sk_attention_decode");
      check_same(name + " alone", o1, out + b * row, row * 4);
    }
  });
}

// Scores near +-1e4: nothing overflows, and rows are next to one-hot.
void large_scores() {
  Shape z(2, 1, 16, {1, 67, 130});
  forward_and_backward(z, 60); // |S| up to 60^2 * 16 / 4 and more
  decode(z, 60);
}

} // namespace

// Sanitizers look for wrong addresses, which the smaller shapes reach too, at a tenth of the speed.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool SANITIZED = true;
#else
constexpr bool SANITIZED = false;
#endif

void attention_tests() {
  for (int64_t window : {0, 1, 3})
    for (double eps : {0.0, 1e-8, 0.05}) reference_gradient(eps, window);
  for (const Shape& z : shapes()) {
    if (SANITIZED && z.NH * z.HS > 128) continue;
    forward_and_backward(z, 1);
    capture_and_diff(z);
    decode(z, 1);
    if (z.NH * z.HS <= 128) // for the sake of time
      check_deterministic("attention " + z.name(), [&](sk_context* ctx) { return all_outputs(ctx, z); });
  }
  wide_windows(Shape(4, 2, 8, odd_lengths));
  wide_windows(Shape(2, 1, 32, {601}));
  large_scores();
}
