// The kernels of one instruction set, gathered.
#include "kernels.h"

namespace sk {
namespace SK_ISA {

const Kernels kernels = {
#define X(op) op,
    SK_KERNELS(X)
#undef X
        linear_few,
};

} // namespace SK_ISA
} // namespace sk
