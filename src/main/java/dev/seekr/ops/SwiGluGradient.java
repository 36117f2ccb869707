package dev.seekr.ops;

import dev.seekr.tensor.Tensor;

/** dgu [N,2F] from dh [N,F], in whose place h is left. */
public record SwiGluGradient(Tensor dgu, Tensor dh, Tensor gu) implements Arguments {
  @Override
  public void check(Shapes shapes) {
    SwiGlu.check(shapes, "swiglu dh", dh, gu);
    shapes.elements("swiglu dgu", dgu, gu.shape());
  }

  @Override
  public void write(Members to) {
    to.p(dgu).p(dh).p(gu).l(dh.dim(0)).l(dh.dim(1));
  }
}
