package dev.seekr.ops;

import dev.seekr.tensor.Tensor;

/** out [1] F64 = sum of x y, both F32 and of one size. */
public record Pair(Tensor out, Tensor x, Tensor y) implements Arguments {
  @Override
  public void check(Shapes shapes) {
    Shapes.doubles("dot out", out, 1);
    shapes.wide("dot x", x, x.shape());
    shapes.wide("dot y", y, x.shape());
  }

  @Override
  public void write(Members to) {
    to.p(out).p(x).p(y).l(x.size());
  }
}
