#ifndef SEEKR_SUM_PARTS_H
#define SEEKR_SUM_PARTS_H
#include "launch.h"

namespace sk {
// out[s, across] = sums of parts[i, across] over start[s] <= i < start[s+1], in an order that does not vary;
// all on the device.
void sum_parts(sk_context* ctx, double* out, const double* parts, const std::vector<int32_t>& start,
               int64_t across);
} // namespace sk
#endif
