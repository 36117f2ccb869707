// loss: cross-entropy and logit distillation, forward and gradient in one, rows of logits.
#include "kernels.h"
#include "simd.h"

namespace sk {
namespace SK_ISA {

// What the teacher adds to a row.
enum Distillation { KL = 0, CROSS_ENTROPY = 1, SQUARES = 2, NONE };

struct Row {
  E* z;      // [V] logits
  int32_t y; // the target or -1
  float w_nll, w_distill;
  bool grad;
  int64_t V;
};
struct Losses {
  double nll, distill;
};

template <class T> SK_INLINE float row_max(const T* x, int64_t V) {
  vf most = broadcast(-__builtin_inff());
  each_vector(V, [&](int64_t v, auto lanes) { most = vmax(most, lanes.get(x + v, -__builtin_inff())); });
  return reduce_max(most);
}

// One row, and t [V] teacher logits (not read when MODE is NONE), with
// q = softmax(z), p = softmax(t), both as exp(. - max) / sum, sums in double. lse is relative to the maximum.
//   nll = lse_z - z_y     KL = sum p (t - z) - lse_t + lse_z     CROSS_ENTROPY = lse_z - sum p z
//   SQUARES = mean (z - t)^2
// Terms with p = 0 are 0. Three passes: the maxima, the sums, the gradient (when wanted, in z's place):
//   w_nll (q - onehot_y) + w_distill * (q - p, or 2 (z - t)/V)
template <Distillation MODE, class T> static Losses loss_row(const Row& row, const T* t) {
  const auto [z, y, w_nll, w_distill, grad, V] = row;
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
  const float zy = y >= 0 ? widen(z[y]) : 0;
  if (y >= 0) losses.nll = lse - (double(zy) - double(zmax));
  if (MODE == KL) losses.distill = cross.total() / ts - __builtin_log(ts) + lse;
  if (MODE == CROSS_ENTROPY) losses.distill = cross.total() / ts + lse;
  if (MODE == SQUARES) losses.distill = cross.total() / double(V);
  if (!grad) return losses;

  const float wq = float((double(w_nll) + (soft ? double(w_distill) : 0)) / zs);
  const float wt = float(soft ? double(w_distill) / ts : 2 * double(w_distill) / double(V));
  float slope = 0; // of the target, before it is rounded
  each_vector(V, [&](int64_t v, auto lanes) {
    vf zv = lanes.get(z + v), d = vexp(zv - zmax) * wq;
    if constexpr (soft) d = d - vexp(lanes.get(t + v) - tmax) * wt;
    if constexpr (MODE == SQUARES) d = d + (zv - lanes.get(t + v)) * wt;
    lanes.put(z + v, d);
    if (y >= v && y < v + W) slope = d[y - v];
  });
  if (y >= 0) put(z + y, slope - w_nll);
  return losses;
}

template <class T> static Losses distilled_row(int32_t mode, const Row& row, const T* t) {
  switch (mode) {
  case KL: return loss_row<KL>(row, t);
  case CROSS_ENTROPY: return loss_row<CROSS_ENTROPY>(row, t);
  default: return loss_row<SQUARES>(row, t);
  }
}

// nll, distill [R], logits [R,V], target, w_nll [R], teacher [*,V] float or half, teacher_row, w_distill [R]
int loss(sk_context* ctx, const sk_loss_rows* a) {
  parallel(ctx, a->R, [=](int64_t r, int) {
    E* z = elements(a->logits) + r * a->V;
    const int32_t target = a->target[r];
    const bool labelled = target >= 0, taught = a->teacher && a->teacher_row[r] >= 0;
    const float w_nll = a->grad && labelled ? a->w_nll[r] : 0;
    const float w_distill = a->grad && taught ? a->w_distill[r] : 0;
    const Row row = {z, target, w_nll, w_distill, a->grad != 0, a->V};
    Losses losses = {0, 0};
    if (taught) {
      const int64_t from = a->teacher_row[r] * a->V;
      if (a->teacher_f16)
        losses = distilled_row(a->mode, row, static_cast<const uint16_t*>(a->teacher) + from);
      else losses = distilled_row(a->mode, row, static_cast<const float*>(a->teacher) + from);
    } else if (labelled) {
      losses = loss_row<NONE>(row, z);
    } else if (a->grad) {
      memset(z, 0, size_t(a->V) * sizeof(E));
    }
    a->nll[r] = losses.nll;
    if (a->distill) a->distill[r] = losses.distill;
  });
  return 0;
}

} // namespace SK_ISA
} // namespace sk
