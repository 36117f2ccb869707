// Attention over full maps, as plain loops: what the kernels are compared with.
#ifndef SEEKR_ATTENTION_PLAIN_H
#define SEEKR_ATTENTION_PLAIN_H
#include "check.h"
#include <algorithm>
#include <cmath>
#include <cstdio>

namespace {

struct Shape {
  int64_t NH, NKV, HS;
  std::vector<int32_t> cu{0};
  int64_t window = 0;
  float scale;
  Shape(int64_t NH, int64_t NKV, int64_t HS, const std::vector<int>& lengths)
      : NH(NH), NKV(NKV), HS(HS), scale(float(1 / std::sqrt(double(HS)))) {
    for (int n : lengths) cu.push_back(cu.back() + n);
  }
  Shape with(int64_t new_window, float new_scale) const {
    Shape z = *this;
    z.window = new_window, z.scale = new_scale;
    return z;
  }
  int64_t S() const { return int64_t(cu.size()) - 1; }
  int64_t N() const { return cu.back(); }
  int64_t G() const { return NH / NKV; }
  int64_t ld() const { return (NH + 2 * NKV) * HS; }
  int64_t q(int64_t n, int64_t h) const { return n * ld() + h * HS; }
  int64_t k(int64_t n, int64_t h) const { return n * ld() + (NH + h / G()) * HS; }
  int64_t v(int64_t n, int64_t h) const { return k(n, h) + NKV * HS; }
  int64_t o(int64_t n, int64_t h) const { return (n * NH + h) * HS; }
  // Row t sees keys [first(t), t].
  int64_t first(int64_t t) const { return window ? std::max<int64_t>(0, t - window + 1) : 0; }
  std::string name() const {
    char text[100];
    std::snprintf(text, sizeof text, "(%d,%d,%d)x%d window %lld", int(NH), int(NKV), int(HS), int(S()),
                  static_cast<long long>(window));
    return text;
  }
  sk_attention arguments(float* o, float* lse, const float* qkv) const {
    return {.o = o,
            .lse = lse,
            .qkv = qkv,
            .cu_seqlens = cu.data(),
            .N = N(),
            .S = S(),
            .NH = NH,
            .NKV = NKV,
            .HS = HS,
            .window = window,
            .scale = scale};
  }
};

// Sampled queries, with owners of the memory that sk_queries points to.
struct Queries {
  std::vector<int32_t> heads, row_start{0}, pos;
  std::vector<int64_t> prefix;
  std::vector<float> weight, p;
  sk_queries arguments() {
    return {.H = int64_t(heads.size()),
            .heads = heads.data(),
            .row_start = row_start.data(),
            .pos = pos.data(),
            .prefix = prefix.data(),
            .weight = weight.data(),
            .p = p.data()};
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

// About one query in `every`, the ends of each sequence always; every second head and the last. Some
// probabilities are 0, as all outside the window are.
Queries sample(const Shape& z, int every, Random& random) {
  Queries x;
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
      const int64_t t = x.pos[i], first = z.first(t);
      double sum = 0;
      std::vector<double> e(t + 1);
      for (int64_t j = first; j <= t; j++)
        sum += e[j] = random.below(5) == 0 && t > first ? 0 : std::exp(random.normal());
      for (int64_t j = first; j <= t; j++) x.p[x.at(i, int64_t(k)) + j] = float(sum > 0 ? e[j] / sum : 0);
    }
  return x;
}

// In float or in double.
template <class R> struct Plain {
  const Shape& z;
  std::vector<R> qkv, o, lse, dqkv;
  std::vector<R> o_terms, dqkv_terms; // sums of the absolute terms of o and dqkv
  std::vector<double> sens, kl;
  std::vector<std::vector<R>> A; // of each [sequence, head]: [T, T]

  Plain(const Shape& z, const std::vector<float>& x) : z(z), qkv(x.begin(), x.end()) { forward(); }
  R scale() const { return R(z.scale); }
  R product(const std::vector<R>& x, int64_t i, const std::vector<R>& y, int64_t j) const {
    R sum = 0;
    for (int64_t c = 0; c < z.HS; c++) sum += x[i + c] * y[j + c];
    return sum;
  }
  R score(int64_t n, int64_t m, int64_t h) const { return scale() * product(qkv, z.q(n, h), qkv, z.k(m, h)); }
  static void add(std::vector<R>& sum, std::vector<R>& terms, int64_t i, R term) {
    sum[i] += term, terms[i] += std::abs(term);
  }
  void forward() {
    o.assign(z.N() * z.NH * z.HS, 0), lse.assign(z.N() * z.NH, 0);
    o_terms = o;
    A.resize(z.S() * z.NH);
    for (int64_t s = 0; s < z.S(); s++)
      for (int64_t h = 0; h < z.NH; h++) {
        int64_t b = z.cu[s], T = z.cu[s + 1] - b;
        auto& a = A[s * z.NH + h];
        a.assign(T * T, 0);
        for (int64_t t = 0; t < T; t++) {
          const int64_t first = z.first(t);
          R* row = &a[t * T];
          for (int64_t j = first; j <= t; j++) row[j] = score(b + t, b + j, h);
          R top = *std::max_element(row + first, row + t + 1), sum = 0;
          for (int64_t j = first; j <= t; j++) sum += std::exp(row[j] - top);
          R l = lse[(b + t) * z.NH + h] = top + std::log(sum);
          for (int64_t j = first; j <= t; j++) {
            row[j] = std::exp(row[j] - l);
            for (int64_t c = 0; c < z.HS; c++)
              add(o, o_terms, z.o(b + t, h) + c, row[j] * qkv[z.v(b + j, h) + c]);
          }
        }
      }
  }
  // exact: o and lse of the forward pass; otherwise those given.
  void backward(const std::vector<float>& dy, Queries* x, R eps, const std::vector<float>* o_given = nullptr,
                const std::vector<float>* lse_given = nullptr) {
    std::vector<R> dout(dy.begin(), dy.end()), out = o, l = lse;
    if (o_given) out.assign(o_given->begin(), o_given->end()), l.assign(lse_given->begin(), lse_given->end());
    dqkv.assign(z.N() * z.ld(), 0), dqkv_terms = dqkv, sens.assign(z.S() * z.NH, 0);
    if (x) kl.assign(x->R() * x->heads.size(), 0);
    for (int64_t s = 0; s < z.S(); s++)
      for (int64_t h = 0; h < z.NH; h++) {
        int64_t b = z.cu[s], T = z.cu[s + 1] - b, next = x ? x->row_start[s] : 0,
                index = x ? x->index(h) : -1;
        std::vector<R> S(T), a(T), ds(T);
        for (int64_t t = 0; t < T; t++) {
          const int64_t first = z.first(t);
          R D = product(dout, z.o(b + t, h), out, z.o(b + t, h));
          for (int64_t j = first; j <= t; j++) {
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
            for (int64_t j = first; j <= t; j++) {
              R logA = eps > 0 ? std::log(a[j] + eps) : S[j];
              if (p[j] != 0) sum += double(R(p[j]) * (std::log(R(p[j])) - logA));
              if (eps > 0) mean += a[j] * (R(p[j]) / (a[j] + eps));
            }
            for (int64_t j = first; j <= t; j++)
              ds[j] += eps > 0 ? w * a[j] * (mean - R(p[j]) / (a[j] + eps)) : w * (a[j] - R(p[j]));
            kl[next * x->heads.size() + index] = sum;
          }
          if (x && next < x->row_start[s + 1] && x->pos[next] == t) next++;
          for (int64_t j = first; j <= t; j++)
            for (int64_t c = 0; c < z.HS; c++) {
              add(dqkv, dqkv_terms, z.q(b + t, h) + c, scale() * ds[j] * qkv[z.k(b + j, h) + c]);
              add(dqkv, dqkv_terms, z.k(b + j, h) + c, scale() * ds[j] * qkv[z.q(b + t, h) + c]);
              add(dqkv, dqkv_terms, z.v(b + j, h) + c, a[j] * dout[z.o(b + t, h) + c]);
            }
        }
      }
  }
};

} // namespace

#endif
