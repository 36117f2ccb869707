// rope, swiglu and zero against their formulas in double.
#include "types.h"

namespace {

template <class T>
static void rope(sk_context* ctx, const std::string& type, int64_t N, int64_t NH, int64_t NKV, int64_t HS) {
  Random random{uint64_t(N * 31 + HS)};
  const int64_t P = 11, half = HS / 2, row = (NH + 2 * NKV) * HS;
  const Array<float> cos(random, P * half), sin(random, P * half);
  std::vector<int32_t> positions;
  for (int64_t n = 0; n < N; n++) positions.push_back(int32_t(random.below(P)));
  if (N > 1) positions[0] = int32_t(P - 1), positions[1] = 0;
  for (double sign : {1.0, -1.0}) {
    const Array<T> qkv(random, N * row);
    std::vector<double> want(qkv.was.begin(), qkv.was.end());
    for (int64_t n = 0; n < N; n++)
      for (int64_t h = 0; h < NH + NKV; h++)
        for (int64_t i = 0; i < half; i++) {
          const int64_t u = n * row + h * HS + i, at = positions[size_t(n)] * half + i;
          want[size_t(u)] = qkv[u] * cos[at] - sign * qkv[u + half] * sin[at];
          want[size_t(u + half)] = qkv[u + half] * cos[at] + sign * qkv[u] * sin[at];
        }
    const sk_rope a{qkv.f(), indices(positions), cos.f(), sin.f(), N, NH, NKV, HS, P};
    check_done(sign > 0 ? sk_rope_fwd(ctx, &a) : sk_rope_bwd(ctx, &a), "rope");
    check_near(type + "rope of heads of " + std::to_string(HS) + (sign > 0 ? "" : " back"), qkv, want);
  }
}

// Gates up to where exp overflows.
template <class T>
static void swiglu(sk_context* ctx, const std::string& type, int64_t N, int64_t F, float size) {
  Random random{uint64_t(N * 31 + F)};
  const Array<T> gu(random, N * 2 * F, size), dh(random, N * F), h(unwritten<T>(N * F)),
      dgu(unwritten<T>(N * 2 * F));
  std::vector<double> hs, dgus(size_t(N * 2 * F));
  for (int64_t n = 0; n < N; n++)
    for (int64_t f = 0; f < F; f++) {
      const int64_t at = n * 2 * F + f;
      const double z = gu[at], up = gu[at + F], d = dh[n * F + f], sig = 1 / (1 + std::exp(-z));
      hs.push_back(z * sig * up);
      dgus[size_t(at)] = d * up * sig * (1 + z * (1 - sig));
      dgus[size_t(at + F)] = d * z * sig;
    }
  const std::string name =
      type + "swiglu F " + std::to_string(F) + " size " + std::to_string(int(size)) + " ";
  const sk_swiglu forward{h.f(), gu.f(), N, F};
  check_done(sk_swiglu_fwd(ctx, &forward), "swiglu_fwd");
  check_near(name + "h", h, hs);
  const sk_swiglu_gradient backward{dgu.f(), dh.f(), gu.f(), N, F};
  check_done(sk_swiglu_bwd(ctx, &backward), "swiglu_bwd");
  check_near(name + "dgu", dgu, dgus);
  check_near(name + "h again", dh, hs);
}

template <class T> static void zero(sk_context* ctx, const std::string& type) {
  Random random{4};
  const Array<T> x(random, 99);
  std::vector<double> want(x.was.begin(), x.was.end());
  std::fill(want.begin(), want.begin() + 98, 0.0);
  const sk_vector a{x.f(), 98}, none{x.f() + 40, 0};
  check_done(sk_zero(ctx, &a), "zero");
  check_done(sk_zero(ctx, &none), "zero of none");
  check_near(type + "zero", x, want, 0);
}

} // namespace

void elementwise_tests() {
  each_type([](auto element, sk_context* ctx, const std::string& type) {
    using T = decltype(element);
    rope<T>(ctx, type, 1, 1, 1, 2);
    rope<T>(ctx, type, 5, 4, 2, 10);
    rope<T>(ctx, type, 3, 3, 1, 128);
    rope<T>(ctx, type, 2, 9, 9, 240); // more than a block, 16 bytes a thread
    rope<T>(ctx, type, 0, 1, 1, 2);
    for (int64_t F : {1, 77, 256, 257, 2304}) swiglu<T>(ctx, type, 3, F, 1);
    swiglu<T>(ctx, type, 2, 300, 60);
    swiglu<T>(ctx, type, 0, 3, 1);
    zero<T>(ctx, type);
  });
}
