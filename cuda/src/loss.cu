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
template <class T, class Teacher> struct Loss {
  static constexpr int THREADS = 256;
  sk_loss_rows a;

  SK_DEVICE void operator()() const {
    const int64_t r = block_x();
    T* z = as<T>(a.logits) + r * a.V;
    const int32_t y = a.target[r], row = a.teacher_row ? a.teacher_row[r] : -1;
    const bool taught = row >= 0, soft = taught && a.mode != SQUARES;
    if (y < 0 && !taught) {
      for (int64_t v = thread(); a.grad && v < a.V; v += THREADS) z[v] = from_float<T>(0);
      if (thread() == 0) a.nll[r] = a.distill[r] = 0;
      return;
    }
    const Teacher* t = taught ? static_cast<const Teacher*>(a.teacher) + row * a.V : nullptr;
    double* room = shared<double>();

    float zmax = -INFINITY, tmax = -INFINITY;
    for (int64_t v = thread(); v < a.V; v += THREADS) {
      zmax = larger(zmax, to_float(z[v]));
      if (soft) tmax = larger(tmax, to_float(t[v]));
    }
    zmax = block_max<THREADS>(zmax, shared<float>());
    tmax = block_max<THREADS>(tmax, shared<float>());

    double zsum = 0, tsum = 0, cross = 0;
    for (int64_t v = thread(); v < a.V; v += THREADS) {
      const float zv = to_float(z[v]), zc = zv - zmax;
      zsum += double(exact_exp(zc));
      if (soft) {
        const float tc = to_float(t[v]) - tmax, p = exact_exp(tc);
        tsum += double(p);
        if (p != 0) cross += double(p * (a.mode == KL ? tc - zc : -zc));
      } else if (taught) {
        const double d = double(zv - to_float(t[v]));
        cross += d * d;
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
    for (int64_t v = thread(); v < a.V; v += THREADS) {
      const float zv = to_float(z[v]);
      float d = exact_exp(zv - zmax) * wq;
      if (soft) d -= exact_exp(to_float(t[v]) - tmax) * wt;
      else if (taught) d += (zv - to_float(t[v])) * wt;
      if (v == y) d -= hard;
      z[v] = from_float<T>(d);
    }
  }
};

SK_KERNEL(loss_f32, Loss<float, float>)
SK_KERNEL(loss_bf16, Loss<bf16, float>)
SK_KERNEL(loss_f16, Loss<f16, float>)
SK_KERNEL(loss_f32_f16, Loss<float, f16>)
SK_KERNEL(loss_bf16_f16, Loss<bf16, f16>)
SK_KERNEL(loss_f16_f16, Loss<f16, f16>)

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
  dispatch(ctx, [&](auto element) {
    using T = decltype(element);
    if (a->teacher_f16) launch(ctx, R, 1, 32 * sizeof(double), Loss<T, f16>{x});
    else launch(ctx, R, 1, 32 * sizeof(double), Loss<T, float>{x});
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
