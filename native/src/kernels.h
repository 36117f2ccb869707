// The kernels that are compiled once for each instruction set, and the table of one instruction set. A kernel
// sk_<op> is sk::<isa>::<op>, of the very type that seekr.h gives it; its arguments are already checked
// (api.cpp).
#ifndef SEEKR_KERNELS_H
#define SEEKR_KERNELS_H
#include "context.h"

// clang-format off
#define SK_KERNELS(X) \
  X(embedding_fwd) X(embedding_bwd) X(rmsnorm_fwd) X(rmsnorm_bwd) X(rope_fwd) X(rope_bwd) \
  X(attention_fwd) X(attention_bwd) X(attention_capture) X(attention_diff) X(attention_decode) \
  X(swiglu_fwd) X(swiglu_bwd) X(gather) X(scatter) X(scatter_add) X(dropout) X(loss) \
  X(adamw) X(dot) X(add_scaled) X(add_squares) X(anchor) X(zero)
// clang-format on

namespace sk {

// What sk_matmul uses in sgemm's place where a has few rows (linear.cpp).
constexpr int64_t FEW_ROWS = 16;
typedef int Product(sk_context* ctx, const sk_product* a);

// What it uses for bf16 (matmul_bf16.cpp), and whether this context may: on avx512, on a CPU with
// AVX512-BF16.
namespace avx512_bf16 {
Product matmul;
}
bool has_bf16(sk_context* ctx);

struct Kernels {
#define X(op) decltype(&sk_##op) op;
  SK_KERNELS(X)
#undef X
  Product* linear_few;
};

#define SK_DECLARE_TABLE(isa)   \
  namespace isa {               \
  extern const Kernels kernels; \
  }
SK_DECLARE_TABLE(avx512)
SK_DECLARE_TABLE(avx2)
SK_DECLARE_TABLE(scalar)

#ifdef SK_ISA
namespace SK_ISA {
#define X(op) decltype(sk_##op) op;
SK_KERNELS(X)
#undef X
Product linear_few;
} // namespace SK_ISA
#endif

} // namespace sk
#endif
