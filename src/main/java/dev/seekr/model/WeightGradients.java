package dev.seekr.model;

import dev.seekr.ops.Ops;
import dev.seekr.tensor.Tensor;

/** Where a backward pass writes gradients of all weights, from the last layer to the first. */
sealed interface WeightGradients
    permits Weights, StreamedGradients, SharedGradients, DividedGradients {
  /**
   * A pass begins, whose gradients are added to what is there or replace it. Returns whether
   * products are to be added to what is there; sums always are.
   */
  boolean begin(Ops ops, boolean add);

  /** [V,C] */
  Tensor head();

  /** [C] */
  Tensor lnf();

  /** [V,C]; {@link #head} where the two are tied. */
  Tensor wte();

  /** To be written to until {@link #done}. */
  Weights.Layer layer(int l);

  /** All of layer l has been called for. */
  default void done(int l) {}

  /** All of the pass has been called for. */
  default void done() {}
}
