package dev.seekr.ops;

import dev.seekr.tensor.Tensor;

/**
 * Sampled query rows of selected heads of one layer: what {@link Ops#attentionCapture} writes and
 * {@link Ops#attentionBackward} distils (struct sk_rows of the kernel ABI). Only causal prefixes
 * are held: row i is position pos[i] of its own sequence and has pos[i] + 1 entries; its block in p
 * is [H, pos[i]+1] and begins at element H prefix[i].
 *
 * @param heads [H] I32, ascending and distinct
 * @param rowStart [S+1] I32: rows of sequence s are rowStart[s] to rowStart[s+1]
 * @param pos [R] I32, ascending and distinct inside a sequence
 * @param prefix [R] I64: sum of pos[i']+1 over i' before i
 * @param weight [R] F32, weight of KL_i in the loss (the row's multiplicity, normalisation and
 *     lambda_2 multiplied)
 * @param p [H * sum(pos+1)] F32, attention probabilities
 */
public record AttentionRows(
    Tensor heads, Tensor rowStart, Tensor pos, Tensor prefix, Tensor weight, Tensor p) {
  public int H() {
    return (int) heads.size();
  }

  public int R() {
    return (int) pos.size();
  }
}
