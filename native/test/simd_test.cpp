// The vector vocabulary, compiled for each instruction set: elementary functions against double, reductions,
// halves, tails.
#include "../src/simd.h"
#include "check.h"
#include <cmath>
#include <limits>

namespace sk {
namespace SK_ISA {

static const float inf = std::numeric_limits<float>::infinity(),
                   nan = std::numeric_limits<float>::quiet_NaN();
static constexpr float one_ulp_of_1 = 1.1920929e-7f;

#define SK_STRING(x) #x
#define SK_NAME(x) SK_STRING(x)
static const char* const isa = SK_NAME(SK_ISA);

// The distance of got from exact in units of the last place of exact.
static double ulps(float got, double exact) {
  float e = float(exact);
  double unit = double(std::nextafter(std::fabs(e), inf)) - std::fabs(e);
  return std::fabs(got - exact) / unit;
}

static float first(vf v) { return v[0]; }

static void exp_tests() {
  double worst = 0;
  const float low = -87.3359f, high = 88.7227f;
  for (int64_t i = 0; i < 400000; i++) {
    float x = low + (high - low) * float(i) / 400000;
    worst = std::fmax(worst, ulps(first(vexp(broadcast(x))), std::exp(double(x))));
    float small = float(i - 200000) * 1e-6f;
    worst = std::fmax(worst, ulps(first(vexp(broadcast(small))), std::exp(double(small))));
  }
  check(worst <= 2, "%s vexp: %.3f ulp", isa, worst);
  check(first(vexp(broadcast(0))) == 1, "%s vexp(0) is 1", isa);
  for (float x : {-87.4f, -100.0f, -1e4f, -3e38f, -inf})
    check(first(vexp(broadcast(x))) == 0, "%s vexp(%g) is 0", isa, double(x));
  for (float x : {88.73f, 100.0f, 1e4f, 3e38f, inf})
    check(first(vexp(broadcast(x))) == inf, "%s vexp(%g) is inf", isa, double(x));
  check(std::isnan(first(vexp(broadcast(nan)))), "%s vexp(NaN) is NaN", isa);
}

static void log_tests() {
  double worst = 0;
  for (int64_t i = 0; i < 300000; i++) {
    float x = float(std::exp(-103 + 191.5 * double(i) / 300000)); // subnormals too
    worst = std::fmax(worst, ulps(first(vlog(broadcast(x))), std::log(double(x))));
    float near = 1 + float(i - 150000) * one_ulp_of_1;
    worst = std::fmax(worst, near == 1 ? 0 : ulps(first(vlog(broadcast(near))), std::log(double(near))));
  }
  check(worst <= 2, "%s vlog: %.3f ulp", isa, worst);
  check(first(vlog(broadcast(1))) == 0, "%s vlog(1) is 0", isa);
  check(first(vlog(broadcast(0))) == -inf, "%s vlog(0) is -inf", isa);
  check(first(vlog(broadcast(inf))) == inf, "%s vlog(inf) is inf", isa);
  check(std::isnan(first(vlog(broadcast(-1)))), "%s vlog(-1) is NaN", isa);
  check(std::isnan(first(vlog(broadcast(nan)))), "%s vlog(NaN) is NaN", isa);
}

static void half_tests() {
  bool same = true;
  for (int h = 0; h < 65536; h++) {
    const int exponent = h >> 10 & 31, mantissa = h & 1023;
    double exact = exponent == 31 ? (mantissa ? nan : inf)
                   : exponent     ? std::ldexp(1024 + mantissa, exponent - 25)
                                  : std::ldexp(mantissa, -24);
    if (h & 0x8000) exact = -exact;
    uint16_t memory[W];
    for (uint16_t& m : memory) m = uint16_t(h);
    vf v = load_half(memory);
    for (int i = 0; i < W; i++)
      same &= std::isnan(exact) ? std::isnan(v[i])
                                : v[i] == float(exact) && std::signbit(v[i]) == std::signbit(exact);
  }
  check(same, "%s load_half: all 65536", isa);
}

// The nearest of the 65536, by looking at both neighbours; ties to the one whose last bit is 0.
static void bfloat16_tests() {
  bool exact = true, nearest = true, tie = true, nans = true;
  bf16 out[W];
  auto rounded = [&](float x) {
    store(out, broadcast(x));
    bf16 one;
    put(&one, x);
    for (const bf16& b : out) exact &= b.bits == one.bits;
    return one;
  };
  for (int h = 0; h < 65536; h++) {
    const bf16 b = {uint16_t(h)}, next = {uint16_t(h + 1)};
    const float x = widen(b), above = widen(next);
    bf16 memory[W];
    for (bf16& m : memory) m = b;
    if (std::isnan(x)) {
      nans &= std::isnan(load(memory)[0]) && std::isnan(widen(rounded(x)));
      continue;
    }
    exact &= rounded(x).bits == h && load(memory)[W - 1] == x && first(as_stored(memory, broadcast(x))) == x;
    if ((h & 0x7fff) >= 0x7f7f) continue; // the next is infinite
    const float middle = float((double(x) + double(above)) / 2);
    tie &= rounded(middle).bits == (h & 1 ? h + 1 : h);
    nearest &=
        rounded(std::nextafter(middle, x)).bits == h && rounded(std::nextafter(middle, above)).bits == h + 1;
  }
  check(exact, "%s bfloat16: all 65536 there and back", isa);
  check(nearest, "%s bfloat16: to the nearest", isa);
  check(tie, "%s bfloat16: ties to even", isa);
  check(nans && std::isnan(widen(rounded(nan))), "%s bfloat16: NaN stays NaN", isa);
  check(rounded(3.4e38f).bits == 0x7f80 && rounded(-inf).bits == 0xff80, "%s bfloat16: to infinity", isa);
  for (int n = 0; n < W; n++) {
    Guarded<uint16_t> there("bfloat16", n, 0);
    store_some((bf16*)there.data(), broadcast(1.5f), n);
    const vf v = load_some((const bf16*)there.data(), n, 9);
    bool ok = true;
    for (int i = 0; i < W; i++) ok &= v[i] == (i < n ? 1.5f : 9);
    check(ok, "%s bfloat16: %d lanes", isa, n);
  }
}

static void lane_tests() {
  float x[W], back[W];
  uint16_t h[W];
  for (int i = 0; i < W; i++) x[i] = float((i * 7 + 3) % W + 1), h[i] = uint16_t(0x3c00 + i); // 1 + i/1024
  vf v = load(x);
  check(reduce_add(v) == float(W * (W + 1) / 2), "%s reduce_add", isa);
  check(reduce_max(v) == float(W), "%s reduce_max", isa);
  check(reduce_max(-v) == -1, "%s reduce_max of negatives", isa);
  Sum sum;
  sum.add(v);
  sum.add_product(v, v);
  check(sum.total() == W * (W + 1) / 2 + W * (W + 1) * (2 * W + 1) / 6, "%s Sum", isa);
  store(back, narrow(widen_low(v), widen_high(v)));
  check_same(std::string(isa) + " narrow(widen)", back, x, sizeof x);
  check(first(broadcast(-0.0f)) == 0 && std::signbit(first(broadcast(-0.0f))), "%s broadcast(-0)", isa);

  for (int n = 0; n <= 2 * W + 1; n++) {
    Guarded<float> out("each_vector", n);
    std::vector<float> in(static_cast<size_t>(n));
    for (int i = 0; i < n; i++) in[size_t(i)] = float(i) - 3.5f;
    each_vector(n, [&](int64_t i, auto lanes) { lanes.put(out + i, lanes.get(in.data() + i) * 2); });
    bool ok = true;
    for (int i = 0; i < n; i++) ok &= out[i] == 2 * in[size_t(i)];
    check(ok, "%s each_vector of %d", isa, n);
  }
  for (int n = 0; n < W; n++) {
    vf some = load_some(x, n, 9), half = load_half_some(h, n, 9), kept = SomeLanes{n}.keep(v);
    bool ok = true;
    for (int i = 0; i < W; i++) {
      ok &= some[i] == (i < n ? x[i] : 9) && kept[i] == (i < n ? x[i] : 0);
      ok &= half[i] == (i < n ? 1 + float(i) / 1024 : 9);
    }
    check(ok, "%s %d lanes", isa, n);
  }
}

void simd_tests() {
  exp_tests();
  log_tests();
  half_tests();
  bfloat16_tests();
  lane_tests();
}

} // namespace SK_ISA
} // namespace sk
