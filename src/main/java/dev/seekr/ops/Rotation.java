package dev.seekr.ops;

import dev.seekr.ops.Ops.Heads;
import dev.seekr.tensor.Tensor;

/** Queries and keys of qkv [N, (NH+2NKV) HS], positions [N] I32 and cos, sin [P, HS/2] F32. */
public record Rotation(Tensor qkv, Tensor positions, Tensor cos, Tensor sin, Heads heads)
    implements Arguments {
  private long P() {
    return Shapes.rows("rope cos", cos, heads.HS() / 2);
  }

  @Override
  public void check(Shapes shapes) {
    Shapes.heads(heads);
    if (heads.HS() % 2 != 0)
      throw new IllegalArgumentException("rope: odd head size " + heads.HS());
    shapes.wide("rope cos", cos, P(), heads.HS() / 2);
    shapes.wide("rope sin", sin, P(), heads.HS() / 2);
    Shapes.ints("rope positions", positions, positions.size());
    shapes.elements("rope qkv", qkv, positions.size(), heads.qkvWidth());
  }

  @Override
  public void write(Members to) {
    to.p(qkv).p(positions).p(cos).p(sin).l(positions.size()).heads(heads).l(P());
  }
}
