// AMX: eight tile registers of 16 rows of 64 bytes. One instruction adds to a tile of 16 x 16 floats the
// products of a tile of 16 rows of 16 pairs of bfloat16 and one of 16 pairs by 16 columns: 16384 operations
// in 16 cycles. It takes subnormals for 0.
#ifndef SEEKR_AMX_H
#define SEEKR_AMX_H
#include <stdint.h>

namespace sk {
namespace SK_ISA {

#define SK_TILE static inline __attribute__((always_inline)) void

// In assembler, for GCC 12's intrinsics do not say what memory they read. Strides are bytes.
template <int T> SK_TILE clear_tile() { asm volatile("tilezero %%tmm%c0" ::"i"(T)); }
template <int T> SK_TILE load_tile(const void* at, int64_t stride) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(at), "r"(stride), "i"(T) : "memory");
}
template <int T> SK_TILE store_tile(void* at, int64_t stride) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(at), "r"(stride), "i"(T) : "memory");
}
// SUM += A B
template <int SUM, int A, int B> SK_TILE multiply_tiles() {
  asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(SUM), "i"(A), "i"(B));
}

// While it lives the calling thread's tiles have their full size. A process has to ask for tiles first: see
// amx_permitted.
struct Tiles {
  Tiles() {
    struct alignas(64) {
      uint8_t palette = 1, start_row = 0, reserved[14] = {};
      uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    } const whole;
    asm volatile("ldtilecfg %0" ::"m"(whole));
  }
  ~Tiles() { asm volatile("tilerelease"); }
  Tiles(const Tiles&) = delete;
};

} // namespace SK_ISA
} // namespace sk
#endif
