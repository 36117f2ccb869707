package dev.seekr.ops;

import dev.seekr.tensor.Tensor;

/** dx [N,C] +=, dw [C] F32 += or null, from dy, x, rstd [N] F32 and w. */
public record NormGradient(Tensor dx, Tensor dw, Tensor dy, Tensor x, Tensor rstd, Tensor w)
    implements Arguments {
  @Override
  public void check(Shapes shapes) {
    long N = rstd.size(), C = w.size();
    shapes.elements("rmsnorm w", w, C);
    shapes.wide("rmsnorm rstd", rstd, N);
    shapes.elements("rmsnorm dx", dx, N, C);
    shapes.elements("rmsnorm dy", dy, N, C);
    shapes.elements("rmsnorm x", x, N, C);
    if (dw != null) shapes.wide("rmsnorm dw", dw, C);
  }

  @Override
  public void write(Members to) {
    to.p(dx).p(dw).p(dy).p(x).p(rstd).p(w).l(rstd.size()).l(w.size());
  }
}
