// Contexts: creation, choice of the instruction set, errors, use from several threads at once.
#include "check.h"
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <thread>

namespace sk {
namespace avx512 {
void simd_tests();
}
namespace avx2 {
void simd_tests();
}
namespace scalar {
void simd_tests();
}
} // namespace sk

void simd_tests() {
  for (const std::string& isa : instruction_sets()) {
    if (isa == "avx512") sk::avx512::simd_tests();
    if (isa == "avx2") sk::avx2::simd_tests();
    if (isa == "scalar") sk::scalar::simd_tests();
  }
}

// How many threads may still be started; -1 is any number. The library's calls arrive here.
static int threads_granted = -1;

extern "C" __attribute__((visibility("default"))) int pthread_create(pthread_t* thread,
                                                                     const pthread_attr_t* attributes,
                                                                     void* (*start)(void*),
                                                                     void* argument) noexcept {
  using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const Create create = reinterpret_cast<Create>(dlsym(RTLD_NEXT, "pthread_create"));
  if (threads_granted == 0) return EAGAIN;
  if (threads_granted > 0) threads_granted--;
  return create(thread, attributes, start, argument);
}

static int threads_of_process() {
  int n = 0;
  DIR* tasks = opendir("/proc/self/task");
  while (dirent* entry = readdir(tasks)) n += entry->d_name[0] != '.';
  closedir(tasks);
  return n;
}

static void creation() {
  sk_context* ctx = nullptr;
  check_ok(sk_create(&ctx, 0, "auto"), "auto");
  check(sk_isa(ctx) == instruction_sets()[0], "auto is the best instruction set");
  check_ok(sk_destroy(ctx), "destroy");

  const int before = threads_of_process();
  check_ok(sk_create(&ctx, 3, "scalar"), "three threads");
  check(threads_of_process() == before + 2, "three threads: the caller and two more");
  check(std::strcmp(sk_isa(ctx), "scalar") == 0, "isa is what was asked for");
  check_ok(sk_destroy(ctx), "destroy");
  check(threads_of_process() == before, "no thread is left behind");

  check_error(sk_create(nullptr, 1, "auto"), "sk_create: ctx is null");
  check_error(sk_create(&ctx, 1, nullptr), "sk_create: isa is null");
  check(ctx == nullptr, "a failed creation gives null");
  check_error(sk_create(&ctx, 1, "neon"), "isa is \"neon\", not one of auto, avx512, avx2, scalar");
  check_error(sk_create(&ctx, 5000, "auto"), "threads is 5000");
  check_error(sk_destroy(nullptr), "sk_destroy: ctx is null");
  check(sk_isa(nullptr) == nullptr, "sk_isa of null");
  for (const char* isa : {"avx512", "avx2"})
    if (sk_create(&ctx, 1, isa) == 0) check_ok(sk_destroy(ctx), "destroy");
    else check_error(1, "does not support isa");
}

// A system that refuses threads: those already started are gone again, and the message tells.
static void creation_without_threads() {
  const int threads = threads_of_process();
  for (int granted : {0, 1, 5}) {
    sk_context* ctx = nullptr;
    threads_granted = granted;
    int status = sk_create(&ctx, 8, "auto");
    threads_granted = -1;
    check_error(status, "sk_create: cannot start 8 threads: Resource temporarily unavailable");
    check(ctx == nullptr, "no context without its threads");
    check(threads_of_process() == threads, "no thread is left behind of %d", granted);
  }
}

// What elements are, and who multiplies them.
static void configuration() {
  sk_context* ctx = nullptr;
  check_ok(sk_create(&ctx, 1, "scalar"), "create");
  check_error(sk_configure(nullptr, 0, nullptr), "sk_configure: ctx is null");
  check_error(sk_configure(ctx, 2, nullptr),
              "element is 2; on CPUs kernels compute in 0 (float) or 1 (bfloat16)");
  check_error(sk_configure(ctx, 1, ctx), "a CPU context has no stream");
  uint16_t halves[2] = {7, 7};
  sk_vector zeros{.x = reinterpret_cast<float*>(halves), .n = 1};
  check_ok(sk_configure(ctx, 1, nullptr), "bfloat16");
  check_ok(sk_zero(ctx, &zeros), "zero");
  check(halves[0] == 0 && halves[1] == 7, "an element of bfloat16 is two bytes");

  check_error(sk_multiply_by(nullptr, "auto"), "sk_multiply_by: ctx is null");
  check_error(sk_multiply_by(ctx, nullptr), "who is null");
  check_error(sk_multiply_by(ctx, "blas"), "who is \"blas\", not one of auto, amx, vdpbf16, sgemm");
  check_error(sk_multiply_by(ctx, "vdpbf16"), "vdpbf16 needs a CPU with AVX512-BF16 and isa avx512");
  check_error(sk_multiply_by(ctx, "amx"), "amx needs a CPU with AMX and AVX512-BF16 and isa avx512");
  check_ok(sk_multiply_by(ctx, "auto"), "auto");
  check(std::strcmp(sk_multiplier(ctx), "sgemm") == 0, "on scalar floats are multiplied");
  check(sk_multiplier(nullptr) == nullptr, "sk_multiplier of null");
  check_ok(sk_destroy(ctx), "destroy");
}

static void errors_per_thread() {
  check_error(sk_zero(nullptr, nullptr), "sk_zero: ctx is null");
  std::thread([] { check(sk_last_error()[0] == 0, "another thread has no error"); }).join();
  check(std::strstr(sk_last_error(), "sk_zero"), "this thread still has its own");
}

static void shared_context() {
  sk_context* ctx = nullptr;
  check_ok(sk_create(&ctx, 3, "auto"), "create");
  const int64_t n = 40001;
  std::vector<float> x(n, 0.5f);
  double results[4][50];
  std::vector<std::thread> callers;
  for (auto& mine : results)
    callers.emplace_back([&] {
      for (double& r : mine) {
        const sk_pair pair{.out = &r, .x = x.data(), .y = x.data(), .n = n};
        sk_dot(ctx, &pair);
      }
    });
  for (std::thread& caller : callers) caller.join();
  bool same = true;
  for (auto& mine : results)
    for (double r : mine) same &= r == 0.25 * n;
  check(same, "four callers of one context");
  check_ok(sk_destroy(ctx), "destroy");
}

// Many short jobs: what a helper that joins late, or not at all, could break.
static void many_jobs() {
  each_context([](sk_context* ctx, const std::string& label) {
    std::vector<float> x(16384 * 3 + 5, 1);
    double out = 0;
    bool right = true;
    for (int i = 0; i < 2000; i++) {
      const sk_pair pair{.out = &out, .x = x.data(), .y = x.data(), .n = int64_t(x.size()) - i};
      sk_dot(ctx, &pair);
      right &= out == double(pair.n);
    }
    check(right, "many jobs %s", label.c_str());
  });
}

void context_tests() {
  creation();
  creation_without_threads();
  configuration();
  errors_per_thread();
  shared_context();
  many_jobs();
}
