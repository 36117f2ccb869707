// See memory.h.
#include "memory.h"
#include "races.h"
#include <cstdlib>
#include <cstring>
#include <map>
#include <sys/mman.h>
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace sk {
namespace emulator {
namespace memory {

// ThreadSanitizer has what lies between for itself
static constexpr uint64_t BASE = races::SEEN ? 0x1000000000 : 0x200000000000;
static constexpr uint64_t SPACE = uint64_t(64) << 30, RED = 256;
static std::map<uint64_t, uint64_t> allocations; // address, bytes
static std::map<uint64_t, uint64_t> holes;       // free ranges below `next`, address, bytes
static uint64_t next = BASE, given = 0;

static unsigned char pattern(const unsigned char* p) {
  return reinterpret_cast<uintptr_t>(p) % 2 ? 0xFF : 0xC5;
}

// None of it can be touched before it is given out.
bool reserve() {
  static void* range = mmap(reinterpret_cast<void*>(BASE), SPACE, PROT_NONE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  return range == reinterpret_cast<void*>(BASE);
}

static uint64_t whole(uint64_t bytes) { return (bytes + 255) / 256 * 256 + 2 * RED; }

// Whole pages that no allocation before or behind has a part of.
static constexpr uint64_t PAGE = 4096, LARGE = 1 << 20;
static void protect(uint64_t from, uint64_t to, int how) {
  mprotect(reinterpret_cast<void*>(from), to - from, how);
}

static void give_out(uint64_t at, uint64_t bytes) {
  static uint64_t touchable = BASE;
  if (at + bytes > touchable) {
    const uint64_t end = (at + bytes + PAGE - 1) / PAGE * PAGE;
    protect(touchable, end, PROT_READ | PROT_WRITE);
    touchable = end;
  }
#if defined(__SANITIZE_ADDRESS__)
  ASAN_UNPOISON_MEMORY_REGION(reinterpret_cast<void*>(at), bytes);
#else
  if (bytes > LARGE)
    protect((at + PAGE - 1) / PAGE * PAGE, (at + bytes) / PAGE * PAGE, PROT_READ | PROT_WRITE);
#endif
}

// What was freed cannot be touched, or where it shares a page, reads as NaN.
static void take_back(uint64_t at, uint64_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
  ASAN_POISON_MEMORY_REGION(reinterpret_cast<void*>(at), bytes);
#else
  if (bytes <= LARGE) {
    std::memset(reinterpret_cast<void*>(at), 0xFF, bytes);
    return;
  }
  const uint64_t from = (at + PAGE - 1) / PAGE * PAGE, to = (at + bytes) / PAGE * PAGE;
  std::memset(reinterpret_cast<void*>(at), 0xFF, from - at);
  std::memset(reinterpret_cast<void*>(to), 0xFF, at + bytes - to);
  madvise(reinterpret_cast<void*>(from), to - from, MADV_DONTNEED);
  protect(from, to, PROT_NONE);
#endif
}

// f(from, to) for both red zones of an allocation.
template <class F> static bool red_zones(uint64_t address, uint64_t bytes, F f) {
  auto p = reinterpret_cast<unsigned char*>(address);
  return f(p - RED, p) && f(p + bytes, p + whole(bytes) - RED);
}

static void guard(uint64_t address, uint64_t bytes) {
  red_zones(address, bytes, [](unsigned char* p, unsigned char* end) {
#if defined(__SANITIZE_ADDRESS__)
    ASAN_POISON_MEMORY_REGION(p, size_t(end - p));
#else
    for (; p < end; p++) *p = pattern(p);
#endif
    return true;
  });
}

// Whether nobody wrote around an allocation.
static bool intact(uint64_t address, uint64_t bytes) {
  return red_zones(address, bytes, [](const unsigned char* p, const unsigned char* end) {
#if defined(__SANITIZE_ADDRESS__)
    (void)p, (void)end;
#else
    for (; p < end; p++)
      if (*p != pattern(p)) return false;
#endif
    return true;
  });
}

uint64_t limit() {
  const char* words = std::getenv("SEEKR_EMULATOR_MEMORY");
  return words ? std::strtoull(words, nullptr, 10) : uint64_t(4) << 30;
}
uint64_t used() { return given; }

uint64_t allocate(uint64_t bytes) {
  if (bytes > SPACE) return 0;
  const uint64_t need = whole(bytes);
  if (given + need > limit()) return 0;
  uint64_t at = 0;
  for (auto hole = holes.begin(); hole != holes.end(); ++hole) {
    if (hole->second != need) continue;
    at = hole->first;
    holes.erase(hole);
    break;
  }
  if (!at) {
    if (next + need > BASE + SPACE) return 0;
    at = next, next += need;
  }
  given += need;
  give_out(at, need);
  const uint64_t address = at + RED;
  std::memset(reinterpret_cast<void*>(address), 0xFF, bytes);
  guard(address, bytes);
  allocations[address] = bytes;
  return address;
}

bool release(uint64_t address, bool& whole_around) {
  const auto a = allocations.find(address);
  if (a == allocations.end()) return false;
  whole_around = intact(a->first, a->second);
  const uint64_t need = whole(a->second);
  take_back(address - RED, need);
  holes[address - RED] = need;
  given -= need;
  allocations.erase(a);
  return true;
}

uint64_t damaged() {
  for (auto& a : allocations) {
    if (intact(a.first, a.second)) continue;
    guard(a.first, a.second);
    return a.second;
  }
  return 0;
}

bool on_device(uint64_t address) { return address >= BASE && address < BASE + SPACE; }

bool inside(uint64_t address, uint64_t bytes) {
  auto a = allocations.upper_bound(address);
  if (a == allocations.begin()) return false;
  --a;
  return bytes <= SPACE && address + bytes <= a->first + a->second;
}

bool outside(uint64_t address) { return on_device(address) && address < next && !inside(address, 0); }

} // namespace memory
} // namespace emulator
} // namespace sk
