package dev.seekr.ops;

import dev.seekr.tensor.Tensor;

/** y += scale times something of x, both F32 and of one size; {@code op} says what. */
public record Scaled(Op op, Tensor y, Tensor x, float scale) implements Arguments {
  @Override
  public void check(Shapes shapes) {
    shapes.wide(op + " y", y, y.shape());
    shapes.wide(op + " x", x, y.shape());
  }

  @Override
  public void write(Members to) {
    to.p(y).p(x).l(y.size()).f(scale);
  }
}
