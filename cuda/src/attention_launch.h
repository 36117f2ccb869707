// What the attention launchers share.
#ifndef SEEKR_ATTENTION_LAUNCH_H
#define SEEKR_ATTENTION_LAUNCH_H
#include "attention.cuh"
#include "launch.h"
#include <cfloat>
#include <type_traits>

namespace sk {

// f(element, width of a tile's rows): HS rounded up to what kernels are compiled for. Columns beyond HS are
// zeros.
template <class F> int dispatch_head(sk_context* ctx, int64_t HS, F f) {
  if (HS > 128)
    throw Error("HS is %lld; on CUDA devices heads have at most 128 elements", static_cast<long long>(HS));
  return dispatch(ctx, [&](auto element) {
    if (HS <= 32) f(element, std::integral_constant<int, 32>());
    else if (HS <= 64) f(element, std::integral_constant<int, 64>());
    else f(element, std::integral_constant<int, 128>());
  });
}

// A window as kernels count it: no sequence is longer than INT32_MAX.
inline int64_t window_of(int64_t window) {
  return window == 0 ? INT32_MAX : least<int64_t>(window, INT32_MAX);
}

// As kernels read it: their tables say where sequences lie, and what a query does not see has a score of
// -Inf, which a scale of 0 would make NaN.
inline Attention for_device(const sk_attention& a) {
  Attention x{a};
  x.cu_seqlens = nullptr;
  x.window = window_of(a.window);
  x.scale = most(a.scale, FLT_MIN);
  return x;
}

// Rows of heads can be copied 16 bytes at a time. The width of a row of qkv is a multiple of HS.
template <class T> bool aligned(const void* p, int64_t HS) {
  return reinterpret_cast<uintptr_t>(p) % 16 == 0 && HS * int64_t(sizeof(T)) % 16 == 0;
}

// Where sequences lie, on the host.
struct Sequences {
  const int32_t* begin; // [S+1]
  int64_t S;
  explicit Sequences(const sk_attention& a) : begin(a.cu_seqlens), S(a.S) {}
  int32_t length(int64_t s) const { return begin[s + 1] - begin[s]; }

  // Blocks of `size` rows of every sequence, one sequence after the other; of each the last first, as it sees
  // most keys.
  std::vector<RowBlock> blocks(int32_t size) const {
    std::vector<RowBlock> blocks;
    for (int64_t s = 0; s < S; s++)
      for (int32_t first = (length(s) + size - 1) / size * size - size; first >= 0; first -= size)
        blocks.push_back({begin[s], length(s), first});
    return blocks;
  }
  // [S+1] the first block of each sequence
  std::vector<int32_t> first_blocks(int32_t size) const {
    std::vector<int32_t> first(1, 0);
    for (int64_t s = 0; s < S; s++) first.push_back(first.back() + (length(s) + size - 1) / size);
    return first;
  }
};

} // namespace sk
#endif
