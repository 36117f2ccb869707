// rmsnorm_fwd, rmsnorm_bwd.
#include "kernels.h"
#include "simd.h"

namespace sk {
namespace SK_ISA {

static constexpr int64_t FLOATS = 16384; // normalised by one task; tried 4096, 65536: as fast

// x = a + b (b null: x is a);  rstd[n] = 1/sqrt(mean_c x^2 + eps);  y = x * rstd * w
// y, x, a, b [N,C], rstd [N], w [C]
int rmsnorm_fwd(sk_context* ctx, const sk_rmsnorm* in) {
  const int64_t C = in->C;
  parallel_blocks(ctx, in->N, C < FLOATS ? FLOATS / C : 1, [=](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++) {
      const E *a = elements(in->a) + n * C, *b = in->b ? elements(in->b) + n * C : nullptr;
      const E* w = elements(in->w);
      E *x = b ? elements(in->x) + n * C : nullptr, *y = elements(in->y) + n * C;
      Sum squares;
      each_vector(C, [&](int64_t c, auto lanes) {
        vf v = lanes.get(a + c);
        if (b) lanes.put(x + c, v = as_stored(x, v + lanes.get(b + c)));
        squares.add_product(v, v);
      });
      const float r = in->rstd[n] = float(1 / __builtin_sqrt(squares.total() / double(C) + double(in->eps)));
      const E* row = b ? x : a;
      each_vector(
          C, [=](int64_t c, auto lanes) { lanes.put(y + c, lanes.get(row + c) * r * lanes.get(w + c)); });
    }
  });
  return 0;
}

// xhat = x*rstd, g = dy*w:  dx += rstd * (g - xhat * mean_c(g*xhat));
// dw += sum_n dy*xhat (dw null: not computed)
// dx, dy, x [N,C], rstd [N], dw, w [C]
// The sum over rows goes through at most 64 blocks, chosen by N alone; their sums are added in order, in
// double.
int rmsnorm_bwd(sk_context* ctx, const sk_rmsnorm_gradient* a) {
  const int64_t N = a->N, C = a->C;
  float* dw = a->dw;
  const int64_t rows = N <= 16 * 64 ? 16 : (N + 63) / 64;
  const int64_t blocks = (N + rows - 1) / rows;
  float* sums = dw ? shared_scratch(ctx, blocks * C) : nullptr; // [blocks,C]

  parallel_blocks(ctx, N, rows, [=](int64_t begin, int64_t end) {
    float* sum = dw ? sums + begin / rows * C : nullptr;
    if (dw) memset(sum, 0, size_t(C) * sizeof(float));
    for (int64_t n = begin; n < end; n++) {
      const E *dy = elements(a->dy) + n * C, *x = elements(a->x) + n * C, *w = elements(a->w);
      const float r = a->rstd[n];
      E* dx = elements(a->dx) + n * C;
      Sum dot;
      each_vector(C, [&](int64_t c, auto lanes) {
        dot.add_product(lanes.get(dy + c) * lanes.get(w + c), lanes.get(x + c));
      });
      const float mean = float(dot.total() * double(r) / double(C));
      each_vector(C, [&](int64_t c, auto lanes) {
        vf dyc = lanes.get(dy + c), xhat = lanes.get(x + c) * r;
        lanes.put(dx + c, lanes.get(dx + c) + r * (dyc * lanes.get(w + c) - xhat * mean));
        if (dw) lanes.put(sum + c, lanes.get(sum + c) + dyc * xhat);
      });
    }
  });
  if (!dw) return 0;

  parallel_blocks(ctx, C, 256, [=](int64_t begin, int64_t end) {
    each_vector(end - begin, [=](int64_t i, auto lanes) {
      const int64_t c = begin + i;
      Sum total;
      for (int64_t k = 0; k < blocks; k++) total.add(lanes.get(sums + k * C + c));
      lanes.put(dw + c, lanes.get(dw + c) + narrow(total.low, total.high));
    });
  });
  return 0;
}

} // namespace SK_ISA
} // namespace sk
