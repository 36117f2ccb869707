package dev.seekr.ops;

import dev.seekr.tensor.Tensor;

/**
 * x, of E or F32.
 *
 * @param bytes of E, which is what a kernel counts in
 */
public record Vector(Tensor x, int bytes) implements Arguments {
  @Override
  public void check(Shapes shapes) {
    shapes.either("zero x", x, x.shape());
  }

  @Override
  public void write(Members to) {
    to.p(x).l(x.bytes() / bytes);
  }
}
