// What kernels compute on the emulator: NaN where nothing was written, orders of threads and blocks, sums of
// a block, matrix instructions.
#include "../../native/test/check.h"
#include "device.h"
#include "say.h"
#include <algorithm>
#include <cmath>
#include <cstring>

using namespace sk;

namespace {

alignas(16) static unsigned char source[64];

// NaN marks what has not arrived or was never written.
static void poison() {
  static float seen[64];
  std::memset(source, 0, sizeof source);
  check(say([] { seen[thread()] = shared<float>()[thread()]; }).empty(), "reading shared memory");
  check(seen[0] != seen[0] && seen[63] != seen[63], "shared memory starts as NaN");
  check(say([] {
          float* mine = shared<float>() + 4 * thread();
          cp_async16(mine, source, true);
          cp_async_commit();
          seen[thread()] = mine[0];
          cp_async_wait<0>();
        }).empty(),
        "reading before the wait");
  check(seen[5] != seen[5], "an asynchronous copy has not arrived before its wait");
}

// Many copies in many blocks: none of what the emulator keeps of them is taken for the kernel's by
// ThreadSanitizer.
static void many_copies() {
  auto f = [] {
    float* mine = shared<float>() + 4 * thread();
    for (int i = 0; i < 100; i++) {
      cp_async16(mine, source, true);
      cp_async_commit();
      if (i % 10 == 9) cp_async_wait<0>();
    }
  };
  emulator::Launch launch{"test",
                          {3, 2, 1},
                          64,
                          1024,
                          [](const void* g) { (*static_cast<const decltype(f)*>(g))(); },
                          &f,
                          emulator::Order::FIFO,
                          1};
  check(emulator::launch(launch), "%s", emulator::message());
}

#if !defined(__SANITIZE_THREAD__) // which sees these races
// Blocks know no order either.
static void block_orders() {
  static int last;
  for (auto order : {emulator::Order::FIFO, emulator::Order::LIFO, emulator::Order::RANDOM}) {
    static int seen[6];
    bool all = true, sorted = true, reversed = true;
    last = 0;
    auto f = [] {
      if (thread() == 0) seen[last++] = int(block_x() + 3 * block_y());
    };
    emulator::Launch launch{
        "test", {3, 2, 1}, 32, 0, [](const void* g) { (*static_cast<const decltype(f)*>(g))(); },
        &f,     order,     7};
    check(emulator::launch(launch) && last == 6, "all blocks run");
    for (int i = 0; i < 6; i++) sorted &= seen[i] == i, reversed &= seen[i] == 5 - i;
    std::sort(seen, seen + 6);
    for (int i = 0; i < 6; i++) all &= seen[i] == i;
    check(all && sorted == (order == emulator::Order::FIFO) && reversed == (order == emulator::Order::LIFO),
          "order of blocks");
  }
}

// A missing barrier after reading shows only when later threads go first.
static void orders() {
  static float seen[64];
  auto race = [] {
    float* room = shared<float>();
    if (thread() == 0) room[0] = 1;
    barrier();
    seen[thread()] = room[0];
    if (thread() == 63) room[0] = 2; // others may not have read yet
  };
  check(say(race, emulator::Order::FIFO).empty() && seen[0] == 1, "FIFO hides the race");
  check(say(race, emulator::Order::LIFO).empty() && seen[0] == 2, "LIFO shows it");
  check(say(race, emulator::Order::RANDOM).empty(), "random order");
  float most = 0;
  for (float x : seen) most = x > most ? x : most;
  check(most == 2, "so does random order");
}

#endif

// Two sums in the same room: nobody may write the second before all have read the first. What is added first
// must not depend on the order.
static void sums() {
  float first = 0;
  for (auto order : {emulator::Order::FIFO, emulator::Order::LIFO, emulator::Order::RANDOM})
    for (uint64_t seed = 1; seed <= 50; seed++) {
      static float seen[3][128];
      check(say(
                [] {
                  float* room = shared<float>();
                  seen[0][thread()] = block_sum<128>(1 / float(1 + thread()), room);
                  seen[1][thread()] = block_sum<128>(1.0f, room);
                  seen[2][thread()] = block_max<128>(float(thread()), room);
                },
                order, 128, seed)
                .empty(),
            "sums of a block");
      if (first == 0) first = seen[0][0];
      bool right = std::abs(first - 5.433147f) < 1e-5f;
      for (int i = 0; i < 128; i++) right &= seen[0][i] == first && seen[1][i] == 128 && seen[2][i] == 127;
      check(right,
            "a block's sums %.9g, %.9g, %g and its maximum %g are not 5.433147, always the same, 128 and 127",
            double(seen[0][0]), double(first), double(seen[1][0]), double(seen[2][0]));
    }
}

// mma and ldmatrix by the tables of the PTX ISA, one element at a time.
static void fragments() {
  static float result[16][8], A[16][16], B[16][8];
  Random random;
  for (auto& row : A)
    for (float& x : row) x = to_float(from_float<bf16>(random.normal()));
  for (auto& row : B)
    for (float& x : row) x = to_float(from_float<bf16>(random.normal()));
  check(say([] {
          if (warp() > 0) return;
          const int g = lane() / 4, t = lane() % 4;
          FragA<bf16> a;
          FragB<bf16> b;
          for (int i = 0; i < 4; i++) {
            const int row = g + i % 2 * 8, k = 2 * t + i / 2 * 8;
            a.r[i] = pack<bf16>(A[row][k], A[row][k + 1]);
          }
          for (int i = 0; i < 2; i++) b.r[i] = pack<bf16>(B[2 * t + 8 * i][g], B[2 * t + 8 * i + 1][g]);
          float c[4] = {};
          mma(c, a, b);
          for (int i = 0; i < 4; i++) result[g + i / 2 * 8][2 * t + i % 2] = c[i];
        }).empty(),
        "mma");
  for (int i = 0; i < 16; i++)
    for (int j = 0; j < 8; j++) {
      double sum = 0;
      for (int k = 0; k < 16; k++) sum += double(A[i][k]) * B[k][j];
      check(std::abs(result[i][j] - sum) < 1e-6, "mma[%d][%d] is %g, not %g", i, j, double(result[i][j]),
            sum);
    }

  static uint32_t got[2][32][4];
  check(say([] {
          auto m = shared<uint16_t>(); // matrix i, row r, column c holds 64 i + 8 r + c
          for (int i = thread(); i < 256; i += 64) m[i] = uint16_t(i);
          barrier();
          if (warp() > 0) return;
          ldmatrix(got[0][lane()], m + 8 * lane());
          ldmatrix_transposed(got[1][lane()], m + 8 * lane());
        }).empty(),
        "ldmatrix");
  for (int l = 0; l < 32; l++)
    for (int m = 0; m < 4; m++) {
      const uint32_t low = uint32_t(64 * m + 8 * (l / 4) + l % 4 * 2),
                     across = uint32_t(64 * m + 8 * (l % 4 * 2) + l / 4);
      check(got[0][l][m] == (low | (low + 1) << 16), "ldmatrix lane %d register %d", l, m);
      check(got[1][l][m] == (across | (across + 8) << 16), "ldmatrix.trans lane %d register %d", l, m);
    }
}

} // namespace

// What overhangs the largest by more than a bit is cut off, and so is the result: 2^-25 is nothing beside 1.
static void sums_of_hardware() {
  auto of = [](float c, float product, float last) {
    float a[8], b[8];
    for (int k = 0; k < 8; k++) a[k] = product, b[k] = 1;
    a[7] = last;
    return sk::emulator::aligned_sum(c, a, b);
  };
  const float tiny = std::ldexp(1.0f, -25), ulp = std::ldexp(1.0f, -23);
  const struct {
    float c, product, last, want;
  } sums[] = {{1, tiny, tiny, 1},           {1, 2 * tiny, 2 * tiny, 1 + 4 * ulp},
              {1, 0, 2 * tiny, 1},          {1, 0, -2 * tiny, 1 - ulp / 2},
              {-1, tiny, tiny, -1},         {tiny, tiny, 1, 1},
              {tiny, tiny, tiny, 9 * tiny}, {0, 0, 0, 0},
              {3, INFINITY, 0, INFINITY}};
  for (auto& s : sums) {
    const float got = of(s.c, s.product, s.last);
    check(got == s.want, "%g + 7 x %g + %g is %.9g, not %.9g", double(s.c), double(s.product), double(s.last),
          double(got), double(s.want));
  }
  check(std::isnan(of(NAN, 1, 1)), "a sum with NaN is NaN");
}

void emulator_values_tests() {
  sums_of_hardware();
  poison();
  many_copies();
#if !defined(__SANITIZE_THREAD__)
  orders();
  block_orders();
#endif
  sums();
  fragments();
}
