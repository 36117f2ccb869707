package dev.seekr.ops;

/** The loss. */
public interface LossOps extends Dispatch {
  /** Losses of rows of logits, which become their own gradient where that is asked for. */
  default void loss(LossRows rows) {
    run(Op.LOSS, rows);
  }
}
