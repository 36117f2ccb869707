package dev.seekr.ops;

import dev.seekr.tensor.Tensor;

/**
 * Rows x [N,C] of a table w [V,C], by tokens [N] I32, -1 for none. Backward both are gradients, and
 * w is F32.
 */
public record Embedding(Tensor x, Tensor tokens, Tensor w, boolean forward) implements Arguments {
  @Override
  public void check(Shapes shapes) {
    Shapes.matrix("embedding w", w);
    if (forward) shapes.elements("embedding w", w, w.shape());
    else shapes.wide("embedding dw", w, w.shape());
    Shapes.ints("embedding tokens", tokens, tokens.size());
    shapes.elements(forward ? "embedding x" : "embedding dx", x, tokens.size(), w.dim(1));
  }

  @Override
  public void write(Members to) {
    to.p(x).p(tokens).p(w).l(tokens.size()).l(w.dim(1)).l(w.dim(0));
  }
}
