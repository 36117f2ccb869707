package dev.seekr.ops;

import dev.seekr.ops.Ops.Heads;
import dev.seekr.tensor.Tensor;

/**
 * One new token for each of B sequences.
 *
 * @param o [B, NH HS]
 * @param kcache [B,NKV,T,HS], gains row lengths[b]
 * @param vcache [B,NKV,T,HS], the same
 * @param qkv [B, (NH+2NKV) HS]
 * @param lengths [B] I32 positions cached before
 * @param scale as in {@link Attention}
 * @param window as in {@link Attention}
 */
public record Decode(
    Tensor o,
    Tensor kcache,
    Tensor vcache,
    Tensor qkv,
    Tensor lengths,
    Heads heads,
    double scale,
    int window)
    implements Arguments {
  public long T() {
    return kcache.dim(2);
  }

  @Override
  public void check(Shapes shapes) {
    Shapes.heads(heads);
    if (kcache.shape().length != 4)
      throw new IllegalArgumentException("decode kcache: " + kcache + ", expected [B,NKV,T,HS]");
    long B = lengths.size();
    shapes.elements("decode kcache", kcache, B, heads.NKV(), T(), heads.HS());
    shapes.elements("decode vcache", vcache, B, heads.NKV(), T(), heads.HS());
    shapes.elements("decode qkv", qkv, B, heads.qkvWidth());
    shapes.elements("decode o", o, B, (long) heads.NH() * heads.HS());
    Shapes.ints("decode lengths", lengths, B);
  }

  @Override
  public void write(Members to) {
    to.p(o).p(kcache).p(vcache).p(qkv).p(lengths);
    to.l(lengths.size()).l(T()).heads(heads).l(window).f((float) scale);
  }
}
