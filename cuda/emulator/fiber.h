// Stacks and the switch between them (System V x86-64). Sanitizers are told of each switch.
#ifndef SEEKR_EMULATOR_FIBER_H
#define SEEKR_EMULATOR_FIBER_H
#include "races.h"
#include <cstddef>
#include <cstdint>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace sk {
namespace emulator {

// Saves the registers a callee must keep on the stack at hand, stores its pointer at *from and goes on where
// `to` was left.
extern "C" void sk_emulator_switch(void** from, void* to);

class Fiber {
  void* pointer = nullptr; // of the stack, while it does not run
  const void* bottom = nullptr;
  size_t size = 0;

  // AddressSanitizer's view of whoever leaves.
  void* fake = nullptr;
  // ThreadSanitizer's thread.
  void* thread = nullptr;

public:
  // The stack of the thread that schedules is given later, by the first switch away from it.
  Fiber() = default;
  // `entry` never returns. The stack is `size` bytes from `bottom`.
  void start(void* stack, size_t bytes, void (*entry)(), void* as_thread) {
    bottom = stack, size = bytes, thread = as_thread;
#if defined(__SANITIZE_ADDRESS__)
    __asan_unpoison_memory_region(stack, bytes); // a thread that failed never left its functions
#endif
    auto top = reinterpret_cast<uintptr_t>(stack) + bytes;
    auto words = reinterpret_cast<uintptr_t*>(top) - 1; // at entry the stack pointer is 8 modulo 16
    words[0] = 0;                                       // no return address above
    *--words = reinterpret_cast<uintptr_t>(entry);
    words -= 6;
    for (int i = 0; i < 6; i++) words[i] = 0;
    pointer = words;
    fake = nullptr;
  }
  static void change(Fiber& from, Fiber& to) {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(&from.fake, to.bottom, to.size);
#endif
    races::change(to.thread);
    sk_emulator_switch(&from.pointer, to.pointer);
    arrived(from);
  }
  // To be called first on a new fiber (null), and after coming back.
  static void arrived(Fiber& self) {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(self.fake, nullptr, nullptr);
#else
    (void)self;
#endif
  }
  void is_this_thread(const void* stack, size_t bytes) {
    bottom = stack, size = bytes, thread = races::current();
  }
};

} // namespace emulator
} // namespace sk
#endif
