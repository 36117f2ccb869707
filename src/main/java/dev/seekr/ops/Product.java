package dev.seekr.ops;

import dev.seekr.tensor.Tensor;

/**
 * y [M,N] = alpha A B (+ y when accumulate); a is [M,K], or [K,M] when ta; b is [K,N], or [N,K]
 * when tb. y is of E, or F32; it is rounded once, when the sum over K is complete.
 */
public record Product(
    Tensor y, Tensor a, Tensor b, boolean ta, boolean tb, float alpha, boolean accumulate)
    implements Arguments {
  public long M() {
    return y.dim(0);
  }

  public long N() {
    return y.dim(1);
  }

  public long K() {
    return a.dim(ta ? 0 : 1);
  }

  @Override
  public void check(Shapes shapes) {
    Shapes.matrix("matmul y", y);
    Shapes.matrix("matmul a", a);
    shapes.either("matmul y", y, M(), N());
    shapes.elements("matmul a", a, ta ? K() : M(), ta ? M() : K());
    shapes.elements("matmul b", b, tb ? N() : K(), tb ? K() : N());
  }

  /** All but who multiplies, which a library's loader knows. */
  @Override
  public void write(Members to) {
    to.p(y).p(a).p(b).l(M()).l(N()).l(K()).i(ta).i(tb).i(accumulate);
  }
}
