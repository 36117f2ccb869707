// rmsnorm_fwd, rmsnorm_bwd.
#include "device.cuh"

namespace sk {

// Shared memory: a number for each warp, then the row as it is normalised, where it has room (`keeps`); else
// it is read again.  A block is a row; a thread takes W elements at a time.
template <class T, int W> struct RmsnormFwd {
  static constexpr int THREADS = 128, ROW = 128; // byte where the row begins
  sk_rmsnorm of;
  bool keeps;

  SK_DEVICE void operator()() const {
    const int C = int(of.C);
    const int64_t row = block_x() * C;
    const T* __restrict__ a = as<T>(of.a) + row;
    const T* __restrict__ b = of.b ? as<T>(of.b) + row : nullptr;
    const T* __restrict__ w = as<T>(of.w);
    T* __restrict__ x = of.x ? as<T>(of.x) + row : nullptr, * __restrict__ y = as<T>(of.y) + row;
    T* kept = shared<T>(ROW);
    float squares = 0;
    SK_UNROLL_4
    for (int c = thread() * W; c < C; c += THREADS * W) {
      Elements<T, W> v = load<W>(a + c);
      if (b) {
        const Elements<T, W> u = load<W>(b + c);
        SK_UNROLL
        for (int i = 0; i < W; i++) v.v[i] = from_float<T>(to_float(v.v[i]) + to_float(u.v[i]));
        store<W>(x + c, v);
      }
      if (keeps) store<W>(kept + c, v);
      SK_UNROLL
      for (int i = 0; i < W; i++) squares += to_float(v.v[i]) * to_float(v.v[i]);
    }
    const float sum = block_sum<THREADS>(squares, shared<float>());
    const float r = 1 / root(sum / float(C) + of.eps);
    if (thread() == 0) of.rstd[block_x()] = r;
    const T* from = keeps ? kept : b ? x : a; // each thread reads what it wrote
    SK_UNROLL_4
    for (int c = thread() * W; c < C; c += THREADS * W) {
      Elements<T, W> v = load<W>(from + c);
      const Elements<T, W> u = load<W>(w + c);
      SK_UNROLL
      for (int i = 0; i < W; i++) v.v[i] = from_float<T>(to_float(v.v[i]) * r * to_float(u.v[i]));
      store<W>(y + c, v);
    }
  }
};

// dx, and parts[k,c] = sum of dy*x*rstd over the k-th `rows` rows (null: not wanted), so that dy and x are
// read once. Shared memory: a number for each warp, then the sums, where they have room (`keeps`); else
// these lie in parts from the beginning.  A block is one part; a thread has the same columns of all its rows.
template <class T, int W> struct RmsnormBwd {
  static constexpr int THREADS = 256, SUMS = 128; // byte where sums begin
  sk_rmsnorm_gradient of;
  float* parts;
  int64_t rows;
  bool keeps;

  SK_DEVICE void operator()() const {
    const int C = int(of.C);
    const T* __restrict__ w = as<T>(of.w);
    float* part = parts ? parts + block_x() * C : nullptr;
    float* sums = keeps ? shared<float>(SUMS) : part;
    for (int c = thread() * W; part && c < C; c += THREADS * W) store<W>(sums + c, Elements<float, W>{});
    for (int64_t n = block_x() * rows; n < least(of.N, (block_x() + 1) * rows); n++) {
      const T* __restrict__ dy = as<T>(of.dy) + n * C, * __restrict__ x = as<T>(of.x) + n * C;
      T* __restrict__ dx = as<T>(of.dx) + n * C;
      const float r = of.rstd[n];
      float dot = 0;
      SK_UNROLL_4
      for (int c = thread() * W; c < C; c += THREADS * W) {
        const Elements<T, W> d = load<W>(dy + c), u = load<W>(x + c), v = load<W>(w + c);
        SK_UNROLL
        for (int i = 0; i < W; i++) dot += to_float(d.v[i]) * to_float(v.v[i]) * to_float(u.v[i]);
      }
      const float mean = block_sum<THREADS>(dot, shared<float>()) * r / float(C);
      SK_UNROLL_4
      for (int c = thread() * W; c < C; c += THREADS * W) {
        const Elements<T, W> d = load<W>(dy + c), u = load<W>(x + c), v = load<W>(w + c);
        Elements<T, W> to = load<W>(dx + c);
        Elements<float, W> s = {};
        if (part) s = load<W>(sums + c);
        SK_UNROLL
        for (int i = 0; i < W; i++) {
          const float xhat = to_float(u.v[i]) * r, g = to_float(d.v[i]) * to_float(v.v[i]);
          to.v[i] = from_float<T>(to_float(to.v[i]) + r * (g - xhat * mean));
          s.v[i] += to_float(d.v[i]) * xhat;
        }
        store<W>(dx + c, to);
        if (part) store<W>(sums + c, s);
      }
    }
    for (int c = thread() * W; part && keeps && c < C; c += THREADS * W)
      store<W>(part + c, load<W>(sums + c));
  }
};

// dw[c] += the sum over K parts, in order: each warp's share of them, then the warps'.  A block is 32
// channels.
struct RmsnormBwdWeight {
  static constexpr int THREADS = 256, WARPS = THREADS / 32;
  float* dw;
  const float* parts;
  int64_t C, K;

  SK_DEVICE void operator()() const {
    const int64_t c = block_x() * 32 + lane(), each = (K + WARPS - 1) / WARPS;
    double sum = 0;
    SK_UNROLL_4
    for (int64_t k = warp() * each; c < C && k < least(K, (warp() + 1) * each); k++)
      sum += double(parts[k * C + c]);
    double* sums = shared<double>();
    sums[thread()] = sum;
    barrier();
    if (warp() > 0 || c >= C) return;
    for (int i = 1; i < WARPS; i++) sum += sums[i * 32 + lane()];
    dw[c] += float(sum);
  }
};

SK_KERNELS_OF_ROWS(rmsnorm_fwd, RmsnormFwd)
SK_KERNELS_OF_ROWS(rmsnorm_bwd, RmsnormBwd)
SK_KERNEL(rmsnorm_bwd_weight, RmsnormBwdWeight)

} // namespace sk

#ifdef SK_LAUNCHERS
#include "launch.h"

namespace sk {
namespace cuda {

// What every GPU gives a block unasked, and lets several blocks have.
static constexpr int64_t ROOM = 48 << 10;

int rmsnorm_fwd(sk_context* ctx, const sk_rmsnorm* a) {
  return by_width(ctx, a->C, {a->y, a->x, a->a, a->b, a->w}, [&](auto element, auto width) {
    using K = RmsnormFwd<decltype(element), width>;
    const int64_t shared = K::ROW + a->C * int64_t(sizeof element);
    launch(ctx, a->N, 1, shared <= ROOM ? shared : K::ROW, K{*a, shared <= ROOM});
  });
}

// The sum over rows goes through at most 512 parts, chosen by N alone: about four blocks for each of an
// H100's multiprocessors.
int rmsnorm_bwd(sk_context* ctx, const sk_rmsnorm_gradient* a) {
  const int64_t N = a->N, C = a->C, rows = ceil_div(N, 512);
  if (N == 0) return 0;
  const int64_t K = ceil_div(N, rows);
  float* parts =
      a->dw ? reinterpret_cast<float*>(device_scratch(ctx, K * C * int64_t(sizeof(float)))) : nullptr;
  return by_width(ctx, C, {a->dx, a->dy, a->x, a->w}, [&](auto element, auto width) {
    using Row = RmsnormBwd<decltype(element), width>;
    const int64_t shared = Row::SUMS + C * int64_t(sizeof(float));
    const bool keeps = parts && shared <= ROOM;
    launch(ctx, K, 1, keeps ? shared : Row::SUMS, Row{*a, parts, rows, keeps});
    if (parts)
      launch(ctx, ceil_div(C, 32), 1, RmsnormBwdWeight::THREADS * int64_t(sizeof(double)),
             RmsnormBwdWeight{a->dw, parts, C, K});
  });
}

} // namespace cuda
} // namespace sk
#endif
