// loss: all combinations of label, teacher, mode and gradient, in one batch of rows.
#include "check.h"
#include <cmath>
#include <cstring>

static const char* const modes[] = {"KL", "cross-entropy", "squares"};

// The nearest half of a float of moderate size, as bits, and back.
static uint16_t to_half(float x) {
  const float magnitude = std::fabs(x);
  if (magnitude < 0x1p-14f) return uint16_t((x < 0) << 15 | int(std::nearbyint(magnitude * 0x1p24f)));
  const int exponent = std::ilogb(magnitude);
  const int mantissa = int(std::nearbyint(std::ldexp(magnitude, 10 - exponent)));
  return uint16_t((x < 0) << 15 | (((exponent + 14) << 10) + mantissa));
}
static float from_half(uint16_t h) {
  const int exponent = h >> 10 & 31, mantissa = h & 1023;
  const float x = float(exponent ? std::ldexp(1024 + mantissa, exponent - 25) : std::ldexp(mantissa, -24));
  return h & 0x8000 ? -x : x;
}

namespace { // other tests have a Case too

struct Case {
  int64_t R, V;
  std::vector<float> z, t, w_nll, w_distill; // z [R,V], t [T,V]
  std::vector<uint16_t> t16;
  std::vector<int32_t> target, teacher_row;
};

static Case random_case(int64_t R, int64_t V, float scale) {
  Random random{uint64_t(R * 1009 + V)};
  const int64_t T = 3;
  Case c{R,
         V,
         random.normals(R * V, scale),
         random.normals(T * V, scale),
         random.normals(R),
         random.normals(R),
         {},
         {},
         {}};
  for (float& x : c.t) {
    c.t16.push_back(to_half(x));
    x = from_half(c.t16.back()); // the same teacher in both precisions
  }
  for (int64_t r = 0; r < R; r++) {
    c.target.push_back(r % 4 == 3 ? -1 : int32_t(random.below(V)));
    c.teacher_row.push_back(r % 3 == 2 ? -1 : int32_t(random.below(T)));
  }
  return c;
}

template <class T> struct Result {
  std::vector<T> nll, distill, grad;
};

// The formulas of seekr.h, in T.
template <class T> static Result<T> formulas(const Case& c, bool teacher, int mode) {
  const size_t V = size_t(c.V);
  Result<T> out{std::vector<T>(size_t(c.R)), std::vector<T>(size_t(c.R)), std::vector<T>(size_t(c.R) * V)};
  auto softmax = [&](const float* x, std::vector<T>& p) {
    T most = x[0], sum = 0;
    for (size_t v = 0; v < V; v++) most = std::fmax(most, T(x[v]));
    for (size_t v = 0; v < V; v++) sum += p[v] = std::exp(T(x[v]) - most);
    for (T& v : p) v /= sum;
    return most + std::log(sum);
  };
  std::vector<T> q(V), p(V);
  for (size_t r = 0; r < size_t(c.R); r++) {
    const float* z = &c.z[r * V];
    T* g = &out.grad[r * V];
    const T lse = softmax(z, q);
    if (c.target[r] >= 0) {
      out.nll[r] = lse - z[c.target[r]];
      for (size_t v = 0; v < V; v++) g[v] += c.w_nll[r] * (q[v] - (int32_t(v) == c.target[r]));
    }
    if (!teacher || c.teacher_row[r] < 0) continue;
    const float* t = &c.t[size_t(c.teacher_row[r]) * V];
    const T lse_t = softmax(t, p);
    for (size_t v = 0; v < V; v++) {
      const T d = T(z[v]) - T(t[v]);
      if (mode == 0) out.distill[r] += p[v] * ((t[v] - lse_t) - (z[v] - lse));
      if (mode == 1) out.distill[r] -= p[v] * (z[v] - lse);
      if (mode == 2) out.distill[r] += d * d / T(V);
      g[v] += c.w_distill[r] * (mode == 2 ? 2 * d / T(V) : q[v] - p[v]);
    }
  }
  return out;
}

static void one_case(const Case& c) {
  for (int mode = 0; mode < 3; mode++)
    for (int teacher = 0; teacher < 3; teacher++) { // none, float, half
      if (teacher == 0 && mode > 0) continue;
      const Result<double> exact = formulas<double>(c, teacher, mode);
      const Result<float> plain = formulas<float>(c, teacher, mode);
      each_context([&](sk_context* ctx, const std::string& label) {
        const std::string name = std::string("loss ") + modes[mode] + " teacher " + std::to_string(teacher) +
                                 " " + std::to_string(c.R) + "x" + std::to_string(c.V) + " " + label;
        Guarded<double> nll("nll", c.R), distill("distill", c.R);
        Guarded<float> z("logits", c.z), z0("logits without grad", c.z), t("teacher", c.t);
        Guarded<uint16_t> t16("teacher", c.t16);
        const void* from = teacher == 0 ? nullptr : teacher == 1 ? static_cast<void*>(t.data()) : t16.data();
        auto run = [&](float* logits, int grad) {
          const sk_loss_rows a{.nll = nll,
                               .distill = distill,
                               .logits = logits,
                               .target = c.target.data(),
                               .w_nll = c.w_nll.data(),
                               .teacher = from,
                               .teacher_row = teacher ? c.teacher_row.data() : nullptr,
                               .w_distill = teacher ? c.w_distill.data() : nullptr,
                               .R = c.R,
                               .V = c.V,
                               .teacher_f16 = teacher == 2,
                               .mode = mode,
                               .grad = grad};
          check_ok(sk_loss(ctx, &a), "loss");
          check_close(name + " nll", nll, exact.nll.data(), c.R, 1e-6);
          check_close(name + " distill", distill, exact.distill.data(), c.R, 1e-6);
        };
        run(z0, 0);
        check_same(name + " grad = 0 leaves logits", z0, c.z.data(), c.R * c.V * 4);
        run(z, 1);
        check_close(name + " gradient", z, exact.grad.data(), plain.grad.data(), c.R * c.V);
      });
    }
}

// Logits far apart, -inf logits of teacher and student, a row without anything.
static void extremes() {
  const float inf = INFINITY;
  const int64_t V = 19;
  each_context([&](sk_context* ctx, const std::string& label) {
    std::vector<float> z(V, -1e4f), t(V, -1e4f);
    z[3] = 1e4f, t[5] = 1e4f, t[7] = -inf;
    double nll = NAN, distill = NAN;
    float one = 1;
    int32_t y = 5, row = 0;
    auto run = [&](int mode) {
      const sk_loss_rows a{.nll = &nll,
                           .distill = &distill,
                           .logits = z.data(),
                           .target = &y,
                           .w_nll = &one,
                           .teacher = t.data(),
                           .teacher_row = &row,
                           .w_distill = &one,
                           .R = 1,
                           .V = V,
                           .mode = mode,
                           .grad = 1};
      check_ok(sk_loss(ctx, &a), "loss");
    };
    run(0);
    check(nll == 2e4 && distill == 2e4, "far apart: %g, %g %s", nll, distill, label.c_str());
    check(z[3] == 2 && z[5] == -2 && z[0] == 0, "far apart: gradient %g %g %s", double(z[3]), double(z[5]),
          label.c_str());

    z.assign(V, 1), t.assign(V, 1);
    z[7] = t[7] = -inf; // both exclude token 7: as if it were not there
    run(0);
    check(std::fabs(distill) < 1e-6 && std::fabs(nll - std::log(V - 1.0)) < 1e-6 && z[7] == 0,
          "excluded token %g %g %s", nll, distill, label.c_str());
    z.assign(V, 1);
    z[2] = -inf; // the teacher does not exclude it
    run(0);
    check(distill == inf, "infinite KL: %g %s", distill, label.c_str());
    z.assign(V, 1);
    z[V - 1] = NAN;
    run(1);
    check(std::isnan(nll) && std::isnan(distill) && std::isnan(z[0]), "NaN is seen %s", label.c_str());

    z.assign(V, NAN), y = -1, row = -1;
    run(2);
    bool zero = nll == 0 && distill == 0;
    for (float v : z) zero &= v == 0;
    check(zero, "a row without anything is 0 %s", label.c_str());
    nll = NAN, y = 2, z.assign(V, 1);
    const sk_loss_rows untaught{
        .nll = &nll, .logits = z.data(), .target = &y, .w_nll = &one, .R = 1, .V = V, .grad = 1};
    check_ok(sk_loss(ctx, &untaught), "loss");
    check(std::fabs(nll - std::log(double(V))) < 1e-6, "distill may be null without a teacher %s",
          label.c_str());
  });
}

static void errors() {
  sk_context* ctx;
  check_ok(sk_create(&ctx, 2, "auto"), "create");
  double n[2], d[2];
  float z[8] = {}, w[2] = {}, t[8] = {};
  int32_t y[2] = {0, 3}, high[2] = {0, 4}, rows[2] = {0, -1};
  sk_loss_rows a{.nll = n,
                 .distill = d,
                 .logits = z,
                 .target = y,
                 .w_nll = w,
                 .teacher = t,
                 .teacher_row = rows,
                 .w_distill = w,
                 .R = 2,
                 .V = 4,
                 .grad = 1};
  check_error(sk_loss(nullptr, &a), "sk_loss: ctx is null");
  check_error(sk_loss(ctx, nullptr), "sk_loss: a is null");
  CHECK_REFUSED(sk_loss, ctx, a, nll = nullptr, "nll is null");
  CHECK_REFUSED(sk_loss, ctx, a, distill = nullptr, "distill is null");
  CHECK_REFUSED(sk_loss, ctx, a, logits = nullptr, "logits is null");
  CHECK_REFUSED(sk_loss, ctx, a, target = nullptr, "target is null");
  CHECK_REFUSED(sk_loss, ctx, a, w_nll = nullptr, "w_nll is null");
  CHECK_REFUSED(sk_loss, ctx, a, teacher_row = nullptr, "teacher_row is null");
  CHECK_REFUSED(sk_loss, ctx, a, w_distill = nullptr, "w_distill is null");
  CHECK_REFUSED(sk_loss, ctx, a, teacher = nullptr, "teacher is null, but teacher_row[0] is 0");
  CHECK_REFUSED(sk_loss, ctx, a, target = high, "target[1] is 4");
  CHECK_REFUSED(sk_loss, ctx, a, teacher_f16 = 2, "teacher_f16 is 2");
  CHECK_REFUSED(sk_loss, ctx, a, mode = 3, "mode is 3");
  CHECK_REFUSED(sk_loss, ctx, a, grad = 2, "grad is 2");
  CHECK_REFUSED(sk_loss, ctx, a, R = -2, "R is -2");
  CHECK_REFUSED(sk_loss, ctx, a, V = 0, "V is 0");
  a.R = 0;
  check_ok(sk_loss(ctx, &a), "no rows");
  a.R = 2, a.w_nll = nullptr, a.w_distill = nullptr, a.grad = 0;
  check_ok(sk_loss(ctx, &a), "no weights are needed without grad");
  check_ok(sk_destroy(ctx), "destroy");
}

} // namespace

void loss_tests() {
  for (int64_t V : {1, 2, 7, 63, 65, 127}) one_case(random_case(9, V, 3));
  one_case(random_case(1, 33, 1));
  one_case(random_case(4, 32001, 4));
  const Case c = random_case(13, 5003, 3);
  check_deterministic("loss", [&](sk_context* ctx) {
    std::vector<float> z = c.z;
    std::vector<double> nll(13), distill(13);
    const sk_loss_rows a{.nll = nll.data(),
                         .distill = distill.data(),
                         .logits = z.data(),
                         .target = c.target.data(),
                         .w_nll = c.w_nll.data(),
                         .teacher = c.t.data(),
                         .teacher_row = c.teacher_row.data(),
                         .w_distill = c.w_distill.data(),
                         .R = c.R,
                         .V = c.V,
                         .grad = 1};
    sk_loss(ctx, &a);
    const size_t n = z.size();
    z.resize(n + 52);
    std::memcpy(&z[n], nll.data(), 104);
    std::memcpy(&z[n + 26], distill.data(), 104);
    return z;
  });
  extremes();
  errors();
}
