package dev.seekr.ops;

import dev.seekr.tensor.Tensor;

/**
 * What a backward pass through attention is given and asked for.
 *
 * @param dqkv [N, (NH+2NKV) HS]
 * @param dout [N, NH HS]
 * @param sens [S,NH] F64 sums of squares of dL/dA over what rows see, without the distillation's
 *     own gradient; null: not wanted
 * @param kl [R,H] F64 KL of each row and head, looked at where {@code queries} is not null
 * @param queries whose stored rows are distilled; null: none
 * @param eps 0: exact logarithm; else log(A + eps)
 */
public record AttentionGradient(
    Attention of, Tensor dqkv, Tensor dout, Tensor sens, Tensor kl, Queries queries, float eps)
    implements Arguments {
  @Override
  public void check(Shapes shapes) {
    of.check(shapes);
    shapes.elements("attention dqkv", dqkv, of.qkv().shape());
    shapes.elements("attention dout", dout, of.o().shape());
    if (sens != null) Shapes.doubles("attention sens", sens, of.S(), of.heads().NH());
    if (queries == null) return;
    queries.rows(shapes);
    queries.weighted(shapes);
    Shapes.doubles("attention kl", kl, queries.R(), queries.H());
  }

  @Override
  public void write(Members to) {
    to.struct(of).p(dqkv).p(dout).p(sens).p(kl);
    to.struct(queries == null ? Queries.NONE : queries).f(eps);
  }
}
