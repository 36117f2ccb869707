package dev.seekr.model;

import dev.seekr.ops.AttentionRows;

/**
 * What a backward pass yields beside gradients: sensitivity of every head, and the distillation of
 * stored attention rows. Results are filled in layer by layer.
 */
public final class AttentionTap {
  /** Rows to distil, by layer; null where a layer has none. */
  public final AttentionRows[] rows;

  /** 0: exact logarithm; else log(A + eps). */
  public final float eps;

  /** [L][S*NH] sums of squares of dL/dA; null unless asked for. */
  public final double[][] sensitivity;

  /** [L][R*H] KL of each distilled row and head; null where a layer has none. */
  public final double[][] kl;

  private AttentionTap(int L, AttentionRows[] rows, float eps, boolean sensitivity) {
    this.rows = rows;
    this.eps = eps;
    this.sensitivity = sensitivity ? new double[L][] : null;
    this.kl = new double[L][];
  }

  /** Nothing but gradients. */
  public static AttentionTap none(int L) {
    return new AttentionTap(L, new AttentionRows[L], 0, false);
  }

  public static AttentionTap sensitivity(int L) {
    return new AttentionTap(L, new AttentionRows[L], 0, true);
  }

  public static AttentionTap distill(AttentionRows[] rows, float eps) {
    return new AttentionTap(rows.length, rows, eps, false);
  }
}
