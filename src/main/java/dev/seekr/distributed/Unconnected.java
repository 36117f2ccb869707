package dev.seekr.distributed;

import dev.seekr.tensor.Tensor;
import java.util.Arrays;
import java.util.function.IntFunction;
import java.util.function.Supplier;

/**
 * A process that speaks with no other: the only one of a run or, to see what memory it would take,
 * the first of several that are imagined.
 */
public record Unconnected(int ranks) implements Collectives {
  @Override
  public int rank() {
    return 0;
  }

  /** As if all others gave the same. */
  @Override
  public byte[][] gather(byte[] mine) {
    var all = new byte[ranks][];
    Arrays.fill(all, mine);
    return all;
  }

  @Override
  public void sum(Tensor flat) {}

  @Override
  public void sumParts(Tensor flat) {}

  @Override
  public Runnable summing(Tensor flat) {
    return () -> {};
  }

  @Override
  public void gatherParts(Tensor flat) {}

  @Override
  public boolean any(boolean wish) {
    return wish;
  }

  @Override
  public <T> T agree(Supplier<T> work) {
    return work.get();
  }

  @Override
  public double[][] each(int n, IntFunction<double[]> of) {
    double[][] results = new double[n][];
    for (int i = 0; i < n; i++) results[i] = of.apply(i);
    return results;
  }

  @Override
  public void abort(int exit) {
    throw new IllegalStateException("there are no others to end");
  }

  @Override
  public void close() {}
}
