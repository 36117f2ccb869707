// rope_fwd, rope_bwd, swiglu_fwd, swiglu_bwd, zero.
#include "device.cuh"

namespace sk {

// (u_i, u_{i+HS/2}) <- (u_i cos a - u_{i+HS/2} sin a, u_{i+HS/2} cos a + u_i sin a), a = sign * positions[n]
// * freq[i],
// over the first `heads` heads of rows of `row` elements.    qkv [N,row], cos, sin [P,HS/2].
// A block is a token.
template <class T> struct Rope {
  static constexpr int THREADS = 128;
  T* qkv;
  const int32_t* positions;
  const float *cos, *sin;
  int64_t row, heads, HS;
  float sign;

  SK_DEVICE void operator()() const {
    const int64_t half = HS / 2, at = positions[block_x()] * half;
    for (int64_t i = thread(); i < heads * half; i += THREADS) {
      T* u = qkv + block_x() * row + i / half * HS + i % half;
      const float a = to_float(u[0]), b = to_float(u[half]), c = cos[at + i % half],
                  s = sin[at + i % half] * sign;
      u[0] = from_float<T>(a * c - b * s);
      u[half] = from_float<T>(b * c + a * s);
    }
  }
};

// h = silu(gate) * up, silu(z) = z / (1 + exp(-z))      h [N,F], gu [N,2F] = [gate | up].
// A block is 256 elements of a row.
template <class T> struct SwigluFwd {
  static constexpr int THREADS = 256;
  T* h;
  const T* gu;
  int64_t F, across;

  SK_DEVICE void operator()() const {
    const int64_t n = block_x() / across, i = block_x() % across * THREADS + thread();
    if (i >= F) return;
    const float z = to_float(gu[n * 2 * F + i]), up = to_float(gu[n * 2 * F + F + i]);
    h[n * F + i] = from_float<T>(z * (1 / (1 + exact_exp(-z))) * up);
  }
};

// sig = 1 / (1 + exp(-gate)):  dgate = dh up sig (1 + gate (1 - sig)),  dup = dh gate sig;
// then dh <- h = gate sig up
// 1 - sig is exp(-gate) sig: no cancellation; an infinite exp(-gate) must not make 0 * Inf.
// dgu, gu [N,2F], dh [N,F]
template <class T> struct SwigluBwd {
  static constexpr int THREADS = 256;
  T *dgu, *dh;
  const T* gu;
  int64_t F, across;

  SK_DEVICE void operator()() const {
    const int64_t n = block_x() / across, i = block_x() % across * THREADS + thread();
    if (i >= F) return;
    const float z = to_float(gu[n * 2 * F + i]), up = to_float(gu[n * 2 * F + F + i]),
                d = to_float(dh[n * F + i]);
    const float e = exact_exp(-z), sig = 1 / (1 + e), silu = z * sig,
                opposite = least(e, 3.4028234e38f) * sig;
    dgu[n * 2 * F + i] = from_float<T>(d * up * (sig * (1 + z * opposite)));
    dgu[n * 2 * F + F + i] = from_float<T>(d * silu);
    dh[n * F + i] = from_float<T>(silu * up);
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

static int rotate(sk_context* ctx, float* qkv, const int32_t* positions, const float* cos, const float* sin,
                  int64_t N, int64_t NH, int64_t NKV, int64_t HS, float sign) {
  const int32_t* at = upload(ctx, positions, N);
  return dispatch(ctx, [&](auto element) {
    using T = decltype(element);
    launch(ctx, N, 1, 0, Rope<T>{as<T>(qkv), at, cos, sin, (NH + 2 * NKV) * HS, NH + NKV, HS, sign});
  });
}

int rope_fwd(sk_context* ctx, float* qkv, const int32_t* positions, const float* cos, const float* sin,
             int64_t N, int64_t NH, int64_t NKV, int64_t HS, int64_t) {
  return rotate(ctx, qkv, positions, cos, sin, N, NH, NKV, HS, 1);
}

int rope_bwd(sk_context* ctx, float* dqkv, const int32_t* positions, const float* cos, const float* sin,
             int64_t N, int64_t NH, int64_t NKV, int64_t HS, int64_t) {
  return rotate(ctx, dqkv, positions, cos, sin, N, NH, NKV, HS, -1);
}

int swiglu_fwd(sk_context* ctx, float* h, const float* gu, int64_t N, int64_t F) {
  const int64_t across = ceil_div(F, 256);
  return dispatch(ctx, [&](auto element) {
    using T = decltype(element);
    launch(ctx, N * across, 1, 0, SwigluFwd<T>{as<T>(h), as<T>(gu), F, across});
  });
}

int swiglu_bwd(sk_context* ctx, float* dgu, float* dh, const float* gu, int64_t N, int64_t F) {
  const int64_t across = ceil_div(F, 256);
  return dispatch(ctx, [&](auto element) {
    using T = decltype(element);
    launch(ctx, N * across, 1, 0, SwigluBwd<T>{as<T>(dgu), as<T>(dh), as<T>(gu), F, across});
  });
}

int zero(sk_context* ctx, float* x, int64_t n) {
  return dispatch(ctx, [&](auto element) { clear(ctx, x, n * int64_t(sizeof element)); });
}

} // namespace cuda
} // namespace sk
#endif
