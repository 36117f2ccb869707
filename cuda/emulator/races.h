// What ThreadSanitizer must be told to find the races of a kernel (make -C cuda tsan). Every thread of a
// block is one of its fibers, and a switch orders nothing: only barriers, the begin and the end of a launch
// do. Shuffles and matrix instructions do not either, as on the device. Blocks know no order: those of
// neighbouring indices have threads of their own, so that they are seen to race with each other.
#ifndef SEEKR_EMULATOR_RACES_H
#define SEEKR_EMULATOR_RACES_H
#include <cstddef>

#ifdef SK_TSAN
#include <sanitizer/tsan_interface.h>
#include <vector>
extern "C" void __tsan_read16(const void*);
extern "C" void __tsan_write16(void*);
extern "C" void AnnotateIgnoreReadsBegin(const char*, int);
extern "C" void AnnotateIgnoreReadsEnd(const char*, int);
extern "C" void AnnotateIgnoreWritesBegin(const char*, int);
extern "C" void AnnotateIgnoreWritesEnd(const char*, int);
#endif

namespace sk {
namespace emulator {
namespace races {

#ifdef SK_TSAN
constexpr bool SEEN = true;
constexpr size_t COLOURS = 2; // of blocks, as on a chessboard, each with its own threads
inline size_t colour(const unsigned index[3]) { return (index[0] + index[1]) % 2; }

// What a thread did before `leaving` a place is seen by whoever is `entering` it later.
inline void leaving(void* place) { __tsan_release(place); }
inline void entering(void* place) { __tsan_acquire(place); }
// An instruction's 16 bytes.
inline void reads(const void* p) { __tsan_read16(p); }
inline void writes(void* p) { __tsan_write16(p); }

// What is done to the emulator's own lists, and to shared memory before a block begins, is no access of the
// kernel's.
struct Unseen {
  Unseen() { AnnotateIgnoreReadsBegin(__FILE__, __LINE__), AnnotateIgnoreWritesBegin(__FILE__, __LINE__); }
  ~Unseen() { AnnotateIgnoreReadsEnd(__FILE__, __LINE__), AnnotateIgnoreWritesEnd(__FILE__, __LINE__); }
};

inline void* current() { return __tsan_get_current_fiber(); }
inline void change(void* to) { __tsan_switch_to_fiber(to, __tsan_switch_to_fiber_no_sync); }
inline std::vector<void*>& threads() {
  static std::vector<void*> all;
  return all;
}
inline void* thread(size_t i) {
  while (threads().size() <= i) threads().push_back(__tsan_create_fiber(0));
  return threads()[i];
}
inline void forget_threads() {
  for (void* t : threads()) __tsan_destroy_fiber(t);
  threads().clear();
}
#else
constexpr bool SEEN = false;
constexpr size_t COLOURS = 1;
inline size_t colour(const unsigned[3]) { return 0; }
inline void leaving(void*) {}
inline void entering(void*) {}
inline void reads(const void*) {}
inline void writes(void*) {}
struct Unseen {
  ~Unseen() {}
};
inline void* current() { return nullptr; }
inline void change(void*) {}
inline void* thread(size_t) { return nullptr; }
inline void forget_threads() {}
#endif

} // namespace races
} // namespace emulator
} // namespace sk
#endif
