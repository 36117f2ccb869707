package dev.seekr.ops;

import dev.seekr.tensor.Tensor;

/** The loss, and the rows it is taken of. */
public interface LossOps extends Dispatch {
  /** out [R,C] = x[rows], rows [R] I32, x [N,C]. */
  default void gather(Tensor out, Tensor x, Tensor rows) {
    run(Op.GATHER, new Rows(Op.GATHER, x, out, rows));
  }

  /** dx [N,C] = 0 but for dx[rows] = d [R,C]; rows ascending. */
  default void scatter(Tensor dx, Tensor d, Tensor rows) {
    run(Op.SCATTER, new Rows(Op.SCATTER, dx, d, rows));
  }

  /** x [N,C] += d [R,C] at x[rows]; rows ascending. */
  default void scatterAdd(Tensor x, Tensor d, Tensor rows) {
    run(Op.SCATTER_ADD, new Rows(Op.SCATTER_ADD, x, d, rows));
  }

  /** Losses of rows of logits, which become their own gradient where that is asked for. */
  default void loss(LossRows rows) {
    run(Op.LOSS, rows);
  }
}
