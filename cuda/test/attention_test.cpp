// Attention in every element type against double, beside a plain implementation that rounds to the type where
// the kernels do: the probabilities and the gradients of scores before they are multiplied, and the results.
#include "queries.h"
#include "types.h"
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

struct Results {
  std::vector<double> o, lse, dqkv, sens, kl;
};

// The formulas of seekr.h; `round` after each step that the kernels round at.
template <class R>
static Results formulas(const Shape& a, const std::vector<float>& qkv, const std::vector<float>& dout,
                        const Sampled& sampled, float eps, R round) {
  Results r;
  const int64_t H = sampled.H();
  r.o.resize(size_t(a.N() * a.NH * a.HS)), r.lse.resize(size_t(a.N() * a.NH)),
      r.dqkv.assign(size_t(a.N() * a.row()), 0);
  r.sens.assign(size_t(a.S() * a.NH), 0), r.kl.assign(sampled.pos.size() * size_t(H), 0);
  const double scale = double(a.scale);
  for (int64_t s = 0; s < a.S(); s++)
    for (int64_t h = 0; h < a.NH; h++)
      for (int64_t t = 0; t < a.cu[s + 1] - a.cu[s]; t++) {
        const int64_t n = a.cu[s] + t, kv = h / (a.NH / a.NKV);
        auto q = [&](int64_t i) { return double(qkv[size_t(n * a.row() + h * a.HS + i)]); };
        auto at = [&](int64_t j, int64_t which, int64_t i) {
          return size_t((a.cu[s] + j) * a.row() + (a.NH + which * a.NKV + kv) * a.HS + i);
        };
        auto d = [&](int64_t i) { return double(dout[size_t((n * a.NH + h) * a.HS + i)]); };
        std::vector<double> S(size_t(t) + 1), A(S), dA(S), dS(S);
        double top = -INFINITY, sum = 0, mean = 0, delta = 0;
        const int64_t first = a.first(t);
        for (int64_t j = first; j <= t; j++) {
          for (int64_t i = 0; i < a.HS; i++)
            S[j] += scale * q(i) * double(qkv[at(j, 0, i)]), dA[j] += d(i) * double(qkv[at(j, 1, i)]);
          top = std::max(top, S[j]);
        }
        for (int64_t j = first; j <= t; j++) sum += std::exp(S[j] - top);
        const double lse = r.lse[size_t(n * a.NH + h)] = top + std::log(sum);
        for (int64_t j = first; j <= t; j++)
          A[j] = std::exp(S[j] - lse), r.sens[size_t(s * a.NH + h)] += dA[j] * dA[j];
        for (int64_t i = 0; i < a.HS; i++) {
          double o = 0;
          for (int64_t j = first; j <= t; j++) o += round(A[j]) * double(qkv[at(j, 1, i)]);
          r.o[size_t((n * a.NH + h) * a.HS + i)] = o = round(o);
          delta += d(i) * o;
        }
        int64_t index = -1, query = -1;
        for (int64_t i = 0; i < H; i++)
          if (sampled.heads[i] == h) index = i;
        for (int32_t i = sampled.start[s]; i < sampled.start[s + 1]; i++)
          if (sampled.pos[i] == t) query = i;
        const float* P = index >= 0 && query >= 0
                             ? &sampled.p[size_t(H * sampled.prefix[query] + index * (t + 1))]
                             : nullptr;
        for (int64_t j = first; P && j <= t; j++) {
          mean += A[j] * P[j] / (A[j] + eps);
          r.kl[size_t(query * H + index)] += P[j] * (std::log(double(P[j])) - std::log(A[j] + eps));
        }
        for (int64_t j = first; j <= t; j++) {
          dS[j] = A[j] * (dA[j] - delta);
          if (P)
            dS[j] +=
                double(sampled.weight[query]) * (eps > 0 ? A[j] * (mean - P[j] / (A[j] + eps)) : A[j] - P[j]);
          for (int64_t i = 0; i < a.HS; i++) {
            r.dqkv[size_t(n * a.row() + h * a.HS + i)] += scale * round(dS[j]) * double(qkv[at(j, 0, i)]);
            r.dqkv[at(j, 0, i)] += scale * round(dS[j]) * q(i);
            r.dqkv[at(j, 1, i)] += round(A[j]) * d(i);
          }
        }
      }
  for (double& x : r.dqkv) x = round(x);
  return r;
}

static std::vector<float> floats(const std::vector<double>& x) {
  return std::vector<float>(x.begin(), x.end());
}

// Keys from position 64 of a sequence on are `steep` times as long, and with their scores the rounding of
// exponents.
static std::vector<float> activations(const Shape& a, Random& random, float steep) {
  std::vector<float> qkv = random.normals(a.N() * a.row());
  for (int64_t s = 0; s < a.S(); s++)
    for (int64_t n = a.cu[s] + 64; n < a.cu[s + 1]; n++)
      for (int64_t i = a.NH * a.HS; i < (a.NH + a.NKV) * a.HS; i++) qkv[size_t(n * a.row() + i)] *= steep;
  return qkv;
}

// Forward and backward on the device, with all that backward yields.
template <class T> struct Device {
  const Shape& a;
  Context ctx;
  OnDevice<T> qkv, dout, o, dqkv;
  OnDevice<float> lse, weight, p;
  std::vector<double> sens, kl;
  const Sampled sampled;

  Device(int element, const Shape& a, const std::vector<T>& x, const std::vector<T>& d,
         const Sampled& sampled)
      : a(a), ctx(element), qkv(x), dout(d), o(d.size()), dqkv(x.size()), lse(size_t(a.N() * a.NH)),
        weight(sampled.weight), p(sampled.p), sampled(sampled) {}
  sk_attention of() const { return a.of(o.f(), lse.f(), qkv.f()); }
  void forward() {
    const sk_attention x = of();
    check_done(sk_attention_fwd(ctx, &x), "attention_fwd");
  }
  void backward(float eps, bool sensitivity = true, bool queries = true) {
    sens.assign(size_t(a.S() * a.NH), NAN), kl.assign(size_t(sampled.R() * sampled.H()), NAN);
    const sk_attention_gradient gradient{of(),      dqkv.f(),
                                         dout.f(),  sensitivity ? sens.data() : nullptr,
                                         kl.data(), queries ? sampled.on(weight, p) : sk_queries{},
                                         eps};
    check_done(sk_attention_bwd(ctx, &gradient), "attention_bwd");
  }
};

template <class T>
static void one(int element, const char* type, const Shape& a, float eps, float steep = 1) {
  Random random{uint64_t(a.N() * 131 + a.HS)};
  const std::vector<T> qkv = narrowed<T>(activations(a, random, steep)),
                       dout = narrowed<T>(random.normals(a.N() * a.NH * a.HS));
  const Sampled sampled(a, random);
  auto exact = formulas(a, widened(qkv), widened(dout), sampled, eps, [](double x) { return x; });
  auto plain = formulas(a, widened(qkv), widened(dout), sampled, eps,
                        [](double x) { return double(sk::to_float(sk::from_float<T>(float(x)))); });
  Device<T> device(element, a, qkv, dout, sampled);
  device.forward(), device.backward(eps);

  const std::string name =
      std::string(type) + " " + a.name() + (eps > 0 ? "eps " : "") + (steep > 1 ? "steep " : "");
  auto near = [&](const char* what, const std::vector<float>& got, const std::vector<double>& want,
                  const std::vector<double>& rounded) {
    check_close(name + what, got.data(), want.data(), floats(rounded).data(), int64_t(got.size()),
                a.floor() * double(steep));
  };
  near("o", widened(device.o.get()), exact.o, plain.o);
  near("lse", device.lse.get(), exact.lse, plain.lse);
  near("dqkv", widened(device.dqkv.get()), exact.dqkv, plain.dqkv);
  check_close(name + "sens", device.sens.data(), exact.sens.data(), int64_t(exact.sens.size()), 1e-5);
  check_close(name + "kl", device.kl.data(), exact.kl.data(), int64_t(exact.kl.size()), 1e-4);
}

static void every(const Shape& a, float eps, float steep = 1) {
  one<float>(0, "f32", a, eps, steep);
  one<sk::bf16>(1, "bf16", a, eps, steep);
  one<sk::f16>(2, "f16", a, eps, steep);
}

// Of 512 tokens in tiles of 128 by 64 a window of one leaves the 8 on the diagonal, of 20; that is what is
// computed.
static void skipped() {
  Random random{3};
  Counted forward[2], backward[2];
  for (int64_t window : {0, 1}) {
    const Shape a{{0, 512}, 1, 1, 16, window};
    const std::vector<sk::bf16> qkv = narrowed<sk::bf16>(random.normals(a.N() * a.row())),
                                dout = narrowed<sk::bf16>(random.normals(a.N() * a.HS));
    Device<sk::bf16> device(1, a, qkv, dout, Sampled(a, random));
    counted();
    device.forward();
    forward[window] = counted();
    device.backward(0);
    backward[window] = counted();
  }
  check(forward[1].products * 20 == forward[0].products * 8,
        "forward makes %llu products in a window, of %llu", (unsigned long long)forward[1].products,
        (unsigned long long)forward[0].products);
  check(backward[1].products * 20 == backward[0].products * 8,
        "backward makes %llu products in a window, of %llu", (unsigned long long)backward[1].products,
        (unsigned long long)backward[0].products);
}

// The sensitivity and the KL come from the pass that makes dq; only a KL with eps, whose gradient asks for a
// sum over the whole row, has a kernel of its own.
static void kernels_of_backward() {
  const Shape a{{0, 40, 300}, 2, 1, 16};
  Random random{8};
  const std::vector<float> qkv = random.normals(a.N() * a.row()), dout = random.normals(a.N() * a.NH * a.HS);
  Device<float> device(0, a, qkv, dout, Sampled(a, random));
  device.forward();
  auto launches = [&](const char* asked, bool sens, bool queries, float eps, uint64_t want) {
    counted();
    device.backward(eps, sens, queries);
    const uint64_t got = counted().launches;
    check(got == want, "backward with %s: %llu kernels, not %llu", asked, (unsigned long long)got,
          (unsigned long long)want);
  };
  launches("nothing asked", false, false, 0, 3); // delta, dq, dk and dv
  launches("sensitivity", true, false, 0, 3);
  launches("queries", false, true, 0, 3);
  launches("sensitivity and queries", true, true, 0, 3);
  launches("queries with eps", true, true, 1e-3f, 4);
}

// Devices with 99 KB of shared memory for a block, as of compute capability 8.6, 8.9 and 12.0, have smaller
// tiles; with 48 KB long heads are refused.
static void smaller_devices() {
  {
    OtherDevice device(8, 99 << 10);
    for (const Shape& a :
         {Shape{{0, 127}, 2, 1, 128}, Shape{{0, 33, 180}, 1, 1, 120, 20}, Shape{{0, 70}, 1, 1, 64}})
      for (float eps : {0.0f, 1e-3f}) every(a, eps);
  }
  OtherDevice device(8, 48 << 10);
  const Shape a{{0, 40}, 1, 1, 128};
  const std::vector<sk::bf16> qkv(size_t(a.N() * a.row())), dout(size_t(a.N() * a.HS));
  Random random{1};
  Device<sk::bf16> x(1, a, qkv, dout, Sampled(a, random));
  const sk_attention forward = x.of();
  check_error(sk_attention_fwd(x.ctx, &forward), "57344 bytes of shared memory: this GPU has 49152 bytes");
}

// Fifty times the same: no result depends on which thread or block comes first. Slower ways to look for that
// need fewer.
static int repeats() {
  const char* given = std::getenv("REPEATS");
  return given ? std::atoi(given) : 50;
}

template <class T> static void repeated(int element, const char* type) {
  const Shape a{{0, 70, 97}, 4, 2, 16};
  Random random{11};
  const std::vector<T> qkv = narrowed<T>(random.normals(a.N() * a.row())),
                       dout = narrowed<T>(random.normals(a.N() * a.NH * a.HS));
  const Sampled sampled(a, random);
  Device<T> device(element, a, qkv, dout, sampled);
  struct {
    std::vector<T> o, dqkv;
    std::vector<float> lse;
    std::vector<double> sens, kl;
  } first, now;
  for (int repeat = 0; repeat < repeats(); repeat++) {
    device.forward(), device.backward(1e-3f);
    now = {device.o.get(), device.dqkv.get(), device.lse.get(), device.sens, device.kl};
    if (repeat == 0) first = now;
    auto same = [&](const char* what, const auto& got, const auto& want) {
      check_same(std::string(type) + what + " again", got.data(), want.data(),
                 int64_t(got.size() * sizeof got[0]));
    };
    same(" o", now.o, first.o), same(" lse", now.lse, first.lse), same(" dqkv", now.dqkv, first.dqkv);
    same(" sens", now.sens, first.sens), same(" kl", now.kl, first.kl);
  }
}

} // namespace

void attention_tests() {
  if (emulated()) skipped(), kernels_of_backward(), smaller_devices();
  // The largest score grows from tile to tile, often by more than the exponent of a float can hold.
  const Shape longer{{0, 150}, 1, 1, 16};
  every(longer, 0, 60);
  // Windows of one key, around a tile of keys or of queries, longer than the sequence; scales of the
  // caller's.
  for (int64_t window : {31, 32, 33, 47, 48, 49, 95, 96, 97})
    every({{0, 100}, 1, 1, 128, window}, float(window % 2) * 1e-3f);
  for (int64_t window : {1, 2, 3, 63, 64, 65, 66, 127, 128, 129})
    every({{0, 3, 203}, 2, 1, 16, window, 0.4f}, float(window / 2 % 2) * 1e-3f);
  for (int64_t window : {1, 3, 64, 1000})
    for (float eps : {0.0f, 1e-3f}) {
      every({{0, 7, 7, 140}, 4, 2, 40, window, 0.1f}, eps);
      every({{0, 3, 70}, 3, 1, 10, window, 1.0f}, eps);
    }
  for (float scale : {0.0f, 2.0f})
    for (int64_t window : {0, 20}) every({{0, 7, 72}, 2, 2, 16, window, scale}, 0);
  // Among them: query heads that share a key head, an empty sequence, more tiles than stages, heads that
  // cannot be copied by 16 bytes.
  const Shape shapes[] = {{{0, 1}, 1, 1, 16},       {{0, 7, 7, 72}, 4, 2, 16}, {{0, 150}, 1, 1, 16},
                          {{0, 3, 70}, 3, 1, 10},   {{0, 63, 128}, 4, 2, 64},  {{0, 65, 66, 193}, 2, 2, 48},
                          {{0, 127}, 2, 1, 128},    {{0, 33}, 3, 3, 80},       {{0, 180}, 1, 1, 128},
                          {{0, 140, 160}, 2, 2, 20}};
  for (const Shape& a : shapes)
    for (float eps : {0.0f, 1e-3f}) every(a, eps);
  repeated<float>(0, "f32");
  repeated<sk::bf16>(1, "bf16");
  repeated<sk::f16>(2, "f16");
}
