// device.cuh for g++: kernels become plain functions that every thread of a block runs as a fiber (block.h).
// Strict where the hardware is silent: see the messages in block.cpp and warp.cpp. Where launchers are
// compiled nothing of this is called.
#ifndef SEEKR_EMULATOR_INTRINSICS_H
#define SEEKR_EMULATOR_INTRINSICS_H
#include "block.h"
#include <cmath>
#include <cstring>

#define SK_DEVICE inline
#define SK_UNROLL

#ifdef SK_EMULATOR
#define SK_KERNEL(name, ...) static const sk::emulator::Registered<__VA_ARGS__> registered_##name(#name);
#else
// The name by which a launcher finds the kernel in the module.
#define SK_KERNEL(name, ...)                    \
  template <> struct KernelName<__VA_ARGS__> {  \
    static constexpr const char* value = #name; \
  };
#endif

namespace sk {

template <class K> struct KernelName;

inline int thread() { return emulator::thread_index(); }
inline int lane() { return emulator::thread_index() % 32; }
inline int warp() { return emulator::thread_index() / 32; }
inline int64_t block_x() { return emulator::block_index(0); }
inline int64_t block_y() { return emulator::block_index(1); }
inline int64_t blocks_x() { return emulator::grid_size(0); }
template <class T> inline T* shared(int64_t byte_offset = 0) {
  return static_cast<T*>(emulator::shared_address(byte_offset, alignof(T)));
}
// Where a thread waits is its caller's address: threads that meet at different places are an error.
__attribute__((noinline)) inline void barrier() { emulator::barrier(__builtin_return_address(0)); }

inline void check_aligned(const void* p, size_t bytes) {
  if (reinterpret_cast<uintptr_t>(p) % bytes)
    emulator::fail("an access of %zu bytes that is not aligned to them", bytes);
}

template <class T> inline T shuffle(T v, int from) {
  double payload = 0;
  static_assert(sizeof v <= sizeof payload, "one register or two");
  std::memcpy(&payload, &v, sizeof v);
  payload = emulator::shuffle(payload, from);
  std::memcpy(&v, &payload, sizeof v);
  return v;
}

template <class T> inline T shuffle_xor(T v, int mask) { return shuffle(v, lane() ^ mask); }

inline float fast_exp2(float x) {
  const float y = std::exp2(x);
  return y < __FLT_MIN__ ? 0 : y;
}
inline float exact_exp(float x) { return std::exp(x); }
inline float exact_log(float x) { return std::log(x); }
inline double exact_log(double x) { return std::log(x); }
inline float root(float x) { return std::sqrt(x); }
inline double root(double x) { return std::sqrt(x); }

inline float to_float(float x) { return x; }
inline float to_float(bf16 x) {
  const uint32_t bits = uint32_t(x.bits) << 16;
  float y;
  std::memcpy(&y, &bits, sizeof y);
  return y;
}
inline float to_float(f16 x) {
  _Float16 y;
  std::memcpy(&y, &x, sizeof y);
  return float(y);
}
template <class T> inline T from_float(float x);
template <> inline float from_float<float>(float x) { return x; }
template <> inline bf16 from_float<bf16>(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  if (x != x) return {0x7FFF}; // the NaN that cvt gives
  return {uint16_t((bits + 0x7FFF + (bits >> 16 & 1)) >> 16)};
}
template <> inline f16 from_float<f16>(float x) {
  const _Float16 y = _Float16(x);
  f16 z;
  std::memcpy(&z, &y, sizeof z);
  return z;
}
template <class T> inline uint32_t pack(float first, float second) {
  return from_float<T>(first).bits | uint32_t(from_float<T>(second).bits) << 16;
}

inline void cp_async16(void* to, const void* from, bool valid) { emulator::cp_async(to, from, valid); }
inline void cp_async_commit() { emulator::cp_async_commit(); }
template <int N> inline void cp_async_wait() { emulator::cp_async_wait(N); }

inline void ldmatrix(uint32_t r[4], const void* row) { emulator::ldmatrix(r, row, false); }
inline void ldmatrix_transposed(uint32_t r[4], const void* row) { emulator::ldmatrix(r, row, true); }

template <class T> inline void mma(float c[4], const FragA<T>& a, const FragB<T>& b) {
  T elements[12];
  std::memcpy(elements, a.r, sizeof a.r);
  std::memcpy(elements + 8, b.r, sizeof b.r);
  float x[12];
  for (int i = 0; i < 12; i++) x[i] = to_float(elements[i]);
  emulator::mma(c, x, x + 8);
}

// PTX ISA, "cvt", .rna.tf32.f32: 10 bits after the point, nearest, ties away from zero.
inline float tf32(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  if ((bits & 0x7F800000) != 0x7F800000) bits = (bits + 0x1000) & 0xFFFFE000;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

// Floats as sums of two TF32 numbers, as in device.cuh.
template <> inline void mma(float c[4], const FragA<float>& a, const FragB<float>& b) {
  float x[12], high[12], low[12];
  std::memcpy(x, a.r, sizeof a.r);
  std::memcpy(x + 8, b.r, sizeof b.r);
  for (int i = 0; i < 12; i++) high[i] = tf32(x[i]), low[i] = tf32(x[i] - high[i]);
  emulator::mma(c, low, high + 8);
  emulator::mma(c, high, low + 8);
  emulator::mma(c, high, high + 8);
}

} // namespace sk
#endif
