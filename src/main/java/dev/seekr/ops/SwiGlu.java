package dev.seekr.ops;

import dev.seekr.tensor.Tensor;

/** h [N,F] = silu(gate) up, gu [N,2F]. */
public record SwiGlu(Tensor h, Tensor gu) implements Arguments {
  @Override
  public void check(Shapes shapes) {
    check(shapes, "swiglu h", h, gu);
  }

  static void check(Shapes shapes, String what, Tensor h, Tensor gu) {
    Shapes.matrix(what, h);
    shapes.elements(what, h, h.shape());
    shapes.elements("swiglu gu", gu, h.dim(0), 2 * h.dim(1));
  }

  @Override
  public void write(Members to) {
    to.p(h).p(gu).l(h.dim(0)).l(h.dim(1));
  }
}
