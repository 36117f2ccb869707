// NVIDIA's own tables as the judge: where CuTe's layouts say that an element of a fragment is, the emulator's
// mma and ldmatrix must have it. Element by element, through the emulator, with another value in every
// register of every thread. Run by: make -C cuda layouts
#include "../../../native/test/check.h"
#include "../../src/device.cuh"
#include <cmath>
#include <cstdio>
#include <cstring>
#include <cute/atom/copy_traits_sm75.hpp>
#include <cute/atom/mma_traits_sm80.hpp>

extern int passed, failed;

namespace {

using namespace sk;

// f is run by a warp.
template <class F> static void warp_runs(F f) {
  emulator::Launch launch{"layouts",
                          {1, 1, 1},
                          32,
                          1024,
                          [](const void* g) { (*static_cast<const F*>(g))(); },
                          &f,
                          emulator::Order::FIFO,
                          1};
  check(emulator::launch(launch), "%s", emulator::message());
}

// A, B and the accumulator of m16n8k16 by CuTe: thread t's value v is at m + 16 k, n + 8 k, m + 16 n.
using Large = cute::MMA_Traits<cute::SM80_16x8x16_F32BF16BF16F32_TN>;
using Half = cute::MMA_Traits<cute::SM80_16x8x16_F32F16F16F32_TN>;
// m16n8k8 of TF32
using Small = cute::MMA_Traits<cute::SM80_16x8x8_F32TF32TF32F32_TN>;

template <class Layout> static int place(int t, int v) { return int(Layout{}(t, v)); }

// The product of fragments a[32][8], b[32][4] that layouts place, added to c[32][4].
template <class Traits, int K>
static void product(double c[32][4], const double (*a)[K / 2], const double (*b)[K / 4]) {
  double A[16 * K], B[8 * K], C[128] = {};
  for (int t = 0; t < 32; t++) {
    for (int v = 0; v < K / 2; v++) A[place<typename Traits::ALayout>(t, v)] = a[t][v];
    for (int v = 0; v < K / 4; v++) B[place<typename Traits::BLayout>(t, v)] = b[t][v];
  }
  for (int m = 0; m < 16; m++)
    for (int n = 0; n < 8; n++)
      for (int k = 0; k < K; k++) C[m + 16 * n] += A[m + 16 * k] * B[n + 8 * k];
  for (int t = 0; t < 32; t++)
    for (int v = 0; v < 4; v++) c[t][v] += C[place<typename Traits::CLayout>(t, v)];
}

struct Fragments {
  double a[32][8], b[32][4], c[32][4];
};

// Another number in every place of A and of the accumulator; B is 1 in one place alone, so that one column of
// A comes out in one of C.
static Fragments numbered(int one) {
  Fragments f;
  for (int t = 0; t < 32; t++) {
    for (int v = 0; v < 8; v++) f.a[t][v] = 8 * t + v; // exact in every type
    for (int v = 0; v < 4; v++) f.b[t][v] = 4 * t + v == one, f.c[t][v] = 1000 * (4 * t + v);
  }
  return f;
}

template <class T> static void put(uint32_t* r, const double* x, int n) {
  for (int i = 0; i < n; i += 2) r[i / 2] = pack<T>(float(x[i]), float(x[i + 1]));
}
template <class T> static void put(float* r, const double* x, int n) {
  for (int i = 0; i < n; i++) r[i] = float(x[i]);
}

// What the emulator's mma makes of them.
template <class T> static void emulate(const Fragments& f, float (*got)[4]) {
  warp_runs([&f, got] {
    FragA<T> a;
    FragB<T> b;
    put<T>(a.r, f.a[lane()], 8), put<T>(b.r, f.b[lane()], 4);
    for (int v = 0; v < 4; v++) got[lane()][v] = float(f.c[lane()][v]);
    mma(got[lane()], a, b);
  });
}

static void compare(const char* what, const float (*got)[4], const double (*want)[4], double allowed) {
  for (int t = 0; t < 32; t++)
    for (int v = 0; v < 4; v++)
      check(std::abs(double(got[t][v]) - want[t][v]) <= allowed,
            "%s: thread %d, value %d of the accumulator is %g, by CuTe %g", what, t, v, double(got[t][v]),
            want[t][v]);
}

template <class T, class Traits> static void products(const char* type) {
  for (int one = 0; one < 128; one++) {
    Fragments f = numbered(one);
    float got[32][4];
    emulate<T>(f, got);
    product<Traits, 16>(f.c, f.a, f.b);
    compare(type, got, f.c, 0);
  }
}

// device.cuh's product of floats in TF32, its text as nvcc reads it (the Makefile takes it from there); a
// step is recorded, and done by CuTe.
namespace device {
struct Step {
  double a[32][4], b[32][2];
};
static Step steps[6];
static int step, recorded;

static uint32_t tf32(float x) {
  const float y = sk::tf32(x);
  uint32_t bits;
  std::memcpy(&bits, &y, sizeof bits);
  return bits;
}
static float __uint_as_float(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}
static void mma_tf32(float*, uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t b0, uint32_t b1) {
  Step& s = steps[step++];
  const uint32_t a[] = {a0, a1, a2, a3}, b[] = {b0, b1};
  for (int i = 0; i < 4; i++) s.a[recorded][i] = double(__uint_as_float(a[i]));
  for (int i = 0; i < 2; i++) s.b[recorded][i] = double(__uint_as_float(b[i]));
}
#include "mma_of_floats.inc"
} // namespace device

static void tf32_steps(Fragments& f) {
  for (device::recorded = 0; device::recorded < 32; device::recorded++) {
    FragA<float> a;
    FragB<float> b;
    float c[4];
    put<float>(a.r, f.a[device::recorded], 8), put<float>(b.r, f.b[device::recorded], 4);
    device::step = 0;
    device::mma(c, a, b);
    check(device::step == 6, "six products of TF32, not %d", device::step);
  }
  for (const device::Step& s : device::steps) product<Small, 8>(f.c, s.a, s.b);
}

static void floats() {
  for (int one = 0; one < 128; one++) {
    Fragments f = numbered(one), g = f;
    float got[32][4];
    emulate<float>(f, got);
    tf32_steps(g);
    product<Large, 16>(f.c, f.a, f.b);
    compare("floats", got, f.c, 0);
    for (int t = 0; t < 32; t++)
      for (int v = 0; v < 4; v++) got[t][v] = float(g.c[t][v]);
    compare("floats by m16n8k8", got, f.c, 0);
  }
  // Parts that TF32 cannot hold: a low part that meets the wrong high one would show at 2^-11.
  Random random{5};
  Fragments f{};
  for (auto& row : f.a)
    for (double& x : row) x = double(random.normal());
  for (auto& row : f.b)
    for (double& x : row) x = double(random.normal());
  Fragments g = f;
  tf32_steps(g);
  product<Large, 16>(f.c, f.a, f.b);
  float got[32][4];
  for (int t = 0; t < 32; t++)
    for (int v = 0; v < 4; v++) got[t][v] = float(g.c[t][v]);
  compare("random floats by m16n8k8", got, f.c, 1e-5);
}

// CuTe counts bits: thread t brings bits SrcLayout(t, ...), and bit v of what it receives is bit DstLayout(t,
// v).
template <class Copy> static void matrices(const char* what, bool transposed) {
  using Traits = cute::Copy_Traits<Copy>;
  uint32_t got[32][4];
  warp_runs([&got, transposed] {
    auto m = shared<uint16_t>();
    for (int i = lane(); i < 512; i += 32) m[i] = uint16_t(i < 256 ? i : 0xFFFF);
    barrier();
    // Rows in another order than threads, so that a row taken by its address alone shows.
    const uint16_t* row = m + 8 * (lane() * 5 % 32);
    if (transposed) ldmatrix_transposed(got[lane()], row);
    else ldmatrix(got[lane()], row);
  });
  uint16_t brought[256]; // by place in CuTe's count
  for (int t = 0; t < 32; t++)
    for (int i = 0; i < 8; i++)
      brought[int(typename Traits::SrcLayout{}(t, 16 * i)) / 16] = uint16_t(8 * (t * 5 % 32) + i);
  for (int t = 0; t < 32; t++)
    for (int i = 0; i < 8; i++) {
      const int has = got[t][i / 2] >> i % 2 * 16 & 0xFFFF,
                wants = brought[int(typename Traits::DstLayout{}(t, 16 * i)) / 16];
      check(has == wants, "%s: thread %d, register %d, half %d has element %d, by CuTe %d", what, t, i / 2,
            i % 2, has, wants);
    }
}

} // namespace

int main() {
  products<bf16, Large>("bf16");
  products<f16, Half>("f16");
  floats();
  matrices<cute::SM75_U32x4_LDSM_N>("ldmatrix", false);
  matrices<cute::SM75_U16x8_LDSM_T>("ldmatrix.trans", true);
  std::printf("layouts as CuTe has them: %d passed, %d failed\n", passed, failed);
  return failed != 0;
}
