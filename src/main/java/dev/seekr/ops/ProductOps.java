package dev.seekr.ops;

import dev.seekr.tensor.Tensor;

/** Matrix products, and the three that a linear layer is made of. */
public interface ProductOps extends Dispatch {
  default void matmul(Product product) {
    run(Op.MATMUL, product);
  }

  /** y [N,OC] = x [N,C] w[OC,C]^T, or += when accumulate. */
  default void linearForward(Tensor y, Tensor x, Tensor w, boolean accumulate) {
    matmul(new Product(y, x, w, false, true, 1, accumulate));
  }

  /** dx [N,C] = dy [N,OC] w[OC,C], or += when accumulate. */
  default void linearBackwardInput(Tensor dx, Tensor dy, Tensor w, boolean accumulate) {
    matmul(new Product(dx, dy, w, false, false, 1, accumulate));
  }

  /** dw [OC,C] F32 = dy [N,OC]^T x [N,C], or += when accumulate. */
  default void linearBackwardWeight(Tensor dw, Tensor dy, Tensor x, boolean accumulate) {
    matmul(new Product(dw, dy, x, true, false, 1, accumulate));
  }
}
