// Attention of bfloat16 against full maps in double, by everyone who multiplies: odd shapes, edges of blocks
// and of windows, grouped heads. No more is allowed than what rounding may do to probabilities, gradients of
// scores and results: a key that is left out, taken twice or exchanged with its neighbour is more.
#include "attention_plain.h"
#include "narrow.h"
#include <map>

namespace {

template <class T> std::vector<float> rounded(const std::vector<T>& x) {
  std::vector<float> y;
  for (T v : x) y.push_back(widen(narrow(float(v))));
  return y;
}

// Factors and the sum are rounded once each, to a part of 2^-8; 1e-5 is what floats leave of dA - D = 0.
void check_rounded(const std::string& name, Guarded<uint16_t>& got, const std::vector<double>& exact,
                   const std::vector<double>& terms) {
  int64_t wrong = 0;
  for (size_t i = 0; i < exact.size(); i++)
    wrong += !(std::abs(double(widen(got[int64_t(i)])) - exact[i]) <=
               0x1.02p-8 * (terms[i] + std::abs(exact[i])) + 1e-5);
  check(wrong == 0, "%s: %lld of %lld are off", name.c_str(), (long long)wrong, (long long)exact.size());
}

// Statistics are of float: o's, sums of squares, divergences.
template <class T>
void check_floats(const std::string& name, Guarded<T>& got, const std::vector<double>& exact) {
  int64_t wrong = 0;
  for (size_t i = 0; i < exact.size(); i++)
    wrong += !(std::abs(double(got[int64_t(i)]) - exact[i]) <= 2e-5 * (1 + std::abs(exact[i])));
  check(wrong == 0, "%s: %lld of %lld are off", name.c_str(), (long long)wrong, (long long)exact.size());
}

void forward_and_backward(const Shape& z) {
  Random random(uint64_t(z.NH * 100 + z.HS));
  const std::vector<float> x = rounded(random.normals(z.N() * z.ld())),
                           dy = rounded(random.normals(z.N() * z.NH * z.HS));
  Queries queries = sample(z, 6, random);
  Plain<double> exact(z, x);
  const std::vector<float> o = rounded(exact.o), lse(exact.lse.begin(), exact.lse.end());
  std::vector<std::pair<float, Plain<double>>> forms; // of eps
  for (float eps : {0.f, 0.01f}) {
    forms.push_back({eps, exact});
    forms.back().second.backward(dy, &queries, double(eps), &o, &lse);
  }
  std::map<std::string, std::vector<uint16_t>> bits; // of who computes, by however many threads
  each_bf16_context([&](sk_context* ctx, const std::string& label) {
    const std::string name = "attention of bfloat16 " + z.name() + " " + label + " ";
    Guarded<uint16_t> in("qkv", narrow(x)), out("o", z.N() * z.NH * z.HS, 0x7fff);
    Guarded<float> l("lse", z.N() * z.NH);
    sk_attention a = z.arguments(elements(out), l, elements(in));
    check_ok(sk_attention_fwd(ctx, &a), "sk_attention_fwd");
    check_rounded(name + "o", out, exact.o, exact.o_terms);
    check_floats(name + "lse", l, exact.lse);
    std::vector<uint16_t> all = out.copy();
    for (auto& [eps, form] : forms) {
      Guarded<uint16_t> d("dqkv", z.N() * z.ld(), 0x7fff), dout("dout", narrow(dy)), oo("o", narrow(o));
      Guarded<float> ll("lse", lse);
      Guarded<double> sens("sens", z.S() * z.NH), kl("kl", queries.R() * int64_t(queries.heads.size()));
      const sk_attention_gradient g{.of = z.arguments(elements(oo), ll, elements(in)),
                                    .dqkv = elements(d),
                                    .dout = elements(dout),
                                    .sens = sens,
                                    .kl = kl,
                                    .queries = queries.arguments(),
                                    .eps = eps};
      check_ok(sk_attention_bwd(ctx, &g), "sk_attention_bwd");
      check_rounded(name + "dqkv", d, form.dqkv, form.dqkv_terms);
      check_floats(name + "sens", sens, form.sens);
      check_floats(name + "kl", kl, form.kl);
      for (int64_t i = 0; i < d.n; i++) all.push_back(d[i]);
    }
    auto& first = bits.try_emplace(std::string(sk_isa(ctx)) + sk_multiplier(ctx), all).first->second;
    check_same(name + "by any number of threads", all.data(), first.data(), int64_t(all.size()) * 2);
  });
  // In a window of one key A is 1, and dS 0, which nothing rounds.
  for (const std::string who : {"avx512vdpbf16", "avx512amx"})
    if (z.window != 1 && bits.count(who))
      check(bits[who] != bits["avx512sgemm"], "attention of bfloat16 %s: by pairs, and not by floats",
            z.name().c_str());
}

} // namespace

void attention_bf16_tests() {
  const std::vector<int> lengths = {1, 2, 3, 7, 63, 64, 65, 0, 127, 129};
  const int heads[][3] = {{1, 1, 1}, {2, 1, 7}, {4, 2, 8}, {6, 2, 16}, {3, 1, 33}, {2, 2, 64}};
  for (auto& h : heads) {
    const Shape z(h[0], h[1], h[2], lengths);
    forward_and_backward(z);
    for (int64_t window : {1, 2, 17, 64, 65}) forward_and_backward(z.with(window, 0.3f));
  }
  forward_and_backward(Shape(2, 1, 8, {601})); // cut into parts
}
