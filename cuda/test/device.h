// A device for the tests: the stand-in, or where libcuda.so.1 is the driver's, a GPU.
#ifndef SEEKR_TEST_DEVICE_H
#define SEEKR_TEST_DEVICE_H
#include "../../native/include/seekr.h"
#include "../src/device.cuh"
#include "../src/driver.h"
#include <vector>

// Makes the first device's primary context current; ends the program where there is none.
void open_device();
// Whether it is the stand-in, whose errors can be recovered from.
bool emulated();
void recover();
// Makes the stand-in another device from here on, while this lives: of compute capability `major`.0, with so
// many bytes of shared memory for a block.
struct OtherDevice {
  OtherDevice(int major, int shared);
  ~OtherDevice();
};
// What the stand-in did since this was last asked: kernels run, products of warps.
struct Counted {
  uint64_t launches, products;
};
Counted counted();

// Memory of the device that holds n elements, freed at the end.
template <class T> struct OnDevice {
  sk::CUdeviceptr at = 0;
  size_t n;
  explicit OnDevice(size_t n) : n(n) { SK_CUDA(cuMemAlloc_v2, &at, (n ? n : 1) * sizeof(T)); }
  explicit OnDevice(const std::vector<T>& x) : OnDevice(x.size()) {
    SK_CUDA(cuMemcpyHtoDAsync_v2, at, x.data(), n * sizeof(T), nullptr);
    SK_CUDA(cuStreamSynchronize, nullptr);
  }
  OnDevice(const OnDevice&) = delete;
  ~OnDevice() { sk::driver().cuMemFree_v2(at); }
  T* data() const { return reinterpret_cast<T*>(at); }
  // As the ABI spells every element type.
  float* f() const { return reinterpret_cast<float*>(at); }
  std::vector<T> get() const {
    std::vector<T> x(n);
    SK_CUDA(cuMemcpyDtoHAsync_v2, x.data(), at, n * sizeof(T), nullptr);
    SK_CUDA(cuStreamSynchronize, nullptr);
    return x;
  }
};

// A context of this element type on the default stream.
struct Context {
  sk_context* ctx = nullptr;
  explicit Context(int element);
  ~Context();
  operator sk_context*() const { return ctx; }
};

#endif
