package dev.seekr.ops;

import dev.seekr.tensor.Tensor;

/** Gradients dx [N,C] of rows of a table, added to dw [V,C] F32 by tokens [N] I32, -1 for none. */
public record EmbeddingGradient(Tensor dw, Tensor tokens, Tensor dx) implements Arguments {
  @Override
  public void check(Shapes shapes) {
    Shapes.matrix("embedding dw", dw);
    shapes.wide("embedding dw", dw, dw.shape());
    Shapes.ints("embedding tokens", tokens, tokens.size());
    shapes.elements("embedding dx", dx, tokens.size(), dw.dim(1));
  }

  @Override
  public void write(Members to) {
    to.p(dw).p(tokens).p(dx).l(tokens.size()).l(dw.dim(1)).l(dw.dim(0));
  }
}
