// The kernels of one instruction set and type of elements, gathered.
#include "kernels.h"

namespace sk {
namespace SK_ISA {

const Kernels kernels = {
#define X(op) op,
    SK_KERNELS(X)
#undef X
        linear_few,
#ifdef SK_BF16
    matmul_widened,
#else
    nullptr,
#endif
};

} // namespace SK_ISA
} // namespace sk
