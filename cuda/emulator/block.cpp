// Fibers of a block: scheduling, barriers, asynchronous copies, shared memory.
#include "block.h"
#include "fiber.h"
#include "state.h"
#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <pthread.h>
#include <signal.h>
#include <string>
#include <sys/mman.h>
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

asm(R"(
.text
.globl sk_emulator_switch
.hidden sk_emulator_switch
.type sk_emulator_switch, @function
sk_emulator_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size sk_emulator_switch, .-sk_emulator_switch
)");

namespace sk {
namespace emulator {

Kernel* kernels = nullptr;
Counts counts;
Block block;
static std::string error;
static uint64_t begin, end; // of a launch, where threads and the scheduler meet

const char* message() { return error.c_str(); }
int thread_index() { return block.current; }
int64_t block_index(int dimension) { return block.index[dimension]; }
int64_t grid_size(int dimension) { return block.launch->grid[dimension]; }

// Guard pages below each stack: an overrun is a fault, not a neighbour's surprise.
static constexpr size_t STACK = 128 << 10, GUARD = 4096;
static char* stacks = nullptr;
static size_t stack_count = 0;

static void forget_stacks() {
  if (stacks) munmap(stacks, stack_count * (STACK + GUARD));
  stacks = nullptr, stack_count = 0;
}

static char* stack(size_t i) { return stacks + i * (STACK + GUARD) + GUARD; }

static void make_stacks(size_t threads) {
  if (threads <= stack_count) return;
  forget_stacks();
  void* all = mmap(nullptr, threads * (STACK + GUARD), PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (all == MAP_FAILED) std::abort();
  stacks = static_cast<char*>(all), stack_count = threads;
  for (size_t i = 0; i < threads; i++) mprotect(stack(i) - GUARD, GUARD, PROT_NONE);
}

// Shared memory ends where a page that cannot be touched begins, whatever its size.
static unsigned char* shared_memory(size_t bytes) {
  static char* all = nullptr;
  static size_t room = 0;
  const size_t rounded = (bytes + 4095) / 4096 * 4096;
  if (rounded > room || !all || races::SEEN) { // ThreadSanitizer takes it for other memory then
    if (all) munmap(all, room + GUARD);
    all = static_cast<char*>(
        mmap(nullptr, rounded + GUARD, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    room = rounded;
    mprotect(all + room, GUARD, PROT_NONE);
  }
  const size_t given = (bytes + 127) / 128 * 128;
#if defined(__SANITIZE_ADDRESS__)
  ASAN_POISON_MEMORY_REGION(all, room);
  ASAN_UNPOISON_MEMORY_REGION(all + room - given, bytes);
#endif
  return reinterpret_cast<unsigned char*>(all + room - given);
}

void fail(const char* format, ...) {
  char words[512], where[160];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(words, sizeof words, format, arguments);
  va_end(arguments);
  std::snprintf(where, sizeof where, "%s, block (%u, %u, %u), thread %d: ", block.launch->kernel,
                block.index[0], block.index[1], block.index[2], block.current);
  if (error.empty()) error = std::string(where) + words;
  block.failed = true;
  races::leaving(&end);
  leave();
  __builtin_unreachable();
}

// Back to the scheduler, for good when the thread failed.
void leave() {
  Fiber& self = block.fibers[size_t(block.current)];
  Fiber::change(self, block.scheduler);
}

// A thread that touches what no memory is at (the end of shared memory, device memory not given out) fails
// like any other. Faults of anyone else go where they went before. Sanitizers have handlers of their own.
#if !defined(__SANITIZE_ADDRESS__) && !defined(SK_TSAN)
static struct sigaction before;
static pthread_t runner;

static void on_fault(int signal, siginfo_t* information, void* context) {
  if (pthread_equal(pthread_self(), runner))
    fail("touches %p, where no memory of the device is", information->si_addr);
  if (before.sa_flags & SA_SIGINFO) before.sa_sigaction(signal, information, context);
  else sigaction(SIGSEGV, &before, nullptr); // the fault comes again, and meets it
}

struct Faults {
  Faults() {
    runner = pthread_self();
    struct sigaction ours = {};
    ours.sa_sigaction = on_fault;
    ours.sa_flags = SA_SIGINFO | SA_NODEFER; // no return from a thread that failed
    sigaction(SIGSEGV, &ours, &before);
  }
  ~Faults() { sigaction(SIGSEGV, &before, nullptr); }
};
#else
struct Faults {
  ~Faults() {}
};
#endif

static void body() {
  Fiber fresh;
  Fiber::arrived(fresh);
  races::entering(&begin);
  block.launch->run(block.launch->arguments);
  Thread& t = block.threads[size_t(block.current)];
  bool under_way = !t.open.empty();
  for (const auto& group : t.groups) under_way |= !group.empty();
  if (under_way) fail("ends with asynchronous copies under way: a cp_async_wait<0> is missing");
  t.state = Thread::DONE;
  races::leaving(&end);
  leave();
  __builtin_unreachable();
}

void* shared_address(int64_t offset, size_t alignment) {
  if (offset < 0 || size_t(offset) > block.launch->shared)
    fail("shared memory at byte %lld of %zu", static_cast<long long>(offset), block.launch->shared);
  if (size_t(offset) % alignment != 0)
    fail("shared memory at byte %lld, not aligned to %zu", static_cast<long long>(offset), alignment);
  return block.shared + offset;
}

void barrier(const void* place) {
  Thread& t = block.threads[size_t(block.current)];
  t.state = Thread::BARRIER;
  t.place = place;
  races::leaving(block.meeting);
  leave();
  races::entering(block.meeting);
}

// PTX ISA, "cp.async": the bytes are undefined until wait_group; here they are NaN until then.
void cp_async(void* to, const void* from, bool valid) {
  auto target = static_cast<unsigned char*>(to);
  if (target < block.shared || target + 16 > block.shared + block.launch->shared)
    fail("cp_async16 writes outside shared memory");
  if (reinterpret_cast<uintptr_t>(to) % 16 != 0)
    fail("cp_async16 into a shared address that is not aligned to 16 bytes");
  if (valid && reinterpret_cast<uintptr_t>(from) % 16 != 0)
    fail("cp_async16 from a global address that is not aligned to 16 bytes");
  std::memset(to, 0xFF, 16);
  races::writes(to);
  if (valid) races::reads(from);
  block.threads[size_t(block.current)].open.push_back({to, from, valid});
}

void cp_async_commit() {
  Thread& t = block.threads[size_t(block.current)];
  t.groups.push_back(std::move(t.open));
  t.open.clear();
}

void cp_async_wait(int left) {
  Thread& t = block.threads[size_t(block.current)];
  while (t.groups.size() > size_t(left)) {
    for (const Copy& c : t.groups.front()) {
      races::writes(c.to);
      if (c.valid) races::reads(c.from);
      if (c.valid) std::memcpy(c.to, c.from, 16);
      else std::memset(c.to, 0, 16);
    }
    t.groups.pop_front();
  }
}

static std::string who_waits() {
  int done = 0, at_barrier = 0, in_warp = 0;
  for (const Thread& t : block.threads) {
    done += t.state == Thread::DONE;
    at_barrier += t.state == Thread::BARRIER;
    in_warp += t.state == Thread::WARP;
  }
  char words[160];
  std::snprintf(words, sizeof words, "%d at a barrier, %d inside a warp operation, %d done", at_barrier,
                in_warp, done);
  return words;
}

// All threads that are left stand at one and the same barrier: they go on.
static bool release_barrier() {
  const void* place = nullptr;
  for (size_t i = 0; i < block.threads.size(); i++) {
    const Thread& t = block.threads[i];
    block.current = int(i);
    if (t.state != Thread::BARRIER || (place && t.place != place)) {
      char words[256];
      std::snprintf(words, sizeof words, "%s, block (%u, %u, %u): %s: %s", block.launch->kernel,
                    block.index[0], block.index[1], block.index[2],
                    t.state == Thread::BARRIER ? "threads wait at different barriers" : "deadlock",
                    who_waits().c_str());
      if (error.empty()) error = words;
      return false;
    }
    place = t.place;
  }
  for (size_t i = 0; i < block.threads.size(); i++) {
    block.threads[i].state = Thread::READY;
    block.ready.push_back(int(i));
  }
  return true;
}

static uint64_t draw(uint64_t& random) {
  random = random * 6364136223846793005u + 1442695040888963407u;
  return random >> 33;
}

// The threads that run next. FIFO keeps all warps in step. The others let one warp run as far as it can
// before another moves: that is how a warp comes to overwrite what the next has yet to read.
static void take(std::vector<int>& round, Order order, uint64_t& random) {
  std::vector<int>& ready = block.ready;
  std::sort(ready.begin(), ready.end());
  round.clear();
  if (order == Order::FIFO) {
    round.swap(ready);
    return;
  }
  const int warp = (order == Order::LIFO ? ready.back() : ready[draw(random) % ready.size()]) / 32;
  auto of_warp = [warp](int thread) { return thread / 32 == warp; };
  std::copy_if(ready.begin(), ready.end(), std::back_inserter(round), of_warp);
  ready.erase(std::remove_if(ready.begin(), ready.end(), of_warp), ready.end());
  if (order == Order::LIFO) std::reverse(round.begin(), round.end());
  for (size_t i = round.size(); order == Order::RANDOM && i > 1; i--)
    std::swap(round[i - 1], round[draw(random) % i]);
}

static bool run_block(uint64_t& random) {
  const size_t n = block.launch->threads;
  block.failed = false;
  block.shared = shared_memory(block.launch->shared);
  std::memset(block.shared, 0xFF, block.launch->shared); // NaN until written
  races::leaving(&begin);
  block.threads.clear(); // with what threads of another block have allocated in them
  block.threads.resize(n);
  block.warps.assign((n + 31) / 32, {});
  block.fibers.resize(n);
  block.ready.clear();
  for (size_t i = 0; i < n; i++) {
    const size_t as = i * races::COLOURS + races::colour(block.index);
    block.fibers[i].start(stack(as), STACK, body, races::thread(as));
    block.ready.push_back(int(i));
  }
  std::vector<int> round;
  for (;;) {
    if (block.ready.empty()) {
      bool all_done = true;
      for (const Thread& t : block.threads) all_done &= t.state == Thread::DONE;
      if (all_done) return true;
      if (!release_barrier()) return false;
    }
    take(round, block.launch->order, random);
    for (int i : round) {
      block.current = i;
      Fiber::change(block.scheduler, block.fibers[size_t(i)]);
      if (block.failed) return false;
    }
  }
}

// Blocks of one kernel run in any order: as they are counted, from the last, or shuffled.
static std::vector<uint64_t> block_order(uint64_t n, Order order, uint64_t& random) {
  std::vector<uint64_t> blocks(n);
  for (uint64_t i = 0; i < n; i++) blocks[i] = order == Order::LIFO ? n - 1 - i : i;
  for (uint64_t i = n; order == Order::RANDOM && i > 1; i--)
    std::swap(blocks[i - 1], blocks[draw(random) % i]);
  return blocks;
}

bool launch(const Launch& launch) {
  error.clear();
  counts.launches++;
  block.launch = &launch;
  if (launch.threads == 0 || launch.threads > 1024 || launch.threads % 32 != 0) {
    error = std::string(launch.kernel) + ": a block of " + std::to_string(launch.threads) + " threads";
    return false;
  }
  void* bottom = nullptr;
  size_t size = 0;
#if defined(__SANITIZE_ADDRESS__)
  pthread_attr_t attributes;
  pthread_getattr_np(pthread_self(), &attributes);
  pthread_attr_getstack(&attributes, &bottom, &size);
  pthread_attr_destroy(&attributes);
#endif
  block.scheduler.is_this_thread(bottom, size);
  make_stacks(launch.threads * races::COLOURS);
  Faults faults;
  uint64_t random = launch.seed * 0x9E3779B97F4A7C15u + 1;
  const unsigned* grid = launch.grid;
  const uint64_t blocks = uint64_t(grid[0]) * grid[1] * grid[2];
  std::vector<uint64_t> meetings(races::SEEN ? blocks : 1);
  bool well = true;
  races::Unseen scheduling;
  for (uint64_t b : block_order(blocks, launch.order, random)) {
    block.index[0] = unsigned(b % grid[0]), block.index[1] = unsigned(b / grid[0] % grid[1]);
    block.index[2] = unsigned(b / grid[0] / grid[1]);
    block.meeting = &meetings[races::SEEN ? b : 0];
    well = run_block(random);
    if (!well) break;
  }
  races::entering(&end);
  if (!well && races::SEEN) races::forget_threads(), forget_stacks(); // which were left in the middle
  return well;
}

} // namespace emulator
} // namespace sk
