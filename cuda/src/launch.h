// What launchers need: device memory for partial results, ways for the small arrays that lie on the host, and
// the launch itself.
#ifndef SEEKR_LAUNCH_H
#define SEEKR_LAUNCH_H
#include "../../native/src/error.h"
#include "../../native/src/kernels.h"
#include "device.cuh"
#include "driver.h"
#include <initializer_list>
#include <mutex>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <vector>

namespace sk {

enum class Element { F32, BF16, F16 };

// Memory of the device that grows and never shrinks. Work that still uses the old one is waited for.
struct DeviceScratch {
  CUdeviceptr memory = 0;
  int64_t bytes = 0;
};

// Pinned host memory and as much on the device, given out from the beginning.
struct Staging {
  char* host = nullptr;
  CUdeviceptr device = 0;
  int64_t bytes = 0, used = 0;
};

} // namespace sk

struct sk_context {
  std::mutex busy; // one call at a time
  sk::CUcontext device = nullptr;
  int shared_limit = 0;              // bytes of shared memory that a block can have
  std::vector<sk::CUmodule> modules; // one for each source of kernels
  sk::CUstream stream = nullptr;
  sk::Element element = sk::Element::F32;
  sk::DeviceScratch scratch;
  sk::Staging staging;
  std::vector<sk::Staging> outgrown; // by this call's uploads
  std::unordered_map<std::string, sk::CUfunction> functions;
};

namespace sk {

// At least so many bytes of the device, valid until the next call of this function.
char* device_scratch(sk_context* ctx, int64_t bytes);
// A copy on the device of x[n], which lies on the host; valid until this sk_ function returns.
const void* upload_bytes(sk_context* ctx, const void* x, int64_t bytes);
template <class T> const T* upload(sk_context* ctx, const T* x, int64_t n) {
  return static_cast<const T*>(upload_bytes(ctx, x, n * int64_t(sizeof(T))));
}
template <class T> const T* upload(sk_context* ctx, const std::vector<T>& x) {
  return upload(ctx, x.data(), int64_t(x.size()));
}
// Copies bytes of the device to host memory and waits for them.
void download(sk_context* ctx, void* host, const void* device, int64_t bytes);
void clear(sk_context* ctx, void* device, int64_t bytes);

void launch_bytes(sk_context* ctx, const char* kernel, int64_t grid_x, int64_t grid_y, int threads,
                  int64_t shared, void* arguments);

// Runs kernel K on a grid of blocks; none where the grid is empty.
template <class K> void launch(sk_context* ctx, int64_t grid_x, int64_t grid_y, int64_t shared, K k) {
#if defined(__GNUC__) && !defined(__clang__)
  __builtin_clear_padding(&k); // what is compared and checked should not depend on what lay there before
#endif
  launch_bytes(ctx, KernelName<K>::value, grid_x, grid_y, K::THREADS, shared, &k);
}

// f(element of the context's type): how a launcher picks its instance.
template <class F> int dispatch(sk_context* ctx, F f) {
  if (ctx->element == Element::F32) f(float());
  else if (ctx->element == Element::BF16) f(bf16());
  else f(f16());
  return 0;
}

// Whether all of these addresses (null: none) are multiples of 16 bytes.
inline bool wide(std::initializer_list<const void*> addresses) {
  uintptr_t bits = 0;
  for (const void* p : addresses) bits |= reinterpret_cast<uintptr_t>(p);
  return bits % 16 == 0;
}

// f(element, width): as dispatch, with how many elements a thread may take at once where rows have C of them
// and begin at these addresses: 16 bytes of them, or one.
template <class F> int by_width(sk_context* ctx, int64_t C, std::initializer_list<const void*> rows, F f) {
  return dispatch(ctx, [&](auto element) {
    constexpr int W = 16 / sizeof element;
    if (wide(rows) && C % W == 0) f(element, std::integral_constant<int, W>());
    else f(element, std::integral_constant<int, 1>());
  });
}

inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// The launchers, by the names of the table.
namespace cuda {
#define X(op) decltype(sk_##op) op;
SK_KERNELS(X)
#undef X
} // namespace cuda

} // namespace sk
#endif
