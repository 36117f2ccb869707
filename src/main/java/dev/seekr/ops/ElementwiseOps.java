package dev.seekr.ops;

import dev.seekr.ops.Ops.Heads;
import dev.seekr.tensor.Tensor;

/** Rows, norms, rotation and activation: what works on each token by itself. */
public interface ElementwiseOps extends Dispatch {
  /**
   * d [R,C] = x[rows], rows [R] I32 in any order, x [N,C]; where a row is -1, d stays as it is.
   * With x the table of embeddings and rows the tokens, this is their forward pass.
   */
  default void gather(Tensor d, Tensor x, Tensor rows) {
    run(Op.GATHER, new Rows(Op.GATHER, x, d, rows));
  }

  /** dw [V,C] F32 += dx [N,C] at dw[tokens], tokens [N] I32 in any order, -1 for none. */
  default void embeddingBackward(Tensor dw, Tensor tokens, Tensor dx) {
    run(Op.EMBEDDING_BWD, new EmbeddingGradient(dw, tokens, dx));
  }

  /** x [N,C] = 0 but for x[rows] = d [R,C]; rows ascending. */
  default void scatter(Tensor x, Tensor d, Tensor rows) {
    run(Op.SCATTER, new Rows(Op.SCATTER, x, d, rows));
  }

  /** x [N,C] += d [R,C] at x[rows]; rows ascending. */
  default void scatterAdd(Tensor x, Tensor d, Tensor rows) {
    run(Op.SCATTER_ADD, new Rows(Op.SCATTER_ADD, x, d, rows));
  }

  /**
   * x [N,C] = a + b, y = rmsnorm(x) w, rstd [N] F32. With b null, a is the input and x is not
   * touched. What is normalised is x as it is stored.
   */
  default void rmsnormForward(
      Tensor y, Tensor x, Tensor rstd, Tensor a, Tensor b, Tensor w, float eps) {
    run(Op.RMSNORM_FWD, new Norm(y, x, rstd, a, b, w, eps));
  }

  /**
   * dx [N,C] +=, dw [C] F32 += (null: not wanted), from dy, the input x that was normalised, rstd
   * [N] F32 and w [C].
   */
  default void rmsnormBackward(Tensor dx, Tensor dw, Tensor dy, Tensor x, Tensor rstd, Tensor w) {
    run(Op.RMSNORM_BWD, new NormGradient(dx, dw, dy, x, rstd, w));
  }

  /**
   * Rotates queries and keys of qkv [N, (NH+2NKV) HS] in place; positions [N] I32; cos, sin [P,
   * HS/2] F32.
   */
  default void ropeForward(Tensor qkv, Tensor positions, Tensor cos, Tensor sin, Heads heads) {
    run(Op.ROPE_FWD, new Rotation(qkv, positions, cos, sin, heads));
  }

  /** Rotates the gradient dqkv [N, (NH+2NKV) HS] back, in place; the rest as forward. */
  default void ropeBackward(Tensor dqkv, Tensor positions, Tensor cos, Tensor sin, Heads heads) {
    run(Op.ROPE_BWD, new Rotation(dqkv, positions, cos, sin, heads));
  }

  /** h [N,F] = silu(gate) up, gu [N,2F]. */
  default void swigluForward(Tensor h, Tensor gu) {
    run(Op.SWIGLU_FWD, new SwiGlu(h, gu));
  }

  /**
   * dgu [N,2F] from dh [N,F]; h is left in dh's place, for the weight gradient of the layer after
   * it.
   */
  default void swigluBackward(Tensor dgu, Tensor dh, Tensor gu) {
    run(Op.SWIGLU_BWD, new SwiGluGradient(dgu, dh, gu));
  }

  /**
   * y [N,C] = x / (1-p) where {@link DroppedRows#keeps} says so, else 0; added to y with {@code
   * accumulate}. keys [N] I64.
   */
  default void dropout(Tensor y, Tensor x, Tensor keys, long salt, float p, boolean accumulate) {
    run(Op.DROPOUT, new DroppedRows(y, x, keys, salt, p, accumulate));
  }
}
