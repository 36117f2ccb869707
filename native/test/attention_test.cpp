// Attention against full maps: forward, backward with its taps, capture, diff, decode.
#include "check.h"
#include <algorithm>
#include <cmath>
#include <functional>
#include <tuple>

namespace {

struct Shape {
  int64_t NH, NKV, HS;
  std::vector<int32_t> cu{0};
  Shape(int64_t NH, int64_t NKV, int64_t HS, const std::vector<int>& lengths) : NH(NH), NKV(NKV), HS(HS) {
    for (int n : lengths) cu.push_back(cu.back() + n);
  }
  int64_t S() const { return int64_t(cu.size()) - 1; }
  int64_t N() const { return cu.back(); }
  int64_t G() const { return NH / NKV; }
  int64_t ld() const { return (NH + 2 * NKV) * HS; }
  int64_t q(int64_t n, int64_t h) const { return n * ld() + h * HS; }
  int64_t k(int64_t n, int64_t h) const { return n * ld() + (NH + h / G()) * HS; }
  int64_t v(int64_t n, int64_t h) const { return k(n, h) + NKV * HS; }
  int64_t o(int64_t n, int64_t h) const { return (n * NH + h) * HS; }
  std::string name() const {
    return "(" + std::to_string(NH) + "," + std::to_string(NKV) + "," + std::to_string(HS) + ")x" +
           std::to_string(S());
  }
};

// Sampled rows, with owners of the memory that sk_rows points to.
struct Sampled {
  std::vector<int32_t> heads, row_start{0}, pos;
  std::vector<int64_t> prefix;
  std::vector<float> weight, p;
  sk_rows rows() {
    return {int64_t(heads.size()), heads.data(),  row_start.data(), pos.data(),
            prefix.data(),         weight.data(), p.data()};
  }
  int64_t R() const { return int64_t(pos.size()); }
  int64_t index(int64_t h) const {
    auto found = std::find(heads.begin(), heads.end(), h);
    return found == heads.end() ? -1 : found - heads.begin();
  }
  int64_t at(int64_t i, int64_t index) const {
    return int64_t(heads.size()) * prefix[i] + index * (pos[i] + 1);
  }
};

// About one row in `every`, the ends of each sequence always; every second head and the last. Some
// probabilities are 0.
Sampled sample(const Shape& z, int every, Random& random) {
  Sampled x;
  for (int64_t h = 0; h < z.NH; h++)
    if (h % 2 == 1 || h == z.NH - 1) x.heads.push_back(int32_t(h));
  int64_t total = 0;
  for (int64_t s = 0; s < z.S(); s++) {
    int32_t T = z.cu[s + 1] - z.cu[s];
    for (int32_t t = 0; t < T; t++)
      if (t == 0 || t == T - 1 || random.below(every) == 0) {
        x.pos.push_back(t);
        x.prefix.push_back(total);
        x.weight.push_back(float(random.below(4)) * 0.75f);
        total += t + 1;
      }
    x.row_start.push_back(int32_t(x.pos.size()));
  }
  x.p.resize(total * x.heads.size());
  for (int64_t i = 0; i < x.R(); i++)
    for (size_t k = 0; k < x.heads.size(); k++) {
      double sum = 0;
      std::vector<double> e(x.pos[i] + 1);
      for (double& y : e) sum += y = random.below(5) == 0 && e.size() > 1 ? 0 : std::exp(random.normal());
      for (size_t j = 0; j < e.size(); j++) x.p[x.at(i, int64_t(k)) + j] = float(sum > 0 ? e[j] / sum : 0);
    }
  return x;
}

// Plain attention over full maps, in float or in double.
template <class R> struct Plain {
  const Shape& z;
  std::vector<R> qkv, o, lse, dqkv;
  std::vector<double> sens, kl;
  std::vector<std::vector<R>> A; // of each [sequence, head]: [T, T]

  Plain(const Shape& z, const std::vector<float>& x) : z(z), qkv(x.begin(), x.end()) { forward(); }
  R scale() const { return R(1) / std::sqrt(R(z.HS)); }
  R product(const std::vector<R>& x, int64_t i, const std::vector<R>& y, int64_t j) const {
    R sum = 0;
    for (int64_t c = 0; c < z.HS; c++) sum += x[i + c] * y[j + c];
    return sum;
  }
  R score(int64_t n, int64_t m, int64_t h) const { return scale() * product(qkv, z.q(n, h), qkv, z.k(m, h)); }
  void forward() {
    o.assign(z.N() * z.NH * z.HS, 0), lse.assign(z.N() * z.NH, 0);
    A.resize(z.S() * z.NH);
    for (int64_t s = 0; s < z.S(); s++)
      for (int64_t h = 0; h < z.NH; h++) {
        int64_t b = z.cu[s], T = z.cu[s + 1] - b;
        auto& a = A[s * z.NH + h];
        a.assign(T * T, 0);
        for (int64_t t = 0; t < T; t++) {
          R* row = &a[t * T];
          for (int64_t j = 0; j <= t; j++) row[j] = score(b + t, b + j, h);
          R top = *std::max_element(row, row + t + 1), sum = 0;
          for (int64_t j = 0; j <= t; j++) sum += std::exp(row[j] - top);
          R l = lse[(b + t) * z.NH + h] = top + std::log(sum);
          for (int64_t j = 0; j <= t; j++) {
            row[j] = std::exp(row[j] - l);
            for (int64_t c = 0; c < z.HS; c++) o[z.o(b + t, h) + c] += row[j] * qkv[z.v(b + j, h) + c];
          }
        }
      }
  }
  // exact: o and lse of the forward pass; otherwise those given.
  void backward(const std::vector<float>& dy, Sampled* x, R eps, const std::vector<float>* o_given = nullptr,
                const std::vector<float>* lse_given = nullptr) {
    std::vector<R> dout(dy.begin(), dy.end()), out = o, l = lse;
    if (o_given) out.assign(o_given->begin(), o_given->end()), l.assign(lse_given->begin(), lse_given->end());
    dqkv.assign(z.N() * z.ld(), 0), sens.assign(z.S() * z.NH, 0);
    if (x) kl.assign(x->R() * x->heads.size(), 0);
    for (int64_t s = 0; s < z.S(); s++)
      for (int64_t h = 0; h < z.NH; h++) {
        int64_t b = z.cu[s], T = z.cu[s + 1] - b, next = x ? x->row_start[s] : 0,
                index = x ? x->index(h) : -1;
        std::vector<R> S(T), a(T), ds(T);
        for (int64_t t = 0; t < T; t++) {
          R D = product(dout, z.o(b + t, h), out, z.o(b + t, h));
          for (int64_t j = 0; j <= t; j++) {
            S[j] = score(b + t, b + j, h) - l[(b + t) * z.NH + h];
            a[j] = std::exp(S[j]);
            R da = product(dout, z.o(b + t, h), qkv, z.v(b + j, h));
            sens[s * z.NH + h] += double(da) * double(da);
            ds[j] = a[j] * (da - D);
          }
          if (index >= 0 && next < x->row_start[s + 1] && x->pos[next] == t) {
            const float* p = &x->p[x->at(next, index)];
            double sum = 0;
            R w = R(x->weight[next]), mean = 0;
            for (int64_t j = 0; j <= t; j++) {
              R logA = eps > 0 ? std::log(a[j] + eps) : S[j];
              if (p[j] != 0) sum += double(R(p[j]) * (std::log(R(p[j])) - logA));
              if (eps > 0) mean += a[j] * (R(p[j]) / (a[j] + eps));
            }
            for (int64_t j = 0; j <= t; j++)
              ds[j] += eps > 0 ? w * a[j] * (mean - R(p[j]) / (a[j] + eps)) : w * (a[j] - R(p[j]));
            kl[next * x->heads.size() + index] = sum;
          }
          if (x && next < x->row_start[s + 1] && x->pos[next] == t) next++;
          for (int64_t j = 0; j <= t; j++)
            for (int64_t c = 0; c < z.HS; c++) {
              dqkv[z.q(b + t, h) + c] += scale() * ds[j] * qkv[z.k(b + j, h) + c];
              dqkv[z.k(b + j, h) + c] += scale() * ds[j] * qkv[z.q(b + t, h) + c];
              dqkv[z.v(b + j, h) + c] += a[j] * dout[z.o(b + t, h) + c];
            }
        }
      }
  }
};

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
  all.emplace_back(2, 1, 32, std::vector<int>{601}); // one long sequence: cut into parts
  all.emplace_back(2, 2, 40, std::vector<int>{385});
  return all;
}

// The double reference itself: its gradient against differences of  sum o . dout + sum weight KL.
void reference_gradient(double eps) {
  Random random(7);
  Shape z(2, 1, 3, {5, 1, 4});
  std::vector<float> x = random.normals(z.N() * z.ld()), dy = random.normals(z.N() * z.NH * z.HS);
  Sampled rows = sample(z, 2, random);
  auto loss = [&](const std::vector<double>& at) {
    Plain<double> p(z, x);
    p.qkv = at;
    p.forward();
    p.backward(dy, &rows, eps);
    double sum = 0;
    for (size_t i = 0; i < dy.size(); i++) sum += p.o[i] * double(dy[i]);
    for (int64_t i = 0; i < rows.R(); i++)
      for (size_t k = 0; k < rows.heads.size(); k++)
        sum += double(rows.weight[i]) * p.kl[i * rows.heads.size() + k];
    return sum;
  };
  Plain<double> p(z, x);
  p.backward(dy, &rows, eps);
  double worst = 0;
  for (size_t i = 0; i < x.size(); i++) {
    std::vector<double> up = p.qkv, down = p.qkv;
    up[i] += 1e-5, down[i] -= 1e-5;
    double error = std::abs((loss(up) - loss(down)) / 2e-5 - p.dqkv[i]);
    worst = error <= worst ? worst : error; // keeps NaN
  }
  // The rows of P do not sum to 1 exactly, being floats; the eps == 0 form takes it that they do.
  check(worst < 1e-6, "attention reference, eps %g: gradient and differences disagree by %g", eps, worst);
}

void forward_and_backward(const Shape& z, float spread) {
  Random random(z.NH * 100 + z.HS);
  std::vector<float> x = random.normals(z.N() * z.ld(), spread), dy = random.normals(z.N() * z.NH * z.HS);
  Sampled sampled = sample(z, 6, random);
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
    forms.back().exact.backward(dy, distilled ? &sampled : nullptr, double(eps), &o, &lse);
    forms.back().plain.backward(dy, distilled ? &sampled : nullptr, eps, &o, &lse);
  }

  each_context([&](sk_context* ctx, const std::string& label) {
    std::string name = "attention " + z.name() + " " + label + " ";
    {
      Guarded<float> in("qkv", x), out("o", z.N() * z.NH * z.HS), l("lse", z.N() * z.NH);
      check_ok(sk_attention_fwd(ctx, out, l, in, z.cu.data(), z.S(), z.NH, z.NKV, z.HS), "sk_attention_fwd");
      check_close(name + "o", out, exact.o.data(), plain.o.data(), out.n);
      check_close(name + "lse", l, exact.lse.data(), plain.lse.data(), l.n);
    }
    for (Form& f : forms) {
      Guarded<float> in("qkv", x), d("dqkv", z.N() * z.ld()), dout("dout", dy), oo("o", o), l("lse", lse);
      Guarded<double> sens("sens", z.S() * z.NH), kl("kl", sampled.R() * int64_t(sampled.heads.size()));
      sk_rows rows = sampled.rows();
      bool with_sens = f.distilled;
      check_ok(sk_attention_bwd(ctx, d, with_sens ? sens.data() : nullptr, f.distilled ? kl.data() : nullptr,
                                dout, in, oo, l, z.cu.data(), z.S(), z.NH, z.NKV, z.HS,
                                f.distilled ? &rows : nullptr, f.eps),
               "sk_attention_bwd");
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
  Sampled sampled = sample(z, 5, random);
  sk_rows rows = sampled.rows();
  std::vector<float> o(z.N() * z.NH * z.HS), lse(z.N() * z.NH), o2 = o, lse2 = lse, d(z.N() * z.ld());
  std::vector<double> sens(z.S() * z.NH), kl(sampled.R() * sampled.heads.size()), diff(z.S() * z.NH);
  auto keep = [&](const auto& v) {
    const float* begin = reinterpret_cast<const float*>(v.data());
    bits.insert(bits.end(), begin, begin + v.size() * sizeof v[0] / sizeof(float));
  };
  sk_attention_fwd(ctx, o.data(), lse.data(), x.data(), z.cu.data(), z.S(), z.NH, z.NKV, z.HS);
  sk_attention_fwd(ctx, o2.data(), lse2.data(), x2.data(), z.cu.data(), z.S(), z.NH, z.NKV, z.HS);
  keep(o), keep(lse);
  for (float eps : {0.f, 1e-8f}) {
    sk_attention_bwd(ctx, d.data(), sens.data(), kl.data(), dy.data(), x.data(), o.data(), lse.data(),
                     z.cu.data(), z.S(), z.NH, z.NKV, z.HS, &rows, eps);
    keep(d), keep(sens), keep(kl);
  }
  for (const sk_rows* r : {(const sk_rows*)nullptr, (const sk_rows*)&rows}) {
    sk_attention_diff(ctx, diff.data(), x.data(), lse.data(), x2.data(), lse2.data(), z.cu.data(), z.S(),
                      z.NH, z.NKV, z.HS, r);
    keep(diff);
  }
  sk_attention_capture(ctx, &rows, x.data(), lse.data(), z.cu.data(), z.S(), z.NH, z.NKV, z.HS);
  keep(sampled.p);
  return bits;
}

void capture_and_diff(const Shape& z) {
  Random random(z.HS);
  std::vector<float> x = random.normals(z.N() * z.ld()), x2 = x;
  for (float& y : x2) y += 0.1f * random.normal();
  Sampled sampled = sample(z, 4, random);
  Plain<double> one(z, x), two(z, x2);
  Plain<float> plain(z, x), plain2(z, x2);
  std::vector<float> lse = rounded(one.lse), lse2 = rounded(two.lse), p_plain(sampled.p.size());
  std::vector<double> p(sampled.p.size()), all(z.S() * z.NH), some = all, all_plain = all, some_plain = all;
  for (int64_t s = 0; s < z.S(); s++)
    for (int64_t h = 0; h < z.NH; h++) {
      int64_t b = z.cu[s], T = z.cu[s + 1] - b, m = s * z.NH + h;
      int64_t index = sampled.index(h), next = sampled.row_start[s];
      for (int64_t t = 0; t < T; t++) {
        double sum = 0, sum_plain = 0;
        std::vector<float> A(t + 1); // plain, from the lse that the kernels get
        for (int64_t j = 0; j <= t; j++) {
          A[j] = std::exp(plain.score(b + t, b + j, h) - lse[(b + t) * z.NH + h]);
          double d = one.A[m][t * T + j] - two.A[m][t * T + j];
          float d_plain = A[j] - std::exp(plain2.score(b + t, b + j, h) - lse2[(b + t) * z.NH + h]);
          sum += d * d, sum_plain += double(d_plain * d_plain);
        }
        all[m] += sum, all_plain[m] += sum_plain;
        if (next == sampled.row_start[s + 1] || sampled.pos[next] != t) continue;
        some[m] += double(sampled.weight[next]) * sum,
            some_plain[m] += double(sampled.weight[next]) * sum_plain;
        for (int64_t j = 0; index >= 0 && j <= t; j++) {
          p[sampled.at(next, index) + j] = one.A[m][t * T + j];
          p_plain[sampled.at(next, index) + j] = A[j];
        }
        next++;
      }
    }
  each_context([&](sk_context* ctx, const std::string& label) {
    std::string name = "attention " + z.name() + " " + label + " ";
    Guarded<float> in("qkv", x), in2("qkv2", x2), l("lse", lse), l2("lse2", lse2),
        out("p", int64_t(p.size()));
    sk_rows rows = sampled.rows();
    rows.p = out;
    check_ok(sk_attention_capture(ctx, &rows, in, l, z.cu.data(), z.S(), z.NH, z.NKV, z.HS),
             "sk_attention_capture");
    check_close(name + "capture", out, p.data(), p_plain.data(), out.n);
    Guarded<double> diff("diff", z.S() * z.NH), diff_rows("diff", z.S() * z.NH);
    check_ok(sk_attention_diff(ctx, diff, in, l, in2, l2, z.cu.data(), z.S(), z.NH, z.NKV, z.HS, nullptr),
             "sk_attention_diff");
    check_ok(sk_attention_diff(ctx, diff_rows, in, l, in2, l2, z.cu.data(), z.S(), z.NH, z.NKV, z.HS, &rows),
             "sk_attention_diff");
    check_double(name + "diff", diff, all, all_plain);
    check_double(name + "diff of rows", diff_rows, some, some_plain);
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
    check_ok(sk_attention_decode(ctx, out, kc, vc, in, lengths.data(), B, T, z.NH, z.NKV, z.HS),
             "sk_attention_decode");
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
      check_ok(
          sk_attention_decode(ctx, o1, kg, vg, in + b * z.ld(), &lengths[b], 1, length, z.NH, z.NKV, z.HS),
          "sk_attention_decode");
      check_same(name + " alone", o1, out + b * row, row * 4);
    }
  });
}

// What lies after a row, and in other sequences, leaves no trace in it: not even when it is NaN.
void causality() {
  Shape z(2, 1, 16, {70, 130, 65});
  Random random(11);
  std::vector<float> x = random.normals(z.N() * z.ld()), poisoned = x;
  const int64_t t = 80, n = z.cu[1] + t; // rows of sequence 1 after t, and all of sequence 2
  for (int64_t i = (n + 1) * z.ld(); i < z.N() * z.ld(); i++) poisoned[i] = std::nanf("");
  each_context([&](sk_context* ctx, const std::string& label) {
    std::vector<float> o(z.N() * z.NH * z.HS), l(z.N() * z.NH), o2 = o, l2 = l;
    check_ok(sk_attention_fwd(ctx, o.data(), l.data(), x.data(), z.cu.data(), z.S(), z.NH, z.NKV, z.HS),
             "sk_attention_fwd");
    check_ok(
        sk_attention_fwd(ctx, o2.data(), l2.data(), poisoned.data(), z.cu.data(), z.S(), z.NH, z.NKV, z.HS),
        "sk_attention_fwd");
    check_same("attention causality of lse " + label, l.data(), l2.data(), (n + 1) * z.NH * 4);
    // 0 * NaN is NaN, so of o only rows whose tiles hold no later key can be compared.
    check_same("attention causality of o " + label, o.data(), o2.data(), (z.cu[1] + 64) * z.NH * z.HS * 4);
  });
}

// Scores near +-1e4: nothing overflows, and rows are next to one-hot.
void large_scores() {
  Shape z(2, 1, 16, {1, 67, 130});
  forward_and_backward(z, 60); // |S| up to 60^2 * 16 / 4 and more
  decode(z, 60);
}

// No sequences, only empty ones, no sampled rows, no selected heads.
void nothing() {
  Random random(13);
  Shape z(2, 1, 8, {0, 3, 0}), empty(2, 1, 8, {0, 0}), none(2, 1, 8, {});
  Sampled rows = sample(z, 1, random), no_rows = sample(empty, 1, random), no_heads = rows;
  no_heads.heads.clear();
  no_rows.row_start = {0, 0, 0, 0};
  std::vector<float> x = random.normals(z.N() * z.ld()), dy = random.normals(z.N() * z.NH * z.HS);
  each_context([&](sk_context* ctx, const std::string& label) {
    std::vector<float> o(z.N() * z.NH * z.HS), l(z.N() * z.NH), d(z.N() * z.ld()), d2 = d, d3 = d;
    for (const Shape* e : {&empty, &none}) {
      double sens[4] = {1, 1, 1, 1};
      check_ok(sk_attention_fwd(ctx, o.data(), l.data(), x.data(), e->cu.data(), e->S(), 2, 1, 8),
               "sk_attention_fwd");
      check_ok(sk_attention_bwd(ctx, d.data(), sens, nullptr, dy.data(), x.data(), o.data(), l.data(),
                                e->cu.data(), e->S(), 2, 1, 8, nullptr, 0),
               "sk_attention_bwd");
      for (int i = 0; i < 4; i++)
        check(sens[i] == (i < e->S() * 2 ? 0 : 1), "attention of nothing %s: sens[%d]", label.c_str(), i);
    }
    check_ok(sk_attention_fwd(ctx, o.data(), l.data(), x.data(), z.cu.data(), 3, 2, 1, 8),
             "sk_attention_fwd");
    sk_rows a = no_rows.rows(), b = no_heads.rows();
    double kl = 5;
    auto backward = [&](std::vector<float>& out, const sk_rows* r) {
      check_ok(sk_attention_bwd(ctx, out.data(), nullptr, r ? &kl : nullptr, dy.data(), x.data(), o.data(),
                                l.data(), z.cu.data(), 3, 2, 1, 8, r, 0),
               "sk_attention_bwd");
    };
    backward(d, nullptr), backward(d2, &a), backward(d3, &b);
    check_same("attention without rows " + label, d.data(), d2.data(), int64_t(d.size()) * 4);
    check_same("attention without heads " + label, d.data(), d3.data(), int64_t(d.size()) * 4);
    check_ok(sk_attention_capture(ctx, &b, x.data(), l.data(), z.cu.data(), 3, 2, 1, 8),
             "sk_attention_capture");
    check(kl == 5, "attention without rows %s: kl is not written", label.c_str());
  });
}

} // namespace

// Sanitizers look for wrong addresses, which the smaller shapes reach too, at a tenth of the speed.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool SANITIZED = true;
#else
constexpr bool SANITIZED = false;
#endif

void attention_tests() {
  reference_gradient(0);
  reference_gradient(1e-8);
  reference_gradient(0.05);
  for (const Shape& z : shapes()) {
    if (SANITIZED && z.NH * z.HS > 128) continue;
    forward_and_backward(z, 1);
    capture_and_diff(z);
    decode(z, 1);
    if (z.NH * z.HS <= 128) // for the sake of time
      check_deterministic("attention " + z.name(), [&](sk_context* ctx) { return all_outputs(ctx, z); });
  }
  nothing();
  causality();
  large_scores();
}
