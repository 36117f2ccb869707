// Contexts: creation, choice of the instruction set, scratch memory.
#include "arguments.h"
#include "instance.h"
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <sched.h>
#include <system_error>

namespace sk {

std::mutex& busy(sk_context* ctx) { return ctx->busy; }

// Attention multiplies as matrix products do.
static Kernels with(decltype(&sk_attention_fwd) fwd, decltype(&sk_attention_bwd) bwd) {
  Kernels kernels = avx512_e16::kernels;
  kernels.attention_fwd = fwd, kernels.attention_bwd = bwd;
  return kernels;
}

const Kernels& enter(sk_context* ctx) {
  static const Kernels vdpbf16 = with(vdpbf16::attention_fwd, vdpbf16::attention_bwd),
                       amx = with(amx::attention_fwd, amx::attention_bwd);
  if (ctx->element && ctx->multiplier == Multiplier::VDPBF16) return vdpbf16;
  if (ctx->element && ctx->multiplier == Multiplier::AMX) return amx;
  return *ctx->isa.kernels[ctx->element];
}

Scratch::~Scratch() { std::free(memory); }

float* Scratch::get(int64_t floats) {
  if (floats > size) {
    std::free(memory);
    size = 0;
    int64_t rounded = (floats + floats / 4 + 1023) / 1024 * 1024;
    memory = static_cast<float*>(std::aligned_alloc(64, size_t(rounded) * sizeof(float)));
    if (!memory) throw Error("out of memory: %lld bytes of scratch", static_cast<long long>(rounded) * 4);
    size = rounded;
  }
  return memory;
}

int workers(sk_context* ctx) { return ctx->pool.threads(); }
float* scratch(sk_context* ctx, int worker, int64_t floats) {
  return ctx->scratch[size_t(worker)].get(floats);
}
float* shared_scratch(sk_context* ctx, int64_t floats) { return ctx->shared.get(floats); }
void run(sk_context* ctx, int64_t tasks, void (*task)(void*, int64_t, int), void* argument) {
  ctx->pool.run(tasks, task, argument);
}

// __builtin_cpu_supports asks CPUID, and XGETBV whether the system saves the registers.
static bool has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("fma");
}
static bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

static InstructionSet choose(const char* wanted) {
  struct Candidate {
    InstructionSet isa;
    bool present;
  } const candidates[] = {{{"avx512", {&avx512::kernels, &avx512_e16::kernels}}, has_avx512()},
                          {{"avx2", {&avx2::kernels, &avx2_e16::kernels}}, has_avx2()},
                          {{"scalar", {&scalar::kernels, &scalar_e16::kernels}}, true}}; // best first
  bool any = std::strcmp(wanted, "auto") == 0;
  for (const Candidate& c : candidates) {
    if (any && c.present) return c.isa;
    if (std::strcmp(wanted, c.isa.name) != 0) continue;
    if (!c.present) throw Error("this CPU, or its operating system, does not support isa \"%s\"", wanted);
    return c.isa;
  }
  throw Error("isa is \"%.40s\", not one of auto, avx512, avx2, scalar", wanted);
}

static int available_cpus() {
  // As large a set as it takes: the system may have more CPUs than a cpu_set_t holds.
  for (int cpus = CPU_SETSIZE; cpus <= 1 << 20; cpus *= 2) {
    std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set(CPU_ALLOC(cpus), [](cpu_set_t* s) { CPU_FREE(s); });
    if (!set) throw std::bad_alloc();
    if (sched_getaffinity(0, CPU_ALLOC_SIZE(cpus), set.get()) == 0)
      return CPU_COUNT_S(CPU_ALLOC_SIZE(cpus), set.get());
  }
  return 1;
}

} // namespace sk

using namespace sk;

SK_API int sk_create(sk_context** ctx, int32_t threads, const char* isa) {
  return guard("sk_create", [&] {
    if (!ctx) throw Error("ctx is null");
    *ctx = nullptr;
    if (!isa) throw Error("isa is null");
    if (threads > 4096) throw Error("threads is %d, more than 4096", threads);
    InstructionSet chosen = choose(isa);
    if (threads <= 0) threads = available_cpus();
    try {
      *ctx = new sk_context(chosen, threads);
    } catch (const std::system_error& e) {
      throw Error("cannot start %d threads: %s", threads, e.what());
    }
    return 0;
  });
}

SK_API int sk_destroy(sk_context* ctx) {
  return guard("sk_destroy", [&] {
    if (!ctx) throw Error("ctx is null");
    delete ctx;
    return 0;
  });
}

SK_API int sk_configure(sk_context* ctx, int32_t element, void* stream) {
  return guard("sk_configure", [&] {
    if (!ctx) throw Error("ctx is null");
    if (element != 0 && element != 1)
      throw Error("element is %d; on CPUs kernels compute in 0 (float) or 1 (bfloat16)", element);
    if (stream) throw Error("a CPU context has no stream");
    std::lock_guard<std::mutex> lock(ctx->busy);
    ctx->element = element;
    return 0;
  });
}

SK_API const char* sk_isa(sk_context* ctx) {
  if (ctx) return ctx->isa.name;
  set_last_error("sk_isa", "ctx is null");
  return nullptr;
}
