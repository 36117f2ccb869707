// rope_fwd, rope_bwd, swiglu_fwd, swiglu_bwd, zero.
#include "device.cuh"

namespace sk {

// Kernels take the very arguments of seekr.h, whose arrays of integers are copies on the device. A thread
// takes W elements; a row has `across` blocks.
template <int W> struct Place {
  static constexpr int THREADS = 256;
  // Of the block, and of the thread's first element.
  static SK_DEVICE int64_t row(int64_t across) { return uint32_t(block_x()) / uint32_t(across); }
  static SK_DEVICE int at(int64_t across) {
    return int((uint32_t(block_x()) % uint32_t(across) * THREADS + uint32_t(thread())) * W);
  }
  static int64_t blocks_of_row(int64_t elements) { return (elements + THREADS * W - 1) / (THREADS * W); }
};

// sign: 1 forward, -1 backward.  A row is a token; its elements here are halves of queries and keys.
template <class T, int W> struct Rope : Place<W> {
  using Place<W>::row, Place<W>::at;
  sk_rope a;
  float sign;
  int64_t across;

  SK_DEVICE void operator()() const {
    const int half = int(a.HS / 2), i = at(across);
    if (i >= (a.NH + a.NKV) * half) return;
    const int64_t n = row(across);
    const int head = i / half, j = i % half;
    T* u = as<T>(a.qkv) + n * (a.NH + 2 * a.NKV) * a.HS + head * 2 * half + j;
    const float *cos = a.cos + a.positions[n] * int64_t(half) + j,
                *sin = a.sin + a.positions[n] * int64_t(half) + j;
    Elements<T, W> x = load<W>(u), y = load<W>(u + half);
    const Elements<float, W> c = load<W>(cos), s = load<W>(sin);
    SK_UNROLL
    for (int e = 0; e < W; e++) {
      const float first = to_float(x.v[e]), second = to_float(y.v[e]), t = s.v[e] * sign;
      x.v[e] = from_float<T>(first * c.v[e] - second * t);
      y.v[e] = from_float<T>(second * c.v[e] + first * t);
    }
    store<W>(u, x);
    store<W>(u + half, y);
  }
};

template <class T, int W> struct SwigluFwd : Place<W> {
  using Place<W>::row, Place<W>::at;
  sk_swiglu a;
  int64_t across;

  SK_DEVICE void operator()() const {
    const int i = at(across);
    if (i >= a.F) return;
    const int64_t n = row(across);
    const T* gu = as<T>(a.gu) + n * 2 * a.F + i;
    Elements<T, W> gate = load<W>(gu);
    const Elements<T, W> up = load<W>(gu + a.F);
    SK_UNROLL
    for (int e = 0; e < W; e++) {
      const float z = to_float(gate.v[e]);
      gate.v[e] = from_float<T>(z * (1 / (1 + exact_exp(-z))) * to_float(up.v[e]));
    }
    store<W>(as<T>(a.h) + n * a.F + i, gate);
  }
};

// 1 - sig is exp(-gate) sig: no cancellation; an infinite exp(-gate) must not make 0 * Inf.
template <class T, int W> struct SwigluBwd : Place<W> {
  using Place<W>::row, Place<W>::at;
  sk_swiglu_gradient a;
  int64_t across;

  SK_DEVICE void operator()() const {
    const int i = at(across);
    if (i >= a.F) return;
    const int64_t n = row(across);
    const T* gu = as<T>(a.gu) + n * 2 * a.F + i;
    T *dgu = as<T>(a.dgu) + n * 2 * a.F + i, *dh = as<T>(a.dh) + n * a.F + i;
    Elements<T, W> gate = load<W>(gu), up = load<W>(gu + a.F), d = load<W>(dh);
    SK_UNROLL
    for (int k = 0; k < W; k++) {
      const float z = to_float(gate.v[k]), u = to_float(up.v[k]), dk = to_float(d.v[k]);
      const float e = exact_exp(-z), sig = 1 / (1 + e), silu = z * sig,
                  opposite = least(e, 3.4028234e38f) * sig;
      gate.v[k] = from_float<T>(dk * u * (sig * (1 + z * opposite)));
      up.v[k] = from_float<T>(dk * silu);
      d.v[k] = from_float<T>(silu * u);
    }
    store<W>(dgu, gate);
    store<W>(dgu + a.F, up);
    store<W>(dh, d);
  }
};

SK_KERNELS_OF_ROWS(rope, Rope)
SK_KERNELS_OF_ROWS(swiglu_fwd, SwigluFwd)
SK_KERNELS_OF_ROWS(swiglu_bwd, SwigluBwd)

} // namespace sk

#ifdef SK_LAUNCHERS
#include "launch.h"

namespace sk {
namespace cuda {

static int rotate(sk_context* ctx, sk_rope a, float sign) {
  a.positions = upload(ctx, a.positions, a.N);
  const int64_t half = a.HS / 2;
  return by_width(ctx, half, {a.qkv, a.cos, a.sin}, [&](auto element, auto width) {
    using K = Rope<decltype(element), width>;
    const int64_t across = K::blocks_of_row((a.NH + a.NKV) * half);
    launch(ctx, a.N * across, 1, 0, K{{}, a, sign, across});
  });
}
int rope_fwd(sk_context* ctx, const sk_rope* a) { return rotate(ctx, *a, 1); }
int rope_bwd(sk_context* ctx, const sk_rope* a) { return rotate(ctx, *a, -1); }

int swiglu_fwd(sk_context* ctx, const sk_swiglu* a) {
  return by_width(ctx, a->F, {a->h, a->gu}, [&](auto element, auto width) {
    using K = SwigluFwd<decltype(element), width>;
    launch(ctx, a->N * K::blocks_of_row(a->F), 1, 0, K{{}, *a, K::blocks_of_row(a->F)});
  });
}

int swiglu_bwd(sk_context* ctx, const sk_swiglu_gradient* a) {
  return by_width(ctx, a->F, {a->dgu, a->dh, a->gu}, [&](auto element, auto width) {
    using K = SwigluBwd<decltype(element), width>;
    launch(ctx, a->N * K::blocks_of_row(a->F), 1, 0, K{{}, *a, K::blocks_of_row(a->F)});
  });
}

int zero(sk_context* ctx, const sk_vector* a) {
  return dispatch(ctx, [&](auto element) { clear(ctx, a->x, a->n * int64_t(sizeof element)); });
}

} // namespace cuda
} // namespace sk
#endif
