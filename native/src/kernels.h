// The kernels that are compiled once for each instruction set and type of elements, and the table of both. A
// kernel sk_<op> is sk::<isa>::<op>, of the very type that seekr.h gives it; its arguments are already
// checked (api.cpp).
#ifndef SEEKR_KERNELS_H
#define SEEKR_KERNELS_H
#include "context.h"

// clang-format off
#define SK_KERNELS(X) \
  X(embedding_bwd) X(rmsnorm_fwd) X(rmsnorm_bwd) X(rope_fwd) X(rope_bwd) \
  X(attention_fwd) X(attention_bwd) X(attention_capture) X(attention_diff) X(attention_decode) \
  X(swiglu_fwd) X(swiglu_bwd) X(gather) X(scatter) X(scatter_add) X(dropout) X(loss) \
  X(adamw) X(dot) X(add_scaled) X(add_squares) X(anchor) X(zero)
// clang-format on

namespace sk {

// What sk_matmul uses in sgemm's place where a has few rows (linear.cpp): no row's bits depend on the others.
// tried sgemm from 8 rows on: 35 % faster (8 x 1536 x 576) to 4 times as slow (16 x 4096 x 4096), VDPBF16's
// matmul: 57 % slower for 8 rows, 13 % for 16.  tried linear_few up to 32 rows: floats 15 % slower
// (32 x 1536 x 576) to 60 % faster (32 x 4096 x 4096), bfloat16 6 % slower to 6 % faster
constexpr int64_t FEW_ROWS = 16;
typedef int Product(sk_context* ctx, const sk_product* a);

// What multiplies pairs of bfloat16 on avx512 and a CPU with AVX512-BF16, or with AMX too:
// matmul_vdpbf16.cpp, matmul_amx.cpp, linear_vdpbf16.cpp, linear_amx.cpp, and attention of pairs.
#define SK_DECLARE_PAIRS(isa)               \
  namespace isa {                           \
  Product matmul, linear_few;               \
  decltype(sk_attention_fwd) attention_fwd; \
  decltype(sk_attention_bwd) attention_bwd; \
  }
SK_DECLARE_PAIRS(vdpbf16)
SK_DECLARE_PAIRS(amx)

struct Kernels {
#define X(op) decltype(&sk_##op) op;
  SK_KERNELS(X)
#undef X
  Product* linear_few;
  Product* matmul_widened; // NULL where elements are float
};

#define SK_DECLARE_TABLE(isa)   \
  namespace isa {               \
  extern const Kernels kernels; \
  }
SK_DECLARE_TABLE(avx512)
SK_DECLARE_TABLE(avx2)
SK_DECLARE_TABLE(scalar)
SK_DECLARE_TABLE(avx512_e16)
SK_DECLARE_TABLE(avx2_e16)
SK_DECLARE_TABLE(scalar_e16)

#ifdef SK_ISA
namespace SK_ISA {
#define X(op) decltype(sk_##op) op;
SK_KERNELS(X)
#undef X
Product linear_few, matmul_widened;
} // namespace SK_ISA
#endif

} // namespace sk
#endif
