package dev.seekr.ops;

import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.function.Function;

/** What is done to all parameters, or their gradients, as one vector. */
public interface OptimizerOps extends Dispatch {
  default void adamw(AdamWStep step) {
    run(Op.ADAMW, step);
  }

  /** Sum of x y over all elements, both [n] and both F32 or both BF16; NaN and Inf come through. */
  default double dot(Tensor x, Tensor y) {
    return sum(Op.DOT, out -> new Pair(out, x, y));
  }

  /** Sum of squares of all elements of x [n], F32 or BF16; NaN and Inf come through. */
  default double sumSquares(Tensor x) {
    return dot(x, x);
  }

  /** y [n] += scale x [n], element by element, both F32. */
  default void addScaled(Tensor y, Tensor x, float scale) {
    run(Op.ADD_SCALED, new Scaled(Op.ADD_SCALED, y, x, scale));
  }

  /** f [n] += scale g^2, g [n], element by element, both F32. */
  default void addSquares(Tensor f, Tensor g, float scale) {
    run(Op.ADD_SQUARES, new Scaled(Op.ADD_SQUARES, f, g, scale));
  }

  /**
   * Pulls w towards the anchor a, each weight as strongly as F says: g += lambda F (w - a). All [n]
   * F32; NaN and Inf come through.
   *
   * @return the penalty, lambda/2 sum F (w - a)^2
   */
  default double anchor(Tensor g, Tensor w, Tensor fisher, Tensor anchor, float lambda) {
    return sum(Op.ANCHOR, out -> new Pull(out, g, w, fisher, anchor, lambda));
  }

  private double sum(Op op, Function<Tensor, Arguments> arguments) {
    try (var memory = new Memory("sum")) {
      Tensor out = memory.allocate("sum", DType.F64, 1);
      run(op, arguments.apply(out));
      return out.get(0);
    }
  }
}
