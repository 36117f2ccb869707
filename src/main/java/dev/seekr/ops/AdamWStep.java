package dev.seekr.ops;

import dev.seekr.tensor.Tensor;

/**
 * One AdamW step over w, m, v and g, all F32 and of one size.
 *
 * @param rounded of the same size and of E: the new w as the model reads it; null where that is w
 * @param step counts from 1
 * @param gradScale what the gradient is multiplied by first
 */
public record AdamWStep(
    Tensor w,
    Tensor m,
    Tensor v,
    Tensor g,
    Tensor rounded,
    long step,
    float lr,
    float beta1,
    float beta2,
    float eps,
    float decay,
    float gradScale)
    implements Arguments {
  @Override
  public void check(Shapes shapes) {
    shapes.wide("adamw w", w, w.shape());
    shapes.wide("adamw m", m, w.shape());
    shapes.wide("adamw v", v, w.shape());
    shapes.wide("adamw g", g, w.shape());
    if (rounded != null) shapes.elements("adamw rounded", rounded, w.shape());
    if (step < 1) throw new IllegalArgumentException("adamw: steps count from 1, not " + step);
  }

  @Override
  public void write(Members to) {
    to.p(w).p(m).p(v).p(g).p(rounded).l(w.size()).l(step);
    to.f(lr).f(beta1).f(beta2).f(eps).f(decay).f(gradScale);
  }
}
