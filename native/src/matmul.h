#ifndef SEEKR_MATMUL_H
#define SEEKR_MATMUL_H
#include "context.h"

namespace sk {
int matmul(sk_context* ctx, void* sgemm, float* y, const float* a, const float* b, int64_t M, int64_t N, int64_t K,
           bool ta, bool tb, bool accumulate);
}
#endif
