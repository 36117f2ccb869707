// How fast the kernels are: each in the shapes of LLaMA-2-7B at 8 sequences of 2048 tokens, timed by the
// device's own events, beside what it must compute or move at least. On the emulated device the shapes are
// small and the times mean nothing; they are marked.
//   cuda_bench device    what the device is, and nothing else
//   cuda_bench [kernel]  lines of: kernel, type, shape, microseconds (median), rate, unit[, emulated]
#include "../../native/src/error.h"
#include "../../native/test/check.h"
#include "../test/device.h"
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <dlfcn.h>
#include <functional>
#include <numeric>
#include <string>

namespace {

// Calls of the driver that the launchers do not make.
template <class... A> int driver_call(const char* name, A... arguments) {
  static void* library = dlopen("libcuda.so.1", RTLD_NOW);
  auto f = reinterpret_cast<int (*)(A...)>(dlsym(library, name));
  return f ? f(arguments...) : -1;
}
template <class... A> void must(const char* name, A... arguments) {
  const int result = driver_call(name, arguments...);
  if (result) throw sk::Error("%s failed: %d", name, result);
}

int attribute(int which) {
  int value = 0;
  must("cuDeviceGetAttribute", &value, which, 0);
  return value;
}

void print_device() {
  int version = 0;
  size_t bytes = 0;
  must("cuDriverGetVersion", &version);
  must("cuDeviceTotalMem_v2", &bytes, 0);
  std::printf("compute capability %d.%d, %d multiprocessors, %d bytes of shared memory a block, %zu MiB, "
              "driver %d.%d\n",
              attribute(75), attribute(76), attribute(16), attribute(97), bytes >> 20, version / 1000,
              version % 1000 / 10);
}

struct Event {
  void* at = nullptr;
  Event() { must("cuEventCreate", &at, 0u); }
  ~Event() { driver_call("cuEventDestroy_v2", at); }
  void record() { must("cuEventRecord", at, static_cast<void*>(nullptr)); }
};

int repeats = 20;
const char* only = nullptr;

// Microseconds between two events around the call, the median of some.
double microseconds(const char* name, const std::function<int()>& call) {
  std::vector<double> all;
  for (int i = -2; i < repeats; i++) {
    Event begin, end;
    begin.record();
    if (call()) throw sk::Error("%s: %s", name, sk_last_error());
    end.record();
    must("cuEventSynchronize", end.at);
    float ms = 0;
    must("cuEventElapsedTime", &ms, begin.at, end.at);
    if (i >= 0) all.push_back(1e3 * double(ms));
  }
  std::nth_element(all.begin(), all.begin() + repeats / 2, all.end());
  return all[size_t(repeats / 2)];
}

void line(const char* name, const char* type, const std::string& shape, double work, const char* unit,
          const std::function<int()>& call) {
  if (only && std::strcmp(only, name)) return;
  const double us = microseconds(name, call);
  std::printf("%s,%s,%s,%.2f,%.1f,%s%s\n", name, type, shape.c_str(), us, work / us * 1e-3, unit,
              emulated() ? ",emulated" : "");
}
// work: floating-point operations, or bytes
void flops(const char* name, const char* type, const std::string& shape, double work,
           const std::function<int()>& call) {
  line(name, type, shape, work, "GFLOP/s", call);
}
void bytes(const char* name, const char* type, const std::string& shape, double work,
           const std::function<int()>& call) {
  line(name, type, shape, work, "GB/s", call);
}

// Numbers around 0, the same few thousand over and over.
template <class T> OnDevice<T> numbers(int64_t n) {
  Random random{1};
  const std::vector<float> some = random.normals(4093, 0.5f);
  std::vector<T> x(static_cast<size_t>(n));
  for (size_t i = 0; i < x.size(); i++) x[i] = sk::from_float<T>(some[i % some.size()]);
  return OnDevice<T>(x);
}

// S sequences of T tokens, at most; the model's widths.
struct Sizes {
  int64_t S = 8, T = 2048, NH = 32, C = 4096, F = 11008, V = 32000, rows = 256, weights = 1 << 26;
};

template <class T>
void attention(sk_context* ctx, const char* type, const Sizes& z, int64_t HS, int64_t length) {
  const int64_t S = std::max<int64_t>(1, z.S * z.T / length), N = S * length, heads = z.C / HS,
                width = N * z.C;
  std::vector<int32_t> cu;
  for (int64_t s = 0; s <= S; s++) cu.push_back(int32_t(s * length));
  const OnDevice<T> qkv = numbers<T>(3 * width), dout = numbers<T>(width), o(static_cast<size_t>(width)),
                    dqkv(static_cast<size_t>(3 * width));
  const OnDevice<float> lse(static_cast<size_t>(N * heads));
  std::vector<double> sens(static_cast<size_t>(S * heads));
  const sk_attention a{
      o.f(), lse.f(), qkv.f(), cu.data(), N, S, heads, heads, HS, 0, float(1 / std::sqrt(double(HS)))};
  sk_attention_gradient g{a, dqkv.f(), dout.f(), nullptr, nullptr, {}, 0};
  // A product of 2 HS for each score that is seen
  const double product = 2.0 * double(HS) * double(S * heads) * (double(length) * double(length + 1) / 2);
  const std::string shape = std::to_string(S) + "x" + std::to_string(length) + "x" + std::to_string(heads) +
                            "x" + std::to_string(HS);
  flops("attention_fwd", type, shape, 2 * product, [&] { return sk_attention_fwd(ctx, &a); });
  // Five are what the gradient needs; the kernels make seven.
  flops("attention_bwd", type, shape, 5 * product, [&] { return sk_attention_bwd(ctx, &g); });
  g.sens = sens.data();
  flops("attention_bwd_sensitivity", type, shape, 5 * product, [&] { return sk_attention_bwd(ctx, &g); });
}

template <class T> void rows(sk_context* ctx, const char* type, const Sizes& z) {
  const int64_t N = z.S * z.T, C = z.C, F = z.F, E = sizeof(T);
  auto shape = [](int64_t n, int64_t c) { return std::to_string(n) + "x" + std::to_string(c); };
  auto moved = [&](int64_t elements) { return double(elements) * double(E); };
  {
    const OnDevice<T> a = numbers<T>(N * C), b = numbers<T>(N * C), w = numbers<T>(C), x{size_t(N * C)},
                      y{size_t(N * C)};
    const OnDevice<float> rstd{size_t(N)}, dw = numbers<float>(C);
    const sk_rmsnorm forward{y.f(), x.f(), rstd.f(), a.f(), b.f(), w.f(), N, C, 1e-5f};
    bytes("rmsnorm_fwd", type, shape(N, C), moved(4 * N * C), [&] { return sk_rmsnorm_fwd(ctx, &forward); });
    const sk_rmsnorm_gradient backward{x.f(), dw.f(), a.f(), b.f(), rstd.f(), w.f(), N, C};
    bytes("rmsnorm_bwd", type, shape(N, C), moved(4 * N * C), [&] { return sk_rmsnorm_bwd(ctx, &backward); });
    std::vector<int32_t> tokens(static_cast<size_t>(N));
    for (int64_t n = 0; n < N; n++) tokens[size_t(n)] = int32_t(7919 * n % z.V);
    const OnDevice<T> table = numbers<T>(z.V * C);
    const sk_rows look{table.f(), x.f(), tokens.data(), N, z.V, C};
    bytes("gather", type, shape(N, C), moved(2 * N * C), [&] { return sk_gather(ctx, &look); });
  }
  {
    const int64_t HS = C / z.NH, width = 3 * C;
    std::vector<int32_t> positions(static_cast<size_t>(N));
    for (int64_t n = 0; n < N; n++) positions[size_t(n)] = int32_t(n % z.T);
    const OnDevice<T> qkv = numbers<T>(N * width);
    const OnDevice<float> cos = numbers<float>(z.T * HS / 2), sin = numbers<float>(z.T * HS / 2);
    const sk_rope a{qkv.f(), positions.data(), cos.f(), sin.f(), N, z.NH, z.NH, HS, z.T};
    bytes("rope_fwd", type, shape(N, width), moved(4 * N * C), [&] { return sk_rope_fwd(ctx, &a); });
  }
  {
    const OnDevice<T> gu = numbers<T>(2 * N * F), dh = numbers<T>(N * F), dgu{size_t(2 * N * F)};
    const sk_swiglu forward{dh.f(), gu.f(), N, F};
    bytes("swiglu_fwd", type, shape(N, F), moved(3 * N * F), [&] { return sk_swiglu_fwd(ctx, &forward); });
    const sk_swiglu_gradient backward{dgu.f(), dh.f(), gu.f(), N, F};
    bytes("swiglu_bwd", type, shape(N, F), moved(6 * N * F), [&] { return sk_swiglu_bwd(ctx, &backward); });
  }
  {
    const int64_t R = z.rows, V = z.V;
    std::vector<int32_t> target(static_cast<size_t>(R)), in_order(static_cast<size_t>(R));
    for (int64_t r = 0; r < R; r++) target[size_t(r)] = int32_t(7919 * r % V);
    std::iota(in_order.begin(), in_order.end(), 0);
    std::vector<double> nll(static_cast<size_t>(R)), distill(static_cast<size_t>(R));
    const OnDevice<T> logits = numbers<T>(R * V);
    const OnDevice<sk::f16> teacher = numbers<sk::f16>(R * V);
    const OnDevice<float> w = numbers<float>(R);
    sk_loss_rows a{
        nll.data(), distill.data(), logits.f(), target.data(), w.f(), nullptr, nullptr, w.f(), R, V, 1, 0, 1};
    bytes("loss", type, shape(R, V), moved(2 * R * V), [&] { return sk_loss(ctx, &a); });
    a.teacher = teacher.f(), a.teacher_row = in_order.data();
    bytes("loss_distilled", type, shape(R, V), moved(2 * R * V) + 2.0 * double(R * V),
          [&] { return sk_loss(ctx, &a); });
  }
}

template <class T> void optimizer(sk_context* ctx, const char* type, const Sizes& z) {
  const int64_t n = z.weights;
  const OnDevice<float> w = numbers<float>(n), m = numbers<float>(n), g = numbers<float>(n),
                        v(std::vector<float>(size_t(n), 1));
  const OnDevice<T> rounded{size_t(n)};
  const bool narrow = sizeof(T) == 2;
  const sk_adamw_step a{
      w.f(), m.f(), v.f(), g.f(), narrow ? rounded.f() : nullptr, n, 1, 0, 1e-5f, 0.9f, 0.95f, 1e-8f, 0, 1,
      0,     0,     0,     0};
  bytes("adamw", type, std::to_string(n), double(n) * (28 + (narrow ? 2 : 0)),
        [&] { return sk_adamw(ctx, &a); });
  if (sizeof(T) == 2) {
    sk_adamw_step narrowest = a; // bfloat16 throughout
    narrowest.rounded = nullptr;
    narrowest.w_bf16 = narrowest.mv_bf16 = narrowest.g_bf16 = 1;
    bytes("adamw, all bf16", type, std::to_string(n), 14.0 * double(n),
          [&] { return sk_adamw(ctx, &narrowest); });
  }
  double sum = 0;
  const sk_pair squares{&sum, g.f(), g.f(), n, 0};
  bytes("dot", type, std::to_string(n), 4.0 * double(n), [&] { return sk_dot(ctx, &squares); });
}

template <class T> void all(int element, const char* type) {
  Context ctx(element);
  Sizes z;
  std::vector<int64_t> lengths{512, 2048, 8192, 16384};
  if (emulated()) z = {2, 64, 4, 256, 96, 1000, 16, 1 << 14}, lengths = {64}, repeats = 1;
  for (int64_t HS : {64, 128})
    for (int64_t length : lengths)
      if (sizeof(T) == 2 || length <= 2048) attention<T>(ctx, type, z, HS, length);
  rows<T>(ctx, type, z);
  optimizer<T>(ctx, type, z);
}

} // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  open_device();
  try {
    if (argc == 2 && !std::strcmp(argv[1], "device")) return print_device(), 0;
    only = argc == 2 ? argv[1] : nullptr;
    all<sk::bf16>(1, "bf16");
    all<float>(0, "f32");
  } catch (const std::exception& e) {
    std::fprintf(stderr, "cuda_bench: %s\n", e.what());
    return 1;
  }
  return 0;
}
