package dev.seekr.ops;

import dev.seekr.tensor.Tensor;

/**
 * Rows [R] I32 of x [N,C], and d [R,C]: {@code op} says what goes where, and whether a row may be
 * -1.
 */
public record Rows(Op op, Tensor x, Tensor d, Tensor rows) implements Arguments {
  @Override
  public void check(Shapes shapes) {
    Shapes.matrix(op + " x", x);
    shapes.elements(op + " x", x, x.shape());
    Shapes.ints(op + " rows", rows, rows.size());
    shapes.elements(op + " d", d, rows.size(), x.dim(1));
  }

  @Override
  public void write(Members to) {
    to.p(x).p(d).p(rows).l(rows.size()).l(x.dim(0)).l(x.dim(1));
  }
}
