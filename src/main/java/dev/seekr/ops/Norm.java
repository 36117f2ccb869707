package dev.seekr.ops;

import dev.seekr.tensor.Tensor;

/** x [N,C] = a + b, y = rmsnorm(x) w, rstd [N] F32; b null: x is a, and not written. */
public record Norm(Tensor y, Tensor x, Tensor rstd, Tensor a, Tensor b, Tensor w, float eps)
    implements Arguments {
  @Override
  public void check(Shapes shapes) {
    long N = rstd.size(), C = w.size();
    shapes.elements("rmsnorm w", w, C);
    shapes.wide("rmsnorm rstd", rstd, N);
    shapes.elements("rmsnorm y", y, N, C);
    shapes.elements("rmsnorm a", a, N, C);
    if (b == null) return;
    shapes.elements("rmsnorm b", b, N, C);
    shapes.elements("rmsnorm x", x, N, C);
  }

  @Override
  public void write(Members to) {
    to.p(y).p(x).p(rstd).p(a).p(b).p(w).l(rstd.size()).l(w.size()).f(eps);
  }
}
