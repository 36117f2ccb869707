// Kernels that commit each error the emulator claims to see.
#include "../../native/test/check.h"
#include "device.h"
#include "say.h"
#include <cstring>

using namespace sk;

namespace {

static void expect(const char* what, const std::string& said, const char* words) {
  check(said.find(words) != std::string::npos && said.find("test, block (0, 0, 0)") == 0,
        "%s: the emulator said \"%s\", expected \"%s\"", what, said.c_str(), words);
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
  expect("a copy outside shared memory", say([] { cp_async16(shared<char>() + 1024, source, true); }),
         "outside shared memory");
  expect("a misaligned copy", say([] { cp_async16(shared<char>() + 8, source, true); }), "not aligned to 16");
  expect("a misaligned source", say([] { cp_async16(shared<char>(), source + 4, true); }),
         "not aligned to 16");
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
  check(say(nothing, emulator::Order::FIFO, 48).find("a block of 48 threads") != std::string::npos,
        "48 threads");
  check(say(nothing, emulator::Order::FIFO, 2048).find("a block of 2048 threads") != std::string::npos,
        "2048 threads");
  check(say(nothing, emulator::Order::FIFO, 1024).empty(), "1024 threads");
}

// The error of the block, thread and kernel it happened in, wherever it is.
static void places() {
  auto f = [] {
    if (block_x() == 1 && block_y() == 2 && thread() == 37) shared<float>(-4);
  };
  emulator::Launch launch{"elsewhere",
                          {2, 3, 1},
                          64,
                          64,
                          [](const void* g) { (*static_cast<const decltype(f)*>(g))(); },
                          &f,
                          emulator::Order::FIFO,
                          1};
  check(!emulator::launch(launch), "an error in one thread of one block");
  check(!std::strcmp(emulator::message(),
                     "elsewhere, block (1, 2, 0), thread 37: shared memory at byte -4 of 64"),
        "it said \"%s\"", emulator::message());
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) // which end the process: fatal_test.cpp
static void faults() {
  expect("a write behind the last page of shared memory",
         say([] { *reinterpret_cast<volatile float*>(shared<float>() + 256 + thread() / 63 * 32) = 1; }),
         "no memory of the device is");
  expect("device memory never given out", say([] { *reinterpret_cast<volatile float*>(0x2fff00000000) = 1; }),
         "no memory of the device is");
  float* gone;
  { gone = OnDevice<float>(1 << 20).data(); }
  expect("large memory that was freed",
         say([gone] { shared<float>()[0] = *reinterpret_cast<volatile float*>(gone + (1 << 19)); }),
         "no memory of the device is");
  { gone = OnDevice<float>(64).data(); }
  static float seen;
  check(say([gone] { seen = gone[3]; }).empty() && seen != seen, "small memory that was freed is NaN");
  check(say([] {}).empty(), "and the next kernel runs");
}
#endif

} // namespace

void emulator_tests() {
  errors();
  launches();
  places();
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  faults();
#endif
}
