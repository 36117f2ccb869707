// loss: cross-entropy and logit distillation, forward and gradient in one, rows of logits.
#include "device.cuh"

namespace sk {

// What the teacher adds to a row.
enum Distance { KL = 0, CROSS_ENTROPY = 1, SQUARES = 2 };

// One row: z [V] logits, t [V] teacher logits, y the target or -1, with q = softmax(z), p = softmax(t):
//   nll = lse_z - z_y     KL = sum p (t - z) - lse_t + lse_z     CROSS_ENTROPY = lse_z - sum p z
//   SQUARES = mean (z - t)^2
// Three passes: the maxima, the sums, the gradient (when wanted, in z's place). nll, distill, target and
// teacher_row lie on the device; teacher_row is null where there is no teacher.  A block is a row.
// A thread takes W elements at a time.
template <class T, class Teacher, int W> struct Loss {
  static constexpr int THREADS = 256;
  sk_loss_rows a;

  SK_DEVICE void operator()() const {
    const int64_t r = block_x();
    const int V = int(a.V);
    T* __restrict__ z = as<T>(a.logits) + r * V;
    const int32_t y = a.target[r], row = a.teacher_row ? a.teacher_row[r] : -1;
    const bool taught = row >= 0, soft = taught && a.mode != SQUARES;
    if (y < 0 && !taught) {
      for (int64_t v = thread(); a.grad && v < V; v += THREADS) z[v] = from_float<T>(0);
      if (thread() == 0) a.nll[r] = a.distill[r] = 0;
      return;
    }
    const Teacher* __restrict__ t =
        taught ? static_cast<const Teacher*>(a.teacher) + int64_t(row) * V : nullptr;
    double* room = shared<double>();

    float zmax = -INFINITY, tmax = -INFINITY;
    SK_UNROLL_4
    for (int v = thread() * W; v < V; v += THREADS * W) {
      const Elements<T, W> zs = load<W>(z + v);
      SK_UNROLL
      for (int i = 0; i < W; i++) zmax = larger(zmax, to_float(zs.v[i]));
      if (!soft) continue;
      const Elements<Teacher, W> ts = load<W>(t + v);
      SK_UNROLL
      for (int i = 0; i < W; i++) tmax = larger(tmax, to_float(ts.v[i]));
    }
    zmax = block_max<THREADS>(zmax, shared<float>());
    tmax = block_max<THREADS>(tmax, shared<float>());

    double zsum = 0, tsum = 0, cross = 0;
    for (int v = thread() * W; v < V; v += THREADS * W) {
      const Elements<T, W> zs = load<W>(z + v);
      Elements<Teacher, W> ts = {};
      if (taught) ts = load<W>(t + v);
      SK_UNROLL
      for (int i = 0; i < W; i++) {
        const float zv = to_float(zs.v[i]), zc = zv - zmax;
        zsum += double(exact_exp(zc));
        if (soft) {
          const float tc = to_float(ts.v[i]) - tmax, p = exact_exp(tc);
          tsum += double(p);
          if (p != 0) cross += double(p * (a.mode == KL ? tc - zc : -zc));
        } else if (taught) {
          const double d = double(zv - to_float(ts.v[i]));
          cross += d * d;
        }
      }
    }
    zsum = block_sum<THREADS>(zsum, room);
    tsum = block_sum<THREADS>(tsum, room);
    cross = block_sum<THREADS>(cross, room);

    const double lse = exact_log(zsum);
    if (thread() == 0) {
      a.nll[r] = y >= 0 ? lse - (double(to_float(z[y])) - double(zmax)) : 0;
      a.distill[r] = !taught ? 0
                     : !soft ? cross / double(a.V)
                             : cross / tsum + lse - (a.mode == KL ? exact_log(tsum) : 0);
    }
    barrier(); // z[y] has been read
    if (!a.grad) return;
    const float hard = y >= 0 ? a.w_nll[r] : 0, kept = taught ? a.w_distill[r] : 0;
    const float wq = float((double(hard) + (soft ? double(kept) : 0)) / zsum);
    const float wt = float(soft ? double(kept) / tsum : 2 * double(kept) / double(a.V));
    for (int v = thread() * W; v < V; v += THREADS * W) {
      Elements<T, W> zs = load<W>(z + v);
      Elements<Teacher, W> ts = {};
      if (taught) ts = load<W>(t + v);
      SK_UNROLL
      for (int i = 0; i < W; i++) {
        const float zv = to_float(zs.v[i]);
        float d = exact_exp(zv - zmax) * wq;
        if (soft) d -= exact_exp(to_float(ts.v[i]) - tmax) * wt;
        else if (taught) d += (zv - to_float(ts.v[i])) * wt;
        if (v + i == y) d -= hard;
        zs.v[i] = from_float<T>(d);
      }
      store<W>(z + v, zs);
    }
  }
};

template <class T, int W> struct LossOfFloats : Loss<T, float, W> {};
template <class T, int W> struct LossOfHalves : Loss<T, f16, W> {};
SK_KERNELS_OF_ROWS(loss, LossOfFloats)
SK_KERNELS_OF_ROWS(loss_of_halves, LossOfHalves)

} // namespace sk

#ifdef SK_LAUNCHERS
#include "launch.h"

namespace sk {
namespace cuda {

int loss(sk_context* ctx, const sk_loss_rows* a) {
  const int64_t R = a->R;
  if (R == 0) return 0;
  sk_loss_rows x = *a;
  x.nll = reinterpret_cast<double*>(device_scratch(ctx, 2 * R * int64_t(sizeof(double))));
  x.distill = x.nll + R;
  x.target = upload(ctx, a->target, R);
  x.teacher_row = a->teacher ? upload(ctx, a->teacher_row, R) : nullptr;
  by_width(ctx, a->V, {a->logits, a->teacher}, [&](auto element, auto width) {
    using T = decltype(element);
    if (a->teacher_f16) launch(ctx, R, 1, 32 * sizeof(double), LossOfHalves<T, width>{{x}});
    else launch(ctx, R, 1, 32 * sizeof(double), LossOfFloats<T, width>{{x}});
  });
  std::vector<double> both(size_t(2 * R));
  download(ctx, both.data(), x.nll, 2 * R * int64_t(sizeof(double)));
  for (int64_t r = 0; r < R; r++) a->nll[r] = both[size_t(r)];
  for (int64_t r = 0; a->distill && r < R; r++) a->distill[r] = both[size_t(R + r)];
  return 0;
}

} // namespace cuda
} // namespace sk
#endif
