package dev.seekr.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A place without memory, for planning: allocations are given addresses and are booked, copies do
 * nothing, and what is copied out is left as it was. {@link #bytes} is how large a real place must
 * be for the same allocations in the same order.
 */
public final class DryPlace implements Place {
  private static final long BASE = 1L << 40, ENDLESS = 1L << 50;

  private final FreeRanges ranges = new FreeRanges();
  private final Ledger ledger = new Ledger();
  private long end = BASE;
  private DryPlace host;

  public DryPlace() {
    ranges.add(BASE, ENDLESS);
  }

  @Override
  public synchronized MemorySegment allocate(long bytes, Arena arena) {
    long address = ranges.take(bytes).orElseThrow();
    end = Math.max(end, address + FreeRanges.rounded(bytes));
    return MemorySegment.ofAddress(address).reinterpret(bytes, arena, _ -> release(address, bytes));
  }

  private synchronized void release(long address, long bytes) {
    ranges.give(address, bytes);
  }

  /** Another one, which counts what lies beside this one. */
  @Override
  public synchronized DryPlace host() {
    if (host == null) host = new DryPlace();
    return host;
  }

  /** From the first to the last byte that was ever in use. */
  public synchronized long bytes() {
    return end - BASE;
  }

  @Override
  public Ledger ledger() {
    return ledger;
  }

  @Override
  public boolean holds() {
    return false;
  }

  @Override
  public void copyIn(MemorySegment to, MemorySegment from) {}

  @Override
  public void copyOut(MemorySegment to, MemorySegment from) {}

  @Override
  public void copy(MemorySegment to, MemorySegment from) {}

  @Override
  public void zero(MemorySegment memory) {}

  @Override
  public String toString() {
    return "no place at all";
  }
}
