package dev.seekr.tensor;

import java.util.concurrent.atomic.AtomicInteger;

/** Makes the n-th allocation of memory fail, until it is closed. */
public final class Exhaustion implements AutoCloseable {
  private final AtomicInteger count = new AtomicInteger();
  private final int n;

  public Exhaustion(int n) {
    this.n = n;
    Memory.beforeAllocation =
        () -> {
          if (count.incrementAndGet() == n) throw new OutOfMemoryError("injected");
        };
  }

  public boolean happened() {
    return count.get() >= n;
  }

  /** How many there were. */
  public int count() {
    return count.get();
  }

  @Override
  public void close() {
    Memory.beforeAllocation = () -> {};
  }
}
