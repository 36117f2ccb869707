// rope_fwd, rope_bwd, swiglu_fwd, swiglu_bwd, zero.
#include "device.cuh"

namespace sk {

// Kernels take the very arguments of seekr.h, whose arrays of integers are copies on the device.

// sign: 1 forward, -1 backward.  A block is a token.
template <class T> struct Rope {
  static constexpr int THREADS = 128;
  sk_rope a;
  float sign;

  SK_DEVICE void operator()() const {
    const int64_t half = a.HS / 2, at = a.positions[block_x()] * half, row = (a.NH + 2 * a.NKV) * a.HS;
    for (int64_t i = thread(); i < (a.NH + a.NKV) * half; i += THREADS) {
      T* u = as<T>(a.qkv) + block_x() * row + i / half * a.HS + i % half;
      const float x = to_float(u[0]), y = to_float(u[half]), c = a.cos[at + i % half],
                  s = a.sin[at + i % half] * sign;
      u[0] = from_float<T>(x * c - y * s);
      u[half] = from_float<T>(y * c + x * s);
    }
  }
};

// A block is 256 elements of a row, which has `across` blocks.
template <class T> struct SwigluFwd {
  static constexpr int THREADS = 256;
  sk_swiglu a;
  int64_t across;

  SK_DEVICE void operator()() const {
    const int64_t n = block_x() / across, i = block_x() % across * THREADS + thread();
    if (i >= a.F) return;
    const T* gu = as<T>(a.gu) + n * 2 * a.F + i;
    const float z = to_float(gu[0]), up = to_float(gu[a.F]);
    as<T>(a.h)[n * a.F + i] = from_float<T>(z * (1 / (1 + exact_exp(-z))) * up);
  }
};

// 1 - sig is exp(-gate) sig: no cancellation; an infinite exp(-gate) must not make 0 * Inf.
template <class T> struct SwigluBwd {
  static constexpr int THREADS = 256;
  sk_swiglu_gradient a;
  int64_t across;

  SK_DEVICE void operator()() const {
    const int64_t n = block_x() / across, i = block_x() % across * THREADS + thread();
    if (i >= a.F) return;
    const T* gu = as<T>(a.gu) + n * 2 * a.F + i;
    T *dgu = as<T>(a.dgu) + n * 2 * a.F + i, *dh = as<T>(a.dh) + n * a.F + i;
    const float z = to_float(gu[0]), up = to_float(gu[a.F]), d = to_float(*dh);
    const float e = exact_exp(-z), sig = 1 / (1 + e), silu = z * sig,
                opposite = least(e, 3.4028234e38f) * sig;
    dgu[0] = from_float<T>(d * up * (sig * (1 + z * opposite)));
    dgu[a.F] = from_float<T>(d * silu);
    *dh = from_float<T>(silu * up);
  }
};

SK_KERNEL(rope_f32, Rope<float>)
SK_KERNEL(rope_bf16, Rope<bf16>)
SK_KERNEL(rope_f16, Rope<f16>)
SK_KERNEL(swiglu_fwd_f32, SwigluFwd<float>)
SK_KERNEL(swiglu_fwd_bf16, SwigluFwd<bf16>)
SK_KERNEL(swiglu_fwd_f16, SwigluFwd<f16>)
SK_KERNEL(swiglu_bwd_f32, SwigluBwd<float>)
SK_KERNEL(swiglu_bwd_bf16, SwigluBwd<bf16>)
SK_KERNEL(swiglu_bwd_f16, SwigluBwd<f16>)

} // namespace sk

#ifdef SK_LAUNCHERS
#include "launch.h"

namespace sk {
namespace cuda {

static int rotate(sk_context* ctx, sk_rope a, float sign) {
  a.positions = upload(ctx, a.positions, a.N);
  return dispatch(ctx, [&](auto element) {
    using T = decltype(element);
    launch(ctx, a.N, 1, 0, Rope<T>{a, sign});
  });
}
int rope_fwd(sk_context* ctx, const sk_rope* a) { return rotate(ctx, *a, 1); }
int rope_bwd(sk_context* ctx, const sk_rope* a) { return rotate(ctx, *a, -1); }

int swiglu_fwd(sk_context* ctx, const sk_swiglu* a) {
  const int64_t across = ceil_div(a->F, 256);
  return dispatch(ctx, [&](auto element) {
    using T = decltype(element);
    launch(ctx, a->N * across, 1, 0, SwigluFwd<T>{*a, across});
  });
}

int swiglu_bwd(sk_context* ctx, const sk_swiglu_gradient* a) {
  const int64_t across = ceil_div(a->F, 256);
  return dispatch(ctx, [&](auto element) {
    using T = decltype(element);
    launch(ctx, a->N * across, 1, 0, SwigluBwd<T>{*a, across});
  });
}

int zero(sk_context* ctx, const sk_vector* a) {
  return dispatch(ctx, [&](auto element) { clear(ctx, a->x, a->n * int64_t(sizeof element)); });
}

} // namespace cuda
} // namespace sk
#endif
