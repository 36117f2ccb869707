// rmsnorm_fwd, rmsnorm_bwd.
#include "kernels.h"
#include "simd.h"

namespace sk {
namespace SK_ISA {

static constexpr int64_t FLOATS = 16384; // normalised by one task

// x = a + b (b null: x is a);  rstd[n] = 1/sqrt(mean_c x^2 + eps);  y = x * rstd * w
// y, x, a, b [N,C], rstd [N], w [C]
int rmsnorm_fwd(sk_context* ctx, float* y, float* x, float* rstd, const float* a, const float* b,
                const float* w, int64_t N, int64_t C, float eps) {
  parallel_blocks(ctx, N, C < FLOATS ? FLOATS / C : 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++) {
      const float* row = b ? x + n * C : a + n * C;
      Sum squares;
      each_vector(C, [&](int64_t c, auto lanes) {
        vf v = lanes.get(a + n * C + c);
        if (b) lanes.put(x + n * C + c, v = v + lanes.get(b + n * C + c));
        squares.add_product(v, v);
      });
      float r = float(1 / __builtin_sqrt(squares.total() / double(C) + double(eps)));
      rstd[n] = r;
      each_vector(C, [&](int64_t c, auto lanes) {
        lanes.put(y + n * C + c, lanes.get(row + c) * r * lanes.get(w + c));
      });
    }
  });
  return 0;
}

// xhat = x*rstd, g = dy*w:  dx += rstd * (g - xhat * mean_c(g*xhat));
// dw += sum_n dy*xhat (dw null: not computed)
// dx, dy, x [N,C], rstd [N], dw, w [C]
// The sum over rows goes through at most 64 blocks, chosen by N alone; their sums are added in order, in
// double.
int rmsnorm_bwd(sk_context* ctx, float* dx, float* dw, const float* dy, const float* x, const float* rstd,
                const float* w, int64_t N, int64_t C) {
  const int64_t rows = N <= 16 * 64 ? 16 : (N + 63) / 64;
  const int64_t blocks = (N + rows - 1) / rows;
  float* sums = dw ? shared_scratch(ctx, blocks * C) : nullptr; // [blocks,C]

  parallel_blocks(ctx, N, rows, [&](int64_t begin, int64_t end) {
    float* sum = dw ? sums + begin / rows * C : nullptr;
    if (dw) memset(sum, 0, size_t(C) * sizeof(float));
    for (int64_t n = begin; n < end; n++) {
      const float *dyn = dy + n * C, *xn = x + n * C;
      float* dxn = dx + n * C;
      const float r = rstd[n];
      Sum dot;
      each_vector(C, [&](int64_t c, auto lanes) {
        dot.add_product(lanes.get(dyn + c) * lanes.get(w + c), lanes.get(xn + c));
      });
      const float mean = float(dot.total() * double(r) / double(C));
      each_vector(C, [&](int64_t c, auto lanes) {
        vf dyc = lanes.get(dyn + c), xhat = lanes.get(xn + c) * r;
        lanes.put(dxn + c, lanes.get(dxn + c) + r * (dyc * lanes.get(w + c) - xhat * mean));
        if (dw) lanes.put(sum + c, lanes.get(sum + c) + dyc * xhat);
      });
    }
  });
  if (!dw) return 0;

  parallel_blocks(ctx, C, 256, [&](int64_t begin, int64_t end) {
    each_vector(end - begin, [&](int64_t i, auto lanes) {
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
