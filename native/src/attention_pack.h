// Rows of elements made floats, as they lie or transposed, and back.
#ifndef SEEKR_ATTENTION_PACK_H
#define SEEKR_ATTENTION_PACK_H
#include "simd.h"

namespace sk {
namespace SK_ISA {

SK_INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
SK_INLINE int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
SK_INLINE int64_t round_up(int64_t n, int64_t unit) { return (n + unit - 1) / unit * unit; }

// Lanes begin <= i < end of v, the others `rest`.
SK_INLINE vf between(vf v, int64_t begin, int64_t end, vf rest = vf{}) {
  vi lane;
#pragma GCC unroll 16
  for (int i = 0; i < W; i++) lane[i] = i;
  return (lane >= (int32_t)begin - vi{}) & (lane < (int32_t)end - vi{}) ? v : rest;
}

// One step of a W x W transposition: exchanges the off-diagonal D x D blocks of each 2D x 2D block.
template <int D, int... I> struct Lanes {};
#if SK_VEC_BYTES == 64
#define SK_LANES(D) Lanes<D, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15>()
#elif SK_VEC_BYTES == 32
#define SK_LANES(D) Lanes<D, 0, 1, 2, 3, 4, 5, 6, 7>()
#else
#define SK_LANES(D) Lanes<D, 0, 1, 2, 3>()
#endif
template <int D, int... I> SK_INLINE void exchange(vf* v, Lanes<D, I...>) {
#pragma GCC unroll 16
  for (int i = 0; i < W; i++) {
    if (i & D) continue;
    vf a = v[i], b = v[i + D];
    v[i] = __builtin_shufflevector(a, b, (I & D ? W + I - D : I)...);
    v[i + D] = __builtin_shufflevector(a, b, (I & D ? W + I : I + D)...);
  }
}
SK_INLINE void transpose(vf* v) {
  exchange(v, SK_LANES(1));
  exchange(v, SK_LANES(2));
#if SK_VEC_BYTES >= 32
  exchange(v, SK_LANES(4));
#endif
#if SK_VEC_BYTES >= 64
  exchange(v, SK_LANES(8));
#endif
}

// out[c][r] = x[r][c] for r < rows, c < columns; rows are padded with zeros to a multiple of W.
// out [columns, ldo], x [rows, ldx]
static inline void pack_transposed(float* out, int64_t ldo, const E* x, int64_t ldx, int64_t rows,
                                   int64_t columns) {
  for (int64_t r = 0; r < rows; r += W)
    for (int64_t c = 0; c < columns; c += W) {
      vf v[W];
      int64_t height = least(W, rows - r), width = least(W, columns - c);
      if (height == W && width == W) {
#pragma GCC unroll 16
        for (int i = 0; i < W; i++) v[i] = load(x + (r + i) * ldx + c);
      } else {
        for (int i = 0; i < W; i++) v[i] = i < height ? load_some(x + (r + i) * ldx + c, width) : vf{};
      }
      transpose(v);
      if (width == W) {
#pragma GCC unroll 16
        for (int i = 0; i < W; i++) store(out + (c + i) * ldo + r, v[i]);
      } else {
        for (int i = 0; i < width; i++) store(out + (c + i) * ldo + r, v[i]);
      }
    }
}

// out[c] = scale * x[c] for c < n; out is padded with zeros to a multiple of W.
SK_INLINE void pack_row(float* out, const E* x, int64_t n, float scale) {
  each_vector(n, [&](int64_t c, auto lanes) { store(out + c, lanes.get(x + c) * scale); });
}
// x[c] = scale * in[c], and x[c] += in[c], for c < n; in is padded.
SK_INLINE void unpack_row(E* x, const float* in, int64_t n, float scale) {
  each_vector(n, [&](int64_t c, auto lanes) { lanes.put(x + c, load(in + c) * scale); });
}
SK_INLINE void add_row(float* x, const float* in, int64_t n) {
  each_vector(n, [&](int64_t c, auto lanes) { lanes.put(x + c, lanes.get(x + c) + load(in + c)); });
}
SK_INLINE float dot(const E* x, const E* y, int64_t n) {
  vf sum = {};
  each_vector(n, [&](int64_t c, auto lanes) { sum += lanes.get(x + c) * lanes.get(y + c); });
  return reduce_add(sum);
}
SK_INLINE void clear(float* x, int64_t n) { memset(x, 0, n * sizeof(float)); }

} // namespace SK_ISA
} // namespace sk
#endif
