package dev.seekr.ops;

import dev.seekr.tensor.Tensor;

/**
 * How far attention of two models lies apart; {@code of.o} may be null.
 *
 * @param diff [S,NH] F64 sums of (A - A')^2
 * @param qkv2 of the other model, as of.qkv
 * @param lse2 of the other model, as of.lse
 * @param queries whose rows are looked at, each counted weight times, of all heads; null: all rows
 */
public record AttentionChange(Tensor diff, Attention of, Tensor qkv2, Tensor lse2, Queries queries)
    implements Arguments {
  @Override
  public void check(Shapes shapes) {
    of.scores(shapes);
    of.scores(shapes, "attention lse2", lse2, "attention qkv2", qkv2);
    Shapes.expect("attention qkv2", qkv2, of.qkv().dtype(), of.N(), of.heads().qkvWidth());
    Shapes.doubles("attention diff", diff, of.S(), of.heads().NH());
    if (queries == null) return;
    queries.check(shapes);
    queries.weighted(shapes);
  }

  @Override
  public void write(Members to) {
    to.p(diff).struct(of).p(qkv2).p(lse2);
    to.struct(queries == null ? Queries.NONE : queries);
  }
}
