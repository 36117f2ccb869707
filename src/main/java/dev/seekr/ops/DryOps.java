package dev.seekr.ops;

import dev.seekr.tensor.DType;
import dev.seekr.tensor.DryPlace;
import dev.seekr.tensor.Place;
import java.util.function.IntUnaryOperator;

/**
 * Kernels that compute nothing, on a {@link DryPlace}: what a run allocates can be seen without the
 * memory or the time it would take. Sums are 1, so that nobody stops at them.
 */
public final class DryOps implements Ops {
  private final DType dtype;
  private final DryPlace place;
  private final IntUnaryOperator logitRows;

  /** Of a library that computes in {@code dtype}, and what it says of {@link Ops#logitRows}. */
  public DryOps(DType dtype, DryPlace place, IntUnaryOperator logitRows) {
    this.dtype = dtype;
    this.place = place;
    this.logitRows = logitRows;
  }

  @Override
  public int logitRows(int V) {
    return logitRows.applyAsInt(V);
  }

  @Override
  public void run(Op op, Arguments arguments) {
    if (arguments instanceof Pair pair) pair.out().set(0, 1);
    if (arguments instanceof Pull pull) pull.out().set(0, 1);
  }

  @Override
  public DType dtype() {
    return dtype;
  }

  @Override
  public Place place() {
    return place;
  }

  @Override
  public Ops host() {
    return new DryOps(wide(), place.host(), LOGIT_ROWS);
  }

  @Override
  public String description() {
    return "nothing is computed";
  }

  @Override
  public void close() {}
}
