package dev.seekr.model;

import dev.seekr.ops.Queries;

/**
 * What a backward pass is asked for beside gradients; {@link Pass.Tapped} is the answer.
 *
 * @param queries to distil, by layer, null where a layer has none; null: none at all
 * @param eps 0: exact logarithm; else log(A + eps)
 * @param sensitivity whether sums of squares of dL/dA are wanted
 */
public record AttentionTap(Queries[] queries, float eps, boolean sensitivity) {
  /** Nothing but gradients. */
  public static final AttentionTap NONE = new AttentionTap(null, 0, false);

  /** How much the loss depends on the attention of each head. */
  public static final AttentionTap SENSITIVITY = new AttentionTap(null, 0, true);

  public static AttentionTap distill(Queries[] queries, float eps) {
    return new AttentionTap(queries, eps, false);
  }

  Queries queries(int l) {
    return queries == null ? null : queries[l];
  }
}
