// Kernels that commit each error the emulator claims to see, and the products of its matrix instructions, element by element.
#include "../../native/test/check.h"
#include "../emulator/block.h"
#include "device.h"
#include <algorithm>
#include <cmath>
#include <cstring>

using namespace sk;

namespace {

// f is run by a block of threads; returns what the emulator says, or nothing.
template <class F>
static std::string say(F f, emulator::Order order = emulator::Order::FIFO, unsigned threads = 64, uint64_t seed = 7) {
  emulator::Launch launch{"test", {1, 1, 1}, threads, 1024, [](const void* g) { (*static_cast<const F*>(g))(); }, &f, order, seed};
  return emulator::launch(launch) ? "" : emulator::message();
}

static void expect(const char* what, const std::string& said, const char* words) {
  check(said.find(words) != std::string::npos && said.find("test, block (0, 0, 0)") == 0, "%s: the emulator said \"%s\", expected \"%s\"",
        what, said.c_str(), words);
}

alignas(16) static unsigned char source[64];

static void errors() {
  expect("divergent barriers", say([] {
           float& mine = shared<float>()[thread()];
           if (thread() < 32) barrier(), mine = 1;
           else mine = 2, barrier();
         }),
         "different barriers");
  expect("a barrier that not all reach", say([] {
           if (thread() < 32) barrier();
         }),
         "deadlock");
  expect("a warp operation that not all reach", say([] {
           if (lane() < 31) shuffle_xor(1.0f, 1);
         }),
         "deadlock");
  expect("different warp operations", say([] {
           FragA<bf16> a{};
           FragB<bf16> b{};
           float c[4] = {};
           if (lane() < 16) shuffle_xor(1.0f, 1);
           else mma(c, a, b);
         }),
         "where other lanes of the warp are at");
  expect("copies that nobody waits for", say([] {
           cp_async16(shared<char>() + 16 * thread(), source, true);
           cp_async_commit();
         }),
         "asynchronous copies under way");
  expect("a copy outside shared memory", say([] { cp_async16(shared<char>() + 1024, source, true); }), "outside shared memory");
  expect("a misaligned copy", say([] { cp_async16(shared<char>() + 8, source, true); }), "not aligned to 16");
  expect("a misaligned source", say([] { cp_async16(shared<char>(), source + 4, true); }), "not aligned to 16");
  expect("ldmatrix outside", say([] {
           uint32_t r[4];
           ldmatrix(r, shared<char>() + 1024);
         }),
         "outside shared memory");
  expect("ldmatrix that ends outside", say([] {
           uint32_t r[4];
           ldmatrix_transposed(r, shared<char>() + 1024 - 8);
         }),
         "outside shared memory");
  expect("ldmatrix of a misaligned row", say([] {
           uint32_t r[4];
           ldmatrix(r, shared<char>() + 4 * lane());
         }),
         "not aligned to 16");
  expect("ldmatrix of global memory", say([] {
           uint32_t r[4];
           ldmatrix(r, source);
         }),
         "outside shared memory");
  expect("ldmatrix where others transpose", say([] {
           uint32_t r[4];
           if (lane() < 16) ldmatrix(r, shared<char>());
           else ldmatrix_transposed(r, shared<char>());
         }),
         "where other lanes of the warp are at");
  expect("a shuffle from no lane", say([] { shuffle(1.0f, 32); }), "shuffle from lane 32");
  expect("a warp that waits while another is done", say([] {
           if (warp() == 0 && lane() > 0) return;
           if (warp() == 0) shuffle_xor(1.0f, 1);
         }),
         "1 inside a warp operation, 63 done");
  expect("misaligned shared memory", say([] { shared<double>(4); }), "not aligned to 8");
  expect("shared memory beyond its end", say([] { shared<char>(2048); }), "of 1024");
}

// Of these there is no block that could be named.
static void launches() {
  auto nothing = [] {};
  check(say(nothing, emulator::Order::FIFO, 48).find("a block of 48 threads") != std::string::npos, "48 threads");
  check(say(nothing, emulator::Order::FIFO, 2048).find("a block of 2048 threads") != std::string::npos, "2048 threads");
  check(say(nothing, emulator::Order::FIFO, 1024).empty(), "1024 threads");
}

// The error of the block, thread and kernel it happened in, wherever it is.
static void places() {
  auto f = [] {
    if (block_x() == 1 && block_y() == 2 && thread() == 37) shared<float>(-4);
  };
  emulator::Launch launch{"elsewhere", {2, 3, 1}, 64, 64, [](const void* g) { (*static_cast<const decltype(f)*>(g))(); }, &f,
                          emulator::Order::FIFO, 1};
  check(!emulator::launch(launch), "an error in one thread of one block");
  check(!std::strcmp(emulator::message(), "elsewhere, block (1, 2, 0), thread 37: shared memory at byte -4 of 64"), "it said \"%s\"",
        emulator::message());
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) // which end the process: fatal_test.cpp
static void faults() {
  expect("a write behind the last page of shared memory",
         say([] { *reinterpret_cast<volatile float*>(shared<float>() + 256 + thread() / 63 * 32) = 1; }), "no memory of the device is");
  expect("device memory never given out", say([] { *reinterpret_cast<volatile float*>(0x2fff00000000) = 1; }),
         "no memory of the device is");
  float* gone;
  { gone = OnDevice<float>(1 << 20).data(); }
  expect("large memory that was freed", say([gone] { shared<float>()[0] = *reinterpret_cast<volatile float*>(gone + (1 << 19)); }),
         "no memory of the device is");
  { gone = OnDevice<float>(64).data(); }
  static float seen;
  check(say([gone] { seen = gone[3]; }).empty() && seen != seen, "small memory that was freed is NaN");
  check(say([] {}).empty(), "and the next kernel runs");
}
#endif

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

#if !defined(__SANITIZE_THREAD__) // which sees these races
// Blocks know no order either.
static void block_orders() {
  static int last;
  for (auto order : {emulator::Order::FIFO, emulator::Order::LIFO, emulator::Order::RANDOM}) {
    static int seen[6];
    bool all = true, sorted = true, reversed = true;
    last = 0;
    auto f = [] { if (thread() == 0) seen[last++] = int(block_x() + 3 * block_y()); };
    emulator::Launch launch{"test", {3, 2, 1}, 32, 0, [](const void* g) { (*static_cast<const decltype(f)*>(g))(); }, &f, order, 7};
    check(emulator::launch(launch) && last == 6, "all blocks run");
    for (int i = 0; i < 6; i++) sorted &= seen[i] == i, reversed &= seen[i] == 5 - i;
    std::sort(seen, seen + 6);
    for (int i = 0; i < 6; i++) all &= seen[i] == i;
    check(all && sorted == (order == emulator::Order::FIFO) && reversed == (order == emulator::Order::LIFO), "order of blocks");
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

// Two sums in the same room: nobody may write the second before all have read the first. What is added first must not depend on the order.
static void sums() {
  float first = 0;
  for (auto order : {emulator::Order::FIFO, emulator::Order::LIFO, emulator::Order::RANDOM})
    for (uint64_t seed = 1; seed <= 50; seed++) {
      static float seen[3][128];
      check(say([] {
              float* room = shared<float>();
              seen[0][thread()] = block_sum<128>(1 / float(1 + thread()), room);
              seen[1][thread()] = block_sum<128>(1.0f, room);
              seen[2][thread()] = block_max<128>(float(thread()), room);
            }, order, 128, seed).empty(),
            "sums of a block");
      if (first == 0) first = seen[0][0];
      bool right = std::abs(first - 5.433147f) < 1e-5f;
      for (int i = 0; i < 128; i++) right &= seen[0][i] == first && seen[1][i] == 128 && seen[2][i] == 127;
      check(right, "a block's sums %.9g, %.9g, %g and its maximum %g are not 5.433147, always the same, 128 and 127", double(seen[0][0]),
            double(first), double(seen[1][0]), double(seen[2][0]));
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
      check(std::abs(result[i][j] - sum) < 1e-6, "mma[%d][%d] is %g, not %g", i, j, double(result[i][j]), sum);
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
      const uint32_t low = uint32_t(64 * m + 8 * (l / 4) + l % 4 * 2), across = uint32_t(64 * m + 8 * (l % 4 * 2) + l / 4);
      check(got[0][l][m] == (low | (low + 1) << 16), "ldmatrix lane %d register %d", l, m);
      check(got[1][l][m] == (across | (across + 8) << 16), "ldmatrix.trans lane %d register %d", l, m);
    }
}

} // namespace

void emulator_tests() {
  errors();
  launches();
  places();
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  faults();
#endif
  poison();
#if !defined(__SANITIZE_THREAD__)
  orders();
  block_orders();
#endif
  sums();
  fragments();
}
