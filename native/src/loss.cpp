// loss: cross-entropy and logit distillation, forward and gradient in one, rows of logits.
#include "kernels.h"
#include "simd.h"

namespace sk {
namespace SK_ISA {

// What the teacher adds to a row.
enum Distillation { KL = 0, CROSS_ENTROPY = 1, SQUARES = 2, NONE };

struct Weights {
  float nll, distill;
};
struct Losses {
  double nll, distill;
};

template <class T> SK_INLINE float row_max(const T* x, int64_t V) {
  vf most = broadcast(-__builtin_inff());
  each_vector(V, [&](int64_t v, auto lanes) { most = vmax(most, lanes.get(x + v, -__builtin_inff())); });
  return reduce_max(most);
}

// One row: z [V] logits, t [V] teacher logits (not read when MODE is NONE), y the target or -1, with
// q = softmax(z), p = softmax(t), both as exp(. - max) / sum, sums in double. lse is relative to the maximum.
//   nll = lse_z - z_y     KL = sum p (t - z) - lse_t + lse_z     CROSS_ENTROPY = lse_z - sum p z
//   SQUARES = mean (z - t)^2
// Terms with p = 0 are 0. Three passes: the maxima, the sums, the gradient (when wanted, in z's place):
//   w.nll (q - onehot_y) + w.distill * (q - p, or 2 (z - t)/V)
template <Distillation MODE, class T>
static Losses loss_row(float* z, const T* t, int32_t y, Weights w, bool grad, int64_t V) {
  constexpr bool soft = MODE == KL || MODE == CROSS_ENTROPY;
  const float zmax = row_max(z, V), tmax = soft ? row_max(t, V) : 0;

  Sum zsum, tsum, cross;
  each_vector(V, [&](int64_t v, auto lanes) {
    vf zv = lanes.get(z + v), zc = zv - zmax;
    zsum.add(lanes.keep(vexp(zc)));
    if constexpr (soft) {
      vf tc = lanes.get(t + v) - tmax, p = lanes.keep(vexp(tc));
      tsum.add(p);
      cross.add(p == 0 ? vf{} : p * (MODE == KL ? tc - zc : -zc));
    }
    if constexpr (MODE == SQUARES) {
      vf d = zv - lanes.get(t + v);
      cross.add_product(d, d);
    }
  });
  const double zs = zsum.total(), ts = tsum.total(), lse = __builtin_log(zs);

  Losses losses = {0, 0};
  if (y >= 0) losses.nll = lse - (double(z[y]) - double(zmax));
  if (MODE == KL) losses.distill = cross.total() / ts - __builtin_log(ts) + lse;
  if (MODE == CROSS_ENTROPY) losses.distill = cross.total() / ts + lse;
  if (MODE == SQUARES) losses.distill = cross.total() / double(V);
  if (!grad) return losses;

  const float wq = float((double(w.nll) + (soft ? double(w.distill) : 0)) / zs);
  const float wt = float(soft ? double(w.distill) / ts : 2 * double(w.distill) / double(V));
  each_vector(V, [&](int64_t v, auto lanes) {
    vf zv = lanes.get(z + v), d = vexp(zv - zmax) * wq;
    if constexpr (soft) d = d - vexp(lanes.get(t + v) - tmax) * wt;
    if constexpr (MODE == SQUARES) d = d + (zv - lanes.get(t + v)) * wt;
    lanes.put(z + v, d);
  });
  if (y >= 0) z[y] -= w.nll;
  return losses;
}

template <class T>
static Losses distilled_row(int32_t mode, float* z, const T* t, int32_t y, Weights w, bool grad, int64_t V) {
  switch (mode) {
  case KL: return loss_row<KL>(z, t, y, w, grad, V);
  case CROSS_ENTROPY: return loss_row<CROSS_ENTROPY>(z, t, y, w, grad, V);
  default: return loss_row<SQUARES>(z, t, y, w, grad, V);
  }
}

// nll, distill [R], logits [R,V], target, w_nll [R], teacher [*,V] float or half, teacher_row, w_distill [R]
int loss(sk_context* ctx, double* nll, double* distill, float* logits, const int32_t* target,
         const float* w_nll, const void* teacher, int32_t teacher_f16, const int32_t* teacher_row,
         const float* w_distill, int32_t mode, int32_t grad, int64_t R, int64_t V) {
  parallel(ctx, R, [&](int64_t r, int) {
    float* z = logits + r * V;
    const bool labelled = target[r] >= 0, taught = teacher && teacher_row[r] >= 0;
    const Weights w = {grad && labelled ? w_nll[r] : 0, grad && taught ? w_distill[r] : 0};
    Losses losses = {0, 0};
    if (taught) {
      const int64_t row = teacher_row[r] * V;
      if (teacher_f16)
        losses = distilled_row(mode, z, static_cast<const uint16_t*>(teacher) + row, target[r], w, grad, V);
      else losses = distilled_row(mode, z, static_cast<const float*>(teacher) + row, target[r], w, grad, V);
    } else if (labelled) {
      losses = loss_row<NONE>(z, z, target[r], w, grad, V);
    } else if (grad) {
      memset(z, 0, size_t(V) * sizeof(float));
    }
    nll[r] = losses.nll;
    if (distill) distill[r] = losses.distill;
  });
  return 0;
}

} // namespace SK_ISA
} // namespace sk
