// matmul: who multiplies, and the float product: a grid of pieces of y, each one call of a single-threaded
// sgemm.
#include "arguments.h"
#include "instance.h"
#include "pieces.h"
#include <algorithm>
#include <atomic>
#include <cpuid.h>
#include <cstring>
#include <sys/syscall.h>
#include <unistd.h>

namespace sk {

static bool is_few(const sk_product* a) { return !a->ta && a->tb && a->M <= FEW_ROWS; }

// y[M,N] = alpha A B (+ y when accumulate), A is a[M,K] or, ta, a[K,M]; B is b[K,N] or, tb, b[N,K]
static int multiply(sk_context* ctx, const Kernels& kernels, const sk_product* a) {
  if (is_few(a)) return kernels.linear_few(ctx, a);
  const int64_t M = a->M, N = a->N, K = a->K, lda = a->ta ? M : K, ldb = a->tb ? K : N;
  const Pieces pieces(M, N, K);
  std::atomic<int> status{0};
  parallel(ctx, pieces.count, [=, &status](int64_t piece, int) {
    const int64_t i = piece / pieces.across * pieces.m, j = piece % pieces.across * pieces.n;
    const int failed = a->sgemm(a->ta ? 'T' : 'N', a->tb ? 'T' : 'N', std::min(pieces.m, M - i),
                                std::min(pieces.n, N - j), K, a->alpha, a->a + i * (a->ta ? 1 : K), lda,
                                a->b + j * (a->tb ? K : 1), ldb, a->accumulate ? 1 : 0, a->y + i * N + j, N);
    if (failed) status.store(failed, std::memory_order_relaxed);
  });
  return status;
}

static bool is_intel() {
  unsigned most, b, c, d;
  return __get_cpuid(0, &most, &b, &c, &d) && b == signature_INTEL_ebx;
}

// Tiles are state that a thread saves only where the process has asked for it; until then their first
// instruction kills it.
static bool amx_permitted() {
  constexpr long REQUEST = 0x1023, TILE_DATA = 18;
  unsigned a, b, c, d;
  const unsigned amx_bf16 = 1u << 22, amx_tile = 1u << 24;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d & amx_bf16) == 0 || (d & amx_tile) == 0) return false;
  return syscall(SYS_arch_prctl, REQUEST, TILE_DATA) == 0;
}

static bool has_vdpbf16() { return __builtin_cpu_supports("avx512bf16"); }
static bool has_amx() { return has_vdpbf16() && amx_permitted(); }

// Products of bfloat16 by AMX are 4 to 7 times as fast as those of floats by sgemm, and twice as fast by
// VDPBF16PS on AMD's CPUs; on Intel's, VDPBF16PS has half the rate and loses to sgemm. tried oneDNN's matmul:
// in place of AMX 6 % faster to 50 % slower, of VDPBF16PS 11 % faster to 27 % slower, and a primitive for
// each shape of a batch takes milliseconds.
static Multiplier fastest(bool avx512) {
  if (avx512 && has_amx()) return Multiplier::AMX;
  if (avx512 && has_vdpbf16() && !is_intel()) return Multiplier::VDPBF16;
  return Multiplier::SGEMM;
}

static Multiplier named(sk_context* ctx, const char* who) {
  const bool avx512 = ctx->isa.kernels[0] == &avx512::kernels;
  if (std::strcmp(who, "auto") == 0) return fastest(avx512);
  if (std::strcmp(who, "sgemm") == 0) return Multiplier::SGEMM;
  const struct {
    const char *name, *needs;
    bool present;
    Multiplier is;
  } known[] = {{"amx", "AMX and AVX512-BF16", has_amx(), Multiplier::AMX},
               {"vdpbf16", "AVX512-BF16", has_vdpbf16(), Multiplier::VDPBF16}};
  for (auto& k : known) {
    if (std::strcmp(who, k.name) != 0) continue;
    if (avx512 && k.present) return k.is;
    throw Error("%s needs a CPU with %s and isa avx512; this context runs on %s%s%s", who, k.needs,
                ctx->isa.name, k.present ? "" : ", on a CPU without ", k.present ? "" : k.needs);
  }
  throw Error("who is \"%.40s\", not one of auto, amx, vdpbf16, sgemm", who);
}

static int multiply_bf16(sk_context* ctx, const Kernels& kernels, const sk_product* a) {
  switch (ctx->multiplier) {
  case Multiplier::AMX: return is_few(a) ? amx::linear_few(ctx, a) : amx::matmul(ctx, a);
  case Multiplier::VDPBF16: return is_few(a) ? vdpbf16::linear_few(ctx, a) : vdpbf16::matmul(ctx, a);
  default: return is_few(a) ? kernels.linear_few(ctx, a) : kernels.matmul_widened(ctx, a);
  }
}

static void check_product(const sk_product& a) {
  SK_NOT_NULL(y), SK_NOT_NULL(a), SK_NOT_NULL(b);
  SK_FLAG(ta), SK_FLAG(tb), SK_FLAG(accumulate), SK_FLAG(wide);
  SK_AT_LEAST(M, 0), SK_AT_LEAST(N, 0), SK_AT_LEAST(K, 0);
  if (!a.sgemm) throw Error("sgemm is null");
}

} // namespace sk

using namespace sk;

SK_API int sk_matmul(sk_context* ctx, const sk_product* a) {
  return checked("sk_matmul", ctx, a, check_product, [&](const Kernels& kernels) {
    if (a->M == 0 || a->N == 0) return 0;
    if (a->K == 0) {
      const size_t bytes = a->wide || !ctx->element ? sizeof(float) : sizeof(uint16_t);
      if (!a->accumulate) std::memset(a->y, 0, size_t(a->M * a->N) * bytes);
      return 0;
    }
    const int status = ctx->element ? multiply_bf16(ctx, kernels, a) : multiply(ctx, kernels, a);
    if (status)
      throw Error("sgemm of %lld x %lld x %lld: status %d", static_cast<long long>(a->M),
                  static_cast<long long>(a->N), static_cast<long long>(a->K), status);
    return 0;
  });
}

SK_API int sk_multiply_by(sk_context* ctx, const char* who) {
  return guard("sk_multiply_by", [&] {
    not_null("ctx", ctx), not_null("who", who);
    std::lock_guard<std::mutex> lock(ctx->busy);
    ctx->multiplier = named(ctx, who);
    return 0;
  });
}

SK_API const char* sk_multiplier(sk_context* ctx) {
  if (!ctx) {
    set_last_error("sk_multiplier", "ctx is null");
    return nullptr;
  }
  if (!ctx->element || ctx->multiplier == Multiplier::SGEMM) return "sgemm";
  return ctx->multiplier == Multiplier::AMX ? "amx" : "vdpbf16";
}
