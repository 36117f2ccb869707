// rope_fwd, rope_bwd, swiglu_fwd, swiglu_bwd, zero.
#include "kernels.h"
#include "simd.h"

namespace sk {
namespace SK_ISA {

static constexpr int64_t FLOATS = 16384; // computed by one task

static int64_t rows_of(int64_t width) { return width < FLOATS ? FLOATS / width : 1; }

// (u_i, u_{i+HS/2}) <- (u_i cos a - u_{i+HS/2} sin a, u_{i+HS/2} cos a + u_i sin a), a = sign * positions[n]
// * freq[i],
// over the first NH + NKV heads of rows of NH + 2 NKV heads.      qkv [N,(NH+2NKV)*HS], cos, sin [P,HS/2]
static int rotate(sk_context* ctx, float* qkv, const int32_t* positions, const float* cos, const float* sin,
                  int64_t N, int64_t NH, int64_t NKV, int64_t HS, float sign) {
  const int64_t half = HS / 2, row = (NH + 2 * NKV) * HS;
  parallel_blocks(ctx, N, rows_of(row), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++) {
      const float *c = cos + positions[n] * half, *s = sin + positions[n] * half;
      for (float *u = qkv + n * row, *last = u + (NH + NKV) * HS; u < last; u += HS) {
        each_vector(half, [&](int64_t i, auto lanes) {
          vf a = lanes.get(u + i), b = lanes.get(u + half + i), ci = lanes.get(c + i),
             si = lanes.get(s + i) * sign;
          lanes.put(u + i, a * ci - b * si);
          lanes.put(u + half + i, b * ci + a * si);
        });
      }
    }
  });
  return 0;
}

int rope_fwd(sk_context* ctx, float* qkv, const int32_t* positions, const float* cos, const float* sin,
             int64_t N, int64_t NH, int64_t NKV, int64_t HS, int64_t) {
  return rotate(ctx, qkv, positions, cos, sin, N, NH, NKV, HS, 1);
}

int rope_bwd(sk_context* ctx, float* dqkv, const int32_t* positions, const float* cos, const float* sin,
             int64_t N, int64_t NH, int64_t NKV, int64_t HS, int64_t) {
  return rotate(ctx, dqkv, positions, cos, sin, N, NH, NKV, HS, -1);
}

// h = silu(gate) * up, silu(z) = z / (1 + exp(-z))      h [N,F], gu [N,2F] = [gate | up]
int swiglu_fwd(sk_context* ctx, float* h, const float* gu, int64_t N, int64_t F) {
  parallel_blocks(ctx, N, rows_of(F), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++) {
      const float *gate = gu + n * 2 * F, *up = gate + F;
      each_vector(F, [&](int64_t i, auto lanes) {
        vf z = lanes.get(gate + i);
        vf sig = 1 / (1 + vexp(-z));
        lanes.put(h + n * F + i, z * sig * lanes.get(up + i));
      });
    }
  });
  return 0;
}

// sig = 1 / (1 + exp(-gate)):  dgate = dh up sig (1 + gate (1 - sig)),  dup = dh gate sig;
// then dh <- h = gate sig up
// dgu, gu [N,2F], dh [N,F].   1 - sig is exp(-gate) sig: no cancellation.
// Where exp(-gate) is infinite, sig is 0 and all else follows; it only must not make 0 * Inf. h has the bits
// of swiglu_fwd.
int swiglu_bwd(sk_context* ctx, float* dgu, float* dh, const float* gu, int64_t N, int64_t F) {
  parallel_blocks(ctx, N, rows_of(F), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++) {
      const float *gate = gu + n * 2 * F, *up = gate + F;
      float *dgate = dgu + n * 2 * F, *dup = dgate + F, *d = dh + n * F;
      each_vector(F, [&](int64_t i, auto lanes) {
        vf z = lanes.get(gate + i), u = lanes.get(up + i), di = lanes.get(d + i);
        vf e = vexp(-z), sig = 1 / (1 + e), silu = z * sig;
        vf opposite = vmin(e, broadcast(__FLT_MAX__)) * sig;
        lanes.put(dgate + i, di * u * (sig * (1 + z * opposite)));
        lanes.put(dup + i, di * silu);
        lanes.put(d + i, silu * u);
      });
    }
  });
  return 0;
}

// x[n] = 0
int zero(sk_context* ctx, float* x, int64_t n) {
  parallel_blocks(ctx, n, 1 << 18, [&](int64_t begin, int64_t end) {
    memset(x + begin, 0, size_t(end - begin) * sizeof(float));
  });
  return 0;
}

} // namespace SK_ISA
} // namespace sk
