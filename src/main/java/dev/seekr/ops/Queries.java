package dev.seekr.ops;

import dev.seekr.tensor.DType;
import dev.seekr.tensor.Tensor;

/**
 * Sampled queries of selected heads of one layer, whose attention rows are captured, compared or
 * distilled (struct sk_queries). Only causal prefixes are held: row i is position pos[i] of its own
 * sequence and has pos[i] + 1 entries; its block in p is [H, pos[i]+1] and begins at element H
 * prefix[i].
 *
 * @param heads [H] I32, ascending and distinct
 * @param rowStart [S+1] I32: rows of sequence s are rowStart[s] to rowStart[s+1]
 * @param pos [R] I32, ascending and distinct inside a sequence
 * @param prefix [R] I64: sum of pos[i']+1 over i' before i
 * @param weight [R] F32, weight of KL_i in the loss (the row's multiplicity, normalisation and
 *     lambda_2 multiplied)
 * @param p [H * sum(pos+1)] F32, attention probabilities
 */
public record Queries(
    Tensor heads, Tensor rowStart, Tensor pos, Tensor prefix, Tensor weight, Tensor p)
    implements Arguments {
  /** What a kernel is told where no queries are named. */
  static final Queries NONE = new Queries(null, null, null, null, null, null);

  public int H() {
    return heads == null ? 0 : (int) heads.size();
  }

  public int R() {
    return (int) pos.size();
  }

  /** Positions alone. */
  @Override
  public void check(Shapes shapes) {
    Shapes.ints("queries rowStart", rowStart, rowStart.size());
    Shapes.ints("queries pos", pos, R());
    Shapes.expect("queries prefix", prefix, DType.I64, R());
  }

  /** Positions and heads, and room for their rows. */
  void rows(Shapes shapes) {
    check(shapes);
    Shapes.ints("queries heads", heads, H());
    long entries = R() == 0 ? 0 : (long) prefix.get(R() - 1L) + pos.getInt(R() - 1L) + 1;
    shapes.wide("queries p", p, H() * entries);
  }

  void weighted(Shapes shapes) {
    shapes.wide("queries weight", weight, R());
  }

  @Override
  public void write(Members to) {
    to.l(H()).p(heads).p(rowStart).p(pos).p(prefix).p(weight).p(p);
  }
}
