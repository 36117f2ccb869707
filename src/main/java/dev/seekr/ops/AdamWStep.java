package dev.seekr.ops;

import dev.seekr.tensor.DType;
import dev.seekr.tensor.Tensor;

/**
 * One AdamW step over w, m, v and g, all [n] F32; or m and v of BF16, then w too or not, and where
 * w is, g too or not. What is stored as BF16 is rounded at random, so that its mean is what it
 * would be in F32.
 *
 * @param rounded [n] of E or BF16: the new w as the model reads it; null where that is w, and
 *     beside moments of BF16
 * @param step counts from 1
 * @param key what the random bits of an element follow from, beside its index
 * @param gradScale what the gradient is multiplied by first
 */
public record AdamWStep(
    Tensor w,
    Tensor m,
    Tensor v,
    Tensor g,
    Tensor rounded,
    long step,
    long key,
    float lr,
    float beta1,
    float beta2,
    float eps,
    float decay,
    float gradScale)
    implements Arguments {

  /** Of F32 alone, where nothing is drawn. */
  public AdamWStep(
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
      float gradScale) {
    this(w, m, v, g, rounded, step, 0, lr, beta1, beta2, eps, decay, gradScale);
  }

  private static boolean narrow(Tensor t) {
    return t != null && t.dtype() == DType.BF16;
  }

  /** Whether something is stored as BF16 beside what a model reads. */
  public boolean narrow() {
    return narrow(m);
  }

  @Override
  public void check(Shapes shapes) {
    if (narrow(w) && narrow(m)) shapes.floating("adamw w", w, DType.BF16, w.shape());
    else shapes.wide("adamw w", w, w.shape());
    for (var moment : new Tensor[] {m, v}) {
      String what = moment == m ? "adamw m" : "adamw v";
      if (narrow(m) && narrow(v)) shapes.floating(what, moment, DType.BF16, w.shape());
      else shapes.wide(what, moment, w.shape());
    }
    if (narrow(w) && narrow(g)) shapes.floating("adamw g", g, DType.BF16, w.shape());
    else shapes.wide("adamw g", g, w.shape());
    if (narrow(rounded)) shapes.floating("adamw rounded", rounded, DType.BF16, w.shape());
    else if (rounded != null) shapes.elements("adamw rounded", rounded, w.shape());
    if (rounded != null && narrow(m))
      throw new IllegalArgumentException("adamw rounded: " + rounded + ", expected null");
    if (step < 1) throw new IllegalArgumentException("adamw: steps count from 1, not " + step);
  }

  @Override
  public void write(Members to) {
    to.p(w).p(m).p(v).p(g).p(rounded).l(w.size()).l(step).l(key);
    to.f(lr).f(beta1).f(beta2).f(eps).f(decay).f(gradScale);
    to.i(narrow(w)).i(narrow(m)).i(narrow(g)).i(narrow(rounded));
  }

  /** Random bits of element i: the lower 16 are m's, the upper 16 v's. */
  public int random(long i) {
    long k = Hashes.mix(key + (i >>> 32));
    return Hashes.mix(Hashes.mix((int) (i + k)) ^ (int) (k >>> 32));
  }

  /** Those of w; the lower 16. */
  public int randomOfW(long i) {
    return Hashes.mix(~random(i));
  }
}
