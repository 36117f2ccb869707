package dev.seekr.ops;

/** The softmax rows of {@code queries}, written into queries.p; {@code of.o} may be null. */
public record AttentionRows(Attention of, Queries queries) implements Arguments {
  @Override
  public void check(Shapes shapes) {
    of.scores(shapes);
    queries.rows(shapes);
  }

  @Override
  public void write(Members to) {
    to.struct(of).struct(queries);
  }
}
