package dev.seekr.ops;

import dev.seekr.tensor.DType;
import dev.seekr.tensor.Tensor;

/** out [1] F64 = sum of x y, of one size and both F32 or both BF16. */
public record Pair(Tensor out, Tensor x, Tensor y) implements Arguments {
  @Override
  public void check(Shapes shapes) {
    Shapes.doubles("dot out", out, 1);
    if (narrow() && y != null && y.dtype() == DType.BF16) {
      shapes.floating("dot x", x, DType.BF16, x.shape());
      shapes.floating("dot y", y, DType.BF16, x.shape());
      return;
    }
    shapes.wide("dot x", x, x.shape());
    shapes.wide("dot y", y, x.shape());
  }

  @Override
  public void write(Members to) {
    to.p(out).p(x).p(y).l(x.size()).i(narrow());
  }

  private boolean narrow() {
    return x.dtype() == DType.BF16;
  }
}
