// loss: cross-entropy and logit distillation, forward and gradient in one, rows of logits.
#include "device.cuh"

namespace sk {

// What the teacher adds to a row.
enum Distance { KL = 0, CROSS_ENTROPY = 1, SQUARES = 2 };

// One row: z [V] logits, t [V] teacher logits, y the target or -1, with q = softmax(z), p = softmax(t):
//   nll = lse_z - z_y     KL = sum p (t - z) - lse_t + lse_z     CROSS_ENTROPY = lse_z - sum p z
//   SQUARES = mean (z - t)^2
// Terms with p = 0 are 0. Three passes: the maxima, the sums, the gradient (when wanted, in z's place):
//   w_nll (q - onehot_y) + w_distill * (q - p, or 2 (z - t)/V)
// nll, distill [R], logits [R,V], target, w_nll [R], teacher [*,V], teacher_row (null:
// no teacher), w_distill [R].  A block is a row.
template <class T, class Teacher> struct Loss {
  static constexpr int THREADS = 256;
  double *nll, *distill;
  T* logits;
  const int32_t* target;
  const float* w_nll;
  const Teacher* teacher;
  const int32_t* teacher_row;
  const float* w_distill;
  int64_t V;
  int32_t mode, grad;

  SK_DEVICE void operator()() const {
    const int64_t r = block_x();
    T* z = logits + r * V;
    const int32_t y = target[r], row = teacher_row ? teacher_row[r] : -1;
    const bool taught = row >= 0, soft = taught && mode != SQUARES;
    if (y < 0 && !taught) {
      for (int64_t v = thread(); grad && v < V; v += THREADS) z[v] = from_float<T>(0);
      if (thread() == 0) nll[r] = distill[r] = 0;
      return;
    }
    const Teacher* t = taught ? teacher + row * V : nullptr;
    double* room = shared<double>();

    float zmax = -INFINITY, tmax = -INFINITY;
    for (int64_t v = thread(); v < V; v += THREADS) {
      zmax = larger(zmax, to_float(z[v]));
      if (soft) tmax = larger(tmax, to_float(t[v]));
    }
    zmax = block_max<THREADS>(zmax, shared<float>());
    tmax = block_max<THREADS>(tmax, shared<float>());

    double zsum = 0, tsum = 0, cross = 0;
    for (int64_t v = thread(); v < V; v += THREADS) {
      const float zv = to_float(z[v]), zc = zv - zmax;
      zsum += double(exact_exp(zc));
      if (soft) {
        const float tc = to_float(t[v]) - tmax, p = exact_exp(tc);
        tsum += double(p);
        if (p != 0) cross += double(p * (mode == KL ? tc - zc : -zc));
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
      nll[r] = y >= 0 ? lse - (double(to_float(z[y])) - double(zmax)) : 0;
      distill[r] = !taught ? 0
                   : !soft ? cross / double(V)
                           : cross / tsum + lse - (mode == KL ? exact_log(tsum) : 0);
    }
    barrier(); // z[y] has been read
    if (!grad) return;
    const float hard = y >= 0 ? w_nll[r] : 0, kept = taught ? w_distill[r] : 0;
    const float wq = float((double(hard) + (soft ? double(kept) : 0)) / zsum);
    const float wt = float(soft ? double(kept) / tsum : 2 * double(kept) / double(V));
    for (int64_t v = thread(); v < V; v += THREADS) {
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

int loss(sk_context* ctx, double* nll, double* distill, float* logits, const int32_t* target,
         const float* w_nll, const void* teacher, int32_t teacher_f16, const int32_t* teacher_row,
         const float* w_distill, int32_t mode, int32_t grad, int64_t R, int64_t V) {
  if (R == 0) return 0;
  double* losses = reinterpret_cast<double*>(device_scratch(ctx, 2 * R * int64_t(sizeof(double))));
  const int32_t* y = upload(ctx, target, R);
  const int32_t* row = teacher ? upload(ctx, teacher_row, R) : nullptr;
  dispatch(ctx, [&](auto element) {
    using T = decltype(element);
    auto run = [&](auto* t) {
      using Teacher = std::remove_const_t<std::remove_pointer_t<decltype(t)>>;
      launch(ctx, R, 1, 32 * sizeof(double),
             Loss<T, Teacher>{losses, losses + R, as<T>(logits), y, w_nll, t, row, w_distill, V, mode, grad});
    };
    if (teacher_f16) run(static_cast<const f16*>(teacher));
    else run(static_cast<const float*>(teacher));
  });
  std::vector<double> both(size_t(2 * R));
  download(ctx, both.data(), losses, 2 * R * int64_t(sizeof(double)));
  for (int64_t r = 0; r < R; r++) nll[r] = both[size_t(r)];
  for (int64_t r = 0; distill && r < R; r++) distill[r] = both[size_t(R + r)];
  return 0;
}

} // namespace cuda
} // namespace sk
#endif
