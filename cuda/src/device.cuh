// The device vocabulary: everything a kernel needs beyond C++. nvcc reads it as intrinsics and one line of
// PTX each; g++ as calls of the emulator (emulator/intrinsics.h), which also serves where launchers are
// compiled and no kernel runs.
#ifndef SEEKR_DEVICE_CUH
#define SEEKR_DEVICE_CUH
#include "../../native/include/seekr.h"
#include <stdint.h>

namespace sk {

// Elements of 16 bits, as they lie in memory.
struct bf16 {
  uint16_t bits;
};
struct f16 {
  uint16_t bits;
};

// Operands of a warp's product of 16x16 by 16x8, as mma.m16n8k16 spreads them over the lanes (PTX ISA,
// "Matrix fragments for mma.m16n8k16"); with g = lane / 4, t = lane % 4:
//   A: (row g, k 2t..2t+1) (row g+8, k 2t..) (row g, k 2t+8..) (row g+8, k 2t+8..)
//   B: (k 2t..2t+1, column g) (k 2t+8.., column g)
//   accumulator: (row g, columns 2t, 2t+1) (row g+8, columns 2t, 2t+1)
// Floats have the same places, one register each.
template <class T> struct FragA {
  uint32_t r[4];
};
template <> struct FragA<float> {
  float r[8];
};
template <class T> struct FragB {
  uint32_t r[2];
};
template <> struct FragB<float> {
  float r[4];
};

} // namespace sk

#ifndef __CUDACC__
#include "../emulator/intrinsics.h"
#define SK_ROLLED
#define SK_UNROLL_4
#else

#define SK_DEVICE __device__ __forceinline__
#define SK_UNROLL _Pragma("unroll")
#define SK_ROLLED _Pragma("unroll 1")
#define SK_UNROLL_4 _Pragma("unroll 4")

// Defines the kernel `name`: a struct of its arguments whose operator() is run by every thread.
#define SK_KERNEL(name, ...)                                           \
  extern "C" __global__ void __launch_bounds__((__VA_ARGS__::THREADS)) \
      name(const __grid_constant__ __VA_ARGS__ k) {                    \
    k();                                                               \
  }

namespace sk {

extern __shared__ __align__(128) unsigned char shared_memory[];

SK_DEVICE int thread() { return int(threadIdx.x); }
SK_DEVICE int lane() { return int(threadIdx.x & 31); }
SK_DEVICE int warp() { return int(threadIdx.x >> 5); }
SK_DEVICE int64_t block_x() { return blockIdx.x; }
SK_DEVICE int64_t block_y() { return blockIdx.y; }
SK_DEVICE int64_t blocks_x() { return gridDim.x; }
template <class T> SK_DEVICE T* shared(int64_t byte_offset = 0) {
  return reinterpret_cast<T*>(shared_memory + byte_offset);
}
SK_DEVICE void barrier() { __syncthreads(); }
SK_DEVICE void check_aligned(const void*, size_t) {} // the hardware does

template <class T> SK_DEVICE T shuffle_xor(T v, int mask) { return __shfl_xor_sync(0xffffffffu, v, mask); }
template <class T> SK_DEVICE T shuffle(T v, int from) { return __shfl_sync(0xffffffffu, v, from); }

// 2^x to about 2 ulp, denormal results flushed to zero; log2, reciprocal
SK_DEVICE float fast_exp2(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
SK_DEVICE float exact_exp(float x) { return expf(x); }
SK_DEVICE float exact_log(float x) { return logf(x); }
SK_DEVICE double exact_log(double x) { return log(x); }
SK_DEVICE float root(float x) { return sqrtf(x); }
SK_DEVICE double root(double x) { return sqrt(x); }

SK_DEVICE float to_float(float x) { return x; }
SK_DEVICE float to_float(bf16 x) { return __uint_as_float(uint32_t(x.bits) << 16); }
SK_DEVICE float to_float(f16 x) {
  float y;
  asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x.bits));
  return y;
}
template <class T> SK_DEVICE T from_float(float x);
template <> SK_DEVICE float from_float<float>(float x) { return x; }
template <> SK_DEVICE bf16 from_float<bf16>(float x) {
  bf16 y;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(y.bits) : "f"(x));
  return y;
}
template <> SK_DEVICE f16 from_float<f16>(float x) {
  f16 y;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(y.bits) : "f"(x));
  return y;
}
// Two elements in one register, the first in the lower half.
template <class T> SK_DEVICE uint32_t pack(float first, float second);
template <> SK_DEVICE uint32_t pack<bf16>(float first, float second) {
  uint32_t y;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(y) : "f"(second), "f"(first));
  return y;
}
template <> SK_DEVICE uint32_t pack<f16>(float first, float second) {
  uint32_t y;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(y) : "f"(second), "f"(first));
  return y;
}

// 16 bytes from global to shared memory, or zeros where not valid; they arrive when cp_async_wait says so.
SK_DEVICE void cp_async16(void* to, const void* from, bool valid) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(uint32_t(__cvta_generic_to_shared(to))),
               "l"(from), "r"(valid ? 16 : 0)
               : "memory");
}
SK_DEVICE void cp_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
// Waits until at most N of this thread's groups are under way.
template <int N> SK_DEVICE void cp_async_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
}

// Four 8x8 matrices of 16-bit elements; lane l names a row of matrix l / 8.
SK_DEVICE void ldmatrix(uint32_t r[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(uint32_t(__cvta_generic_to_shared(row)))
               : "memory");
}
SK_DEVICE void ldmatrix_transposed(uint32_t r[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(uint32_t(__cvta_generic_to_shared(row)))
               : "memory");
}

// c += A B
#define SK_MMA(T, type)                                                                           \
  SK_DEVICE void mma(float c[4], const FragA<T>& a, const FragB<T>& b) {                          \
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32." type "." type                           \
                 ".f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "                                   \
                 "{%0,%1,%2,%3};"                                                                 \
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])                                 \
                 : "r"(a.r[0]), "r"(a.r[1]), "r"(a.r[2]), "r"(a.r[3]), "r"(b.r[0]), "r"(b.r[1])); \
  }
SK_MMA(bf16, "bf16")
SK_MMA(f16, "f16")
#undef SK_MMA

// Floats as sums of two TF32 numbers, x = high + low: A B = Al Bh + Ah Bl + Ah Bh to about 2^-22. The lanes'
// k 2t and 2t+1 take the places of t and t+4 in m16n8k8, in A and B alike.
SK_DEVICE uint32_t tf32(float x) {
  uint32_t y;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(y) : "f"(x));
  return y;
}
SK_DEVICE void mma_tf32(float c[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t b0,
                        uint32_t b1) {
  asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
               "{%0,%1,%2,%3};"
               : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
               : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
}
SK_DEVICE void mma(float c[4], const FragA<float>& a, const FragB<float>& b) {
  uint32_t ah[8], al[8], bh[4], bl[4];
  SK_UNROLL
  for (int i = 0; i < 8; i++) ah[i] = tf32(a.r[i]), al[i] = tf32(a.r[i] - __uint_as_float(ah[i]));
  SK_UNROLL
  for (int i = 0; i < 4; i++) bh[i] = tf32(b.r[i]), bl[i] = tf32(b.r[i] - __uint_as_float(bh[i]));
  mma_tf32(c, al[0], al[2], al[1], al[3], bh[0], bh[1]);
  mma_tf32(c, al[4], al[6], al[5], al[7], bh[2], bh[3]);
  mma_tf32(c, ah[0], ah[2], ah[1], ah[3], bl[0], bl[1]);
  mma_tf32(c, ah[4], ah[6], ah[5], ah[7], bl[2], bl[3]);
  mma_tf32(c, ah[0], ah[2], ah[1], ah[3], bh[0], bh[1]);
  mma_tf32(c, ah[4], ah[6], ah[5], ah[7], bh[2], bh[3]);
}

} // namespace sk
#endif // __CUDACC__

// A kernel of each element type, one element a thread and 16 bytes a thread (launch.h, by_width).
#define SK_KERNELS_OF_ROWS(name, Kernel)    \
  SK_KERNEL(name##_f32, Kernel<float, 1>)   \
  SK_KERNEL(name##_f32x4, Kernel<float, 4>) \
  SK_KERNEL(name##_bf16, Kernel<bf16, 1>)   \
  SK_KERNEL(name##_bf16x8, Kernel<bf16, 8>) \
  SK_KERNEL(name##_f16, Kernel<f16, 1>)     \
  SK_KERNEL(name##_f16x8, Kernel<f16, 8>)

namespace sk {

// x, and what is derived from it, computed here and not once before a loop: registers are scarcer than
// instructions.
SK_DEVICE int pinned(int x) {
#ifdef __CUDACC__
  asm volatile("" : "+r"(x));
#endif
  return x;
}

// W elements that a thread reads or writes at once, as one access of up to 16 bytes.
template <class T, int W> struct alignas(sizeof(T) * W < 16 ? sizeof(T) * W : 16) Elements {
  T v[W];
};
template <int W, class T> SK_DEVICE Elements<T, W> load(const T* p) {
  check_aligned(p, alignof(Elements<T, W>));
  return *reinterpret_cast<const Elements<T, W>*>(p);
}
template <int W, class T> SK_DEVICE void store(T* p, const Elements<T, W>& x) {
  check_aligned(p, alignof(Elements<T, W>));
#ifdef __CUDACC__
  if constexpr (sizeof x == 16) { // else the compiler may store it in pieces
    *reinterpret_cast<uint4*>(p) = *reinterpret_cast<const uint4*>(&x);
    return;
  }
#endif
  *reinterpret_cast<Elements<T, W>*>(p) = x;
}

// The ABI's float is the context's element type.
template <class T> SK_DEVICE T* as(float* p) { return reinterpret_cast<T*>(p); }
template <class T> SK_DEVICE const T* as(const float* p) { return reinterpret_cast<const T*>(p); }

template <class T> SK_DEVICE T least(T a, T b) { return a < b ? a : b; }
template <class T> SK_DEVICE T most(T a, T b) { return a > b ? a : b; }

template <class T> SK_DEVICE T warp_sum(T v) {
  for (int mask = 16; mask > 0; mask >>= 1) v += shuffle_xor(v, mask);
  return v;
}
// NaN is handed on.
SK_DEVICE float larger(float a, float b) {
#ifdef __CUDACC__
  float y;
  asm("max.NaN.f32 %0, %1, %2;" : "=f"(y) : "f"(a), "f"(b));
  return y;
#else
  return a > b || a != a ? a : b;
#endif
}
// To about 2 ulp.
SK_DEVICE float fast_divide(float a, float b) {
#ifdef __CUDACC__
  return __fdividef(a, b);
#else
  return a / b;
#endif
}
SK_DEVICE float warp_max(float v) {
  for (int mask = 16; mask > 0; mask >>= 1) v = larger(v, shuffle_xor(v, mask));
  return v;
}

// The sum, or the largest, over all threads of a block; `room` is shared memory for one element a warp. The
// order of additions is fixed.
template <int THREADS, class T> SK_DEVICE T block_sum(T v, T* room) {
  v = warp_sum(v);
  barrier(); // whoever still reads an earlier sum there
  if (lane() == 0) room[warp()] = v;
  barrier();
  T sum = room[0];
  for (int w = 1; w < THREADS / 32; w++) sum += room[w];
  return sum;
}
template <int THREADS> SK_DEVICE float block_max(float v, float* room) {
  v = warp_max(v);
  barrier();
  if (lane() == 0) room[warp()] = v;
  barrier();
  float top = room[0];
  for (int w = 1; w < THREADS / 32; w++) top = larger(top, room[w]);
  return top;
}

} // namespace sk
#endif
