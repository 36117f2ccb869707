package dev.seekr.ops;

import dev.seekr.tensor.Tensor;

/** out [1] F64 = lambda/2 sum F (w - a)^2, g += lambda F (w - a); all F32 and of one size. */
public record Pull(Tensor out, Tensor g, Tensor w, Tensor fisher, Tensor anchor, float lambda)
    implements Arguments {
  @Override
  public void check(Shapes shapes) {
    Shapes.doubles("anchor out", out, 1);
    shapes.wide("anchor g", g, g.shape());
    shapes.wide("anchor w", w, g.shape());
    shapes.wide("anchor fisher", fisher, g.shape());
    shapes.wide("anchor anchor", anchor, g.shape());
  }

  @Override
  public void write(Members to) {
    to.p(out).p(g).p(w).p(fisher).p(anchor).l(g.size()).f(lambda);
  }
}
