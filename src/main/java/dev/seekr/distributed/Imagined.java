package dev.seekr.distributed;

import dev.seekr.tensor.Tensor;
import java.util.Arrays;
import java.util.function.IntFunction;
import java.util.function.Supplier;

/** The first of several processes that are not there: for seeing what memory it would take. */
public record Imagined(int ranks) implements Collectives {
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
    return ALONE.each(n, of);
  }

  @Override
  public void abort(int exit) {
    throw new IllegalStateException("there are no others to end");
  }

  @Override
  public void close() {}
}
