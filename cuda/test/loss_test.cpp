// loss against its formulas in double, for every element type, teacher and mode.
#include "types.h"

namespace {

// lse of n logits
static double log_sum(const std::vector<double>& x) {
  double top = -INFINITY, sum = 0;
  for (double v : x) top = std::fmax(top, v);
  for (double v : x) sum += std::exp(v - top);
  return top + std::log(sum);
}

// What one row yields.
struct Row {
  double nll = 0, distill = 0;
  std::vector<double> gradient;

  // t: null where nothing is distilled
  Row(const std::vector<double>& z, int32_t y, const std::vector<double>* t, int mode, double w_nll,
      double w_distill)
      : gradient(z.size(), 0) {
    const double lse = log_sum(z), teacher_lse = t ? log_sum(*t) : 0, V = double(z.size());
    if (y >= 0) nll = lse - z[size_t(y)];
    for (size_t v = 0; v < z.size(); v++) {
      const double q = std::exp(z[v] - lse);
      if (y >= 0) gradient[v] += w_nll * (q - (int32_t(v) == y));
      if (!t) continue;
      const double log_p = (*t)[v] - teacher_lse, p = std::exp(log_p);
      if (mode == 2) distill += (z[v] - (*t)[v]) * (z[v] - (*t)[v]) / V;
      else if (p > 0) distill += p * ((mode == 0 ? log_p : 0) - (z[v] - lse));
      gradient[v] += w_distill * (mode == 2 ? 2 * (z[v] - (*t)[v]) / V : q - p);
    }
  }
};

// Rows with a target, a teacher, both and neither; teacher: 0 none, 1 float, 2 half.
template <class T>
static void one(sk_context* ctx, const std::string& type, int64_t V, int teacher, int mode, float size) {
  Random random{uint64_t(V * 7 + mode)};
  const std::vector<int32_t> target{0, -1, int32_t(V - 1), int32_t(V / 2), -1},
      teacher_row{2, 0, -1, 0, teacher ? -1 : -5};
  const int64_t R = 5;
  const Array<T> logits(random, R * V, size);
  const Array<float> w_nll(random, R), w_distill(random, R);
  std::vector<float> raw = random.normals(3 * V, size);
  if (mode != 2 && V > 2) raw[1] = raw[size_t(2 * V)] = -INFINITY; // p = 0
  const Array<float> floats(raw);
  const Array<sk::f16> halves(narrowed<sk::f16>(raw));
  const std::string name = type + "V " + std::to_string(V) + " teacher " + std::to_string(teacher) +
                           " mode " + std::to_string(mode) + " size " + std::to_string(int(size));

  std::vector<double> nll, distill, gradient;
  for (int64_t r = 0; r < R; r++) {
    std::vector<double> z, t;
    for (int64_t v = 0; v < V; v++) z.push_back(logits[r * V + v]);
    const int64_t from = teacher ? teacher_row[size_t(r)] : -1;
    for (int64_t v = 0; from >= 0 && v < V; v++)
      t.push_back(teacher == 1 ? floats[from * V + v] : halves[from * V + v]);
    const Row row(z, target[size_t(r)], from >= 0 ? &t : nullptr, mode, w_nll[r], w_distill[r]);
    nll.push_back(row.nll), distill.push_back(row.distill);
    gradient.insert(gradient.end(), row.gradient.begin(), row.gradient.end());
  }
  for (int grad : {0, 1}) {
    std::vector<double> got_nll(size_t(R), NAN), got_distill(size_t(R), NAN);
    const sk_loss_rows a{got_nll.data(),
                         got_distill.data(),
                         logits.f(),
                         target.data(),
                         w_nll.f(),
                         teacher == 1   ? static_cast<const void*>(floats.f())
                         : teacher == 2 ? static_cast<const void*>(halves.f())
                                        : nullptr,
                         teacher ? teacher_row.data() : nullptr,
                         w_distill.f(),
                         R,
                         V,
                         teacher == 2,
                         mode,
                         grad};
    check_done(sk_loss(ctx, &a), "loss");
    check_close(name + " nll", got_nll.data(), nll.data(), R, 1e-6);
    check_close(name + " distill", got_distill.data(), distill.data(), R, 1e-6);
    if (!grad) check_same(name + " logits", logits.get().data(), logits.was.data(), R * V * 4);
  }
  check_near(name + " gradient", logits, gradient);
}

} // namespace

void loss_tests() {
  each_type([](auto element, sk_context* ctx, const std::string& type) {
    using T = decltype(element);
    for (int64_t V : {1, 3, 255, 257, 1000, 2312})
      for (int teacher : {0, 1, 2})
        for (int mode : {0, 1, 2}) one<T>(ctx, type, V, teacher, mode, 1);
    one<T>(ctx, type, 300, 1, 0, 30);
    one<T>(ctx, type, 300, 2, 1, 30);
    const sk_loss_rows none{nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
                            nullptr, 0,       3,       0,       0,       1};
    check_error(sk_loss(ctx, &none), "nll is null");
  });
}
