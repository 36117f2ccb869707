// rope_fwd, rope_bwd, swiglu_fwd, swiglu_bwd, zero.
#include "kernels.h"
#include "simd.h"

namespace sk {
namespace SK_ISA {

static constexpr int64_t FLOATS = 16384; // computed by one task; tried 4096, 65536: as fast

static int64_t rows_of(int64_t width) { return width < FLOATS ? FLOATS / width : 1; }

// With angle = sign * positions[n] * freq[i],
// (u_i, u_{i+HS/2}) <- (u_i cos angle - u_{i+HS/2} sin angle, u_{i+HS/2} cos angle + u_i sin angle)
// over the first NH + NKV heads of rows of NH + 2 NKV heads.      qkv [N,(NH+2NKV)*HS], cos, sin [P,HS/2]
static int rotate(sk_context* ctx, const sk_rope* a, float sign) {
  const int64_t half = a->HS / 2, row = (a->NH + 2 * a->NKV) * a->HS, rotated = (a->NH + a->NKV) * a->HS;
  parallel_blocks(ctx, a->N, rows_of(row), [=](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++) {
      const float *c = a->cos + a->positions[n] * half, *s = a->sin + a->positions[n] * half;
      for (E *u = elements(a->qkv) + n * row, *last = u + rotated; u < last; u += a->HS) {
        each_vector(half, [=](int64_t i, auto lanes) {
          vf u1 = lanes.get(u + i), u2 = lanes.get(u + half + i);
          vf ci = lanes.get(c + i), si = lanes.get(s + i) * sign;
          lanes.put(u + i, u1 * ci - u2 * si);
          lanes.put(u + half + i, u2 * ci + u1 * si);
        });
      }
    }
  });
  return 0;
}

int rope_fwd(sk_context* ctx, const sk_rope* a) { return rotate(ctx, a, 1); }
int rope_bwd(sk_context* ctx, const sk_rope* a) { return rotate(ctx, a, -1); }

// h = silu(gate) * up, silu(z) = z / (1 + exp(-z))      h [N,F], gu [N,2F] = [gate | up]
int swiglu_fwd(sk_context* ctx, const sk_swiglu* a) {
  const int64_t F = a->F;
  parallel_blocks(ctx, a->N, rows_of(F), [=](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++) {
      E* h = elements(a->h) + n * F;
      const E *gate = elements(a->gu) + n * 2 * F, *up = gate + F;
      each_vector(F, [=](int64_t i, auto lanes) {
        vf z = lanes.get(gate + i);
        vf sig = 1 / (1 + vexp(-z));
        lanes.put(h + i, z * sig * lanes.get(up + i));
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
int swiglu_bwd(sk_context* ctx, const sk_swiglu_gradient* a) {
  const int64_t F = a->F;
  parallel_blocks(ctx, a->N, rows_of(F), [=](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++) {
      const E *gate = elements(a->gu) + n * 2 * F, *up = gate + F;
      E *dgate = elements(a->dgu) + n * 2 * F, *dup = dgate + F, *d = elements(a->dh) + n * F;
      each_vector(F, [=](int64_t i, auto lanes) {
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
int zero(sk_context* ctx, const sk_vector* a) {
  parallel_blocks(ctx, a->n, 1 << 18, [=](int64_t begin, int64_t end) {
    memset(elements(a->x) + begin, 0, size_t(end - begin) * sizeof(E));
  });
  return 0;
}

} // namespace SK_ISA
} // namespace sk
