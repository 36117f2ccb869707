// A kernel of a test's own, on the emulator that is linked into the tests.
#ifndef SEEKR_TEST_SAY_H
#define SEEKR_TEST_SAY_H
#include "../emulator/block.h"
#include <string>

// f is run by a block of threads; returns what the emulator says, or nothing.
template <class F>
std::string say(F f, sk::emulator::Order order = sk::emulator::Order::FIFO, unsigned threads = 64,
                uint64_t seed = 7) {
  sk::emulator::Launch launch{
      "test", {1, 1, 1}, threads, 1024, [](const void* g) { (*static_cast<const F*>(g))(); },
      &f,     order,     seed};
  return sk::emulator::launch(launch) ? "" : sk::emulator::message();
}

#endif
