// Attention probabilities that are handed out (attention_capture) or compared (attention_diff), in every
// type, against double.
#include "queries.h"
#include "types.h"
#include <cmath>
#include <string>

namespace {

// A model's activations, and what follows from them: A [NH][N], each a causal row; lse [N,NH].
template <class T> struct Model {
  std::vector<T> qkv;
  std::vector<float> lse;
  std::vector<std::vector<double>> A;

  Model(const Shape& a, Random& random) : lse(size_t(a.N() * a.NH)) {
    for (float x : random.normals(a.N() * a.row())) qkv.push_back(sk::from_float<T>(x));
    for (int64_t h = 0; h < a.NH; h++)
      for (int64_t s = 0; s < a.S(); s++)
        for (int64_t n = a.cu[s]; n < a.cu[s + 1]; n++) {
          std::vector<double> row;
          double sum = 0;
          row.assign(size_t(a.first(n - a.cu[s])), 0);
          for (int64_t j = a.cu[s] + int64_t(row.size()); j <= n; j++) {
            const int64_t kv = h / (a.NH / a.NKV);
            const T *q = &qkv[size_t(n * a.row() + h * a.HS)],
                    *k = &qkv[size_t(j * a.row() + (a.NH + kv) * a.HS)];
            double score = 0;
            for (int64_t i = 0; i < a.HS; i++)
              score += double(sk::to_float(q[i])) * double(sk::to_float(k[i]));
            row.push_back(std::exp(score * double(a.scale))), sum += row.back();
          }
          for (double& x : row) x /= sum;
          lse[size_t(n * a.NH + h)] = float(std::log(sum));
          A.push_back(row);
        }
  }
};

template <class T> static void one(int element, const char* type, const Shape& a) {
  Context ctx(element);
  Random random{uint64_t(a.N() * 137 + a.HS)};
  const Model<T> x(a, random), y(a, random);
  const Sampled q(a, random);
  const OnDevice<T> qkv(x.qkv), qkv2(y.qkv);
  const OnDevice<float> lse(x.lse), lse2(y.lse), weight(q.weight), p(q.p.size());
  const std::string name = std::string(type) + " " + a.name();
  const sk_attention of = a.of(nullptr, lse.f(), qkv.f());
  const sk_queries queries = q.on(weight, p);

  const sk_attention_rows capture{of, queries};
  check_done(sk_attention_capture(ctx, &capture), "attention_capture");
  std::vector<double> captured;
  for (int64_t n : q.token)
    for (int32_t h : q.heads)
      captured.insert(captured.end(), x.A[size_t(h * a.N() + n)].begin(), x.A[size_t(h * a.N() + n)].end());
  check_close(name + "captured", p.get().data(), captured.data(), nullptr, int64_t(captured.size()), 1e-6);

  auto difference = [&](int64_t h, int64_t n) {
    double sum = 0;
    const std::vector<double>&A = x.A[size_t(h * a.N() + n)], &B = y.A[size_t(h * a.N() + n)];
    for (size_t j = 0; j < A.size(); j++) sum += (A[j] - B[j]) * (A[j] - B[j]);
    return sum;
  };
  std::vector<double> all(size_t(a.S() * a.NH), 0), sampled(all), got(all.size(), NAN);
  for (int64_t s = 0; s < a.S(); s++)
    for (int64_t h = 0; h < a.NH; h++) {
      for (int64_t n = a.cu[s]; n < a.cu[s + 1]; n++) all[size_t(s * a.NH + h)] += difference(h, n);
      for (int32_t i = q.start[s]; i < q.start[s + 1]; i++)
        sampled[size_t(s * a.NH + h)] += double(q.weight[i]) * difference(h, q.token[i]);
    }
  auto diff = [&](const char* what, const sk_queries& named, const std::vector<double>& want) {
    got.assign(got.size(), NAN);
    const sk_attention_change change{got.data(), of, qkv2.f(), lse2.f(), named};
    check_done(sk_attention_diff(ctx, &change), "attention_diff");
    check_close(name + what, got.data(), want.data(), int64_t(got.size()), 1e-5);
  };
  diff("difference", {}, all);
  diff("difference of sampled queries", queries, sampled);
}

static void every(const Shape& a) {
  one<float>(0, "f32", a);
  one<sk::bf16>(1, "bf16", a);
  one<sk::f16>(2, "f16", a);
}

// NaN in keys that the only query's window has left, and all tiles of it, changes nothing: they are not read.
template <class T> static void unseen(int element, const char* type) {
  const int32_t N = 190, begin = 150, poison = 89, last = N - 1, start[] = {0, 1}, head = 0;
  const Shape a{{0, N}, 1, 1, 16, N - begin};
  const int64_t prefix = 0;
  Random random{9};
  Model<T> x(a, random), y(a, random);
  std::vector<float> stored(size_t(N), 0);
  for (int32_t j = begin; j < N; j++) stored[size_t(j)] = 1.0f / float(a.window);
  const OnDevice<float> lse(x.lse), lse2(y.lse), weight(std::vector<float>{1}), P(stored),
      captured(stored.size());
  const OnDevice<T> dout(std::vector<T>(size_t(N * a.HS), sk::from_float<T>(0))), o(dout.get()),
      dqkv(x.qkv.size());
  struct {
    std::vector<float> p, dq;
    double diff, kl;
  } seen[2];
  for (bool poisoned : {false, true}) {
    for (int64_t j = 0; poisoned && j < poison; j++)
      for (int64_t i = a.HS; i < 2 * a.HS; i++)
        x.qkv[size_t(j * a.row() + i)] = y.qkv[size_t(j * a.row() + i)] = sk::from_float<T>(NAN);
    const OnDevice<T> qkv(x.qkv), qkv2(y.qkv);
    Context ctx(element);
    auto& now = seen[poisoned];
    const sk_attention of = a.of(o.f(), lse.f(), qkv.f());
    sk_queries queries{1, &head, start, &last, &prefix, weight.f(), captured.f()};
    const sk_attention_rows capture{of, queries};
    check_done(sk_attention_capture(ctx, &capture), "attention_capture");
    const sk_attention_change change{&now.diff, of, qkv2.f(), lse2.f(), queries};
    check_done(sk_attention_diff(ctx, &change), "attention_diff");
    queries.p = P.f();
    const sk_attention_gradient gradient{of, dqkv.f(), dout.f(), nullptr, &now.kl, queries, 1e-3f};
    check_done(sk_attention_bwd(ctx, &gradient), "attention_bwd");
    now.p = captured.get();
    const std::vector<T> all = dqkv.get();
    for (int64_t i = 0; i < a.HS; i++) now.dq.push_back(sk::to_float(all[size_t(last * a.row() + i)]));
  }
  const std::string name = std::string(type) + " with NaN in keys that are not seen: ";
  check(seen[1].p[begin - 1] == 0 && seen[1].p[begin] > 0 && seen[0].dq[0] != 0, "%s something",
        name.c_str());
  check_same(name + "captured", seen[1].p.data(), seen[0].p.data(), N * 4);
  check_same(name + "dq", seen[1].dq.data(), seen[0].dq.data(), a.HS * 4);
  check(seen[1].diff == seen[0].diff, "%sdifference %g, not %g", name.c_str(), seen[1].diff, seen[0].diff);
  check(seen[1].kl == seen[0].kl, "%skl %g, not %g", name.c_str(), seen[1].kl, seen[0].kl);
}

// As in attention_test.cpp.
static void skipped() {
  Random random{5};
  Counted all[2];
  for (int64_t window : {0, 1}) {
    const Shape a{{0, 512}, 1, 1, 16, window};
    const Model<sk::bf16> x(a, random);
    const OnDevice<sk::bf16> qkv(x.qkv);
    const OnDevice<float> lse(x.lse);
    double diff = NAN;
    const sk_attention_change change{&diff, a.of(nullptr, lse.f(), qkv.f()), qkv.f(), lse.f(), {}};
    Context ctx(1);
    counted();
    check_done(sk_attention_diff(ctx, &change), "attention_diff");
    check(diff == 0, "a model differs from itself by %g", diff);
    all[window] = counted();
  }
  check(all[1].products * 20 == all[0].products * 8, "difference makes %llu products in a window, of %llu",
        (unsigned long long)all[1].products, (unsigned long long)all[0].products);
}

} // namespace

void attention_queries_tests() {
  // Among them: query heads that share a key head, an empty sequence, tiles of one key, heads that cannot be
  // copied by 16 bytes.
  const Shape shapes[] = {{{0, 1}, 1, 1, 16},
                          {{0, 7, 7, 72}, 4, 2, 16},
                          {{0, 3, 70}, 3, 1, 10},
                          {{0, 193}, 1, 1, 48},
                          {{0, 65}, 2, 2, 128}};
  for (const Shape& a : shapes) every(a);
  for (int64_t window : {1, 3, 31, 32, 33, 63, 64, 65, 127, 128, 129, 1000})
    every({{0, 4, 150}, 4, 2, 20, window, 0.3f});
  for (float scale : {0.0f, 1.0f}) every({{0, 3, 70}, 2, 1, 16, 33, scale});
  unseen<float>(0, "f32");
  unseen<sk::bf16>(1, "bf16");
  unseen<sk::f16>(2, "f16");
  if (emulated()) skipped();
}
