// An element of 16 bits as it lies in memory.
#ifndef SEEKR_BF16_H
#define SEEKR_BF16_H
#include <stdint.h>

namespace sk {

// bfloat16: the upper half of a float.
struct bf16 {
  uint16_t bits;
};

} // namespace sk
#endif
