package dev.seekr.tensor;

import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * What is free of some chunks of memory. Whoever asks is given the beginning of the smallest range
 * that is large enough, the lowest of equals; what comes back joins its free neighbours of the same
 * chunk. Sizes are rounded up to {@link #ALIGN}, so all addresses are multiples of it if those of
 * the chunks are. It touches no memory itself.
 */
public final class FreeRanges {
  /** Bytes; what CUDA's own allocations are aligned to at least. */
  public static final long ALIGN = 512;

  private final TreeMap<Long, Long> free = new TreeMap<>(); // address, bytes
  private final TreeMap<Long, Long> chunks = new TreeMap<>();

  /** The size that a request of {@code bytes} takes: a multiple of {@link #ALIGN}, not 0. */
  public static long rounded(long bytes) {
    return Math.max(1, (bytes + ALIGN - 1) / ALIGN) * ALIGN;
  }

  /** More memory, all of it free; {@code bytes} a multiple of {@link #ALIGN}. */
  public void add(long address, long bytes) {
    chunks.put(address, bytes);
    free.put(address, bytes);
  }

  /** The address of that many bytes, free no longer; empty where no range is large enough. */
  public OptionalLong take(long bytes) {
    long need = rounded(bytes);
    Map.Entry<Long, Long> best = null;
    for (var range : free.entrySet()) {
      if (range.getValue() >= need && (best == null || range.getValue() < best.getValue()))
        best = range;
    }
    if (best == null) return OptionalLong.empty();
    long address = best.getKey(), left = best.getValue() - need;
    free.remove(address);
    if (left > 0) free.put(address + need, left);
    return OptionalLong.of(address);
  }

  /** Gives back what {@link #take} gave for as many bytes. */
  public void give(long address, long bytes) {
    long begin = address, end = address + rounded(bytes);
    var before = free.lowerEntry(begin);
    if (before != null
        && before.getKey() + before.getValue() == begin
        && !chunks.containsKey(begin)) begin = before.getKey();
    Long after = chunks.containsKey(end) ? null : free.remove(end);
    if (after != null) end += after;
    free.put(begin, end - begin);
  }

  /**
   * Forgets a chunk of which everything is free; returns its address, empty where there is none.
   */
  public OptionalLong removeFree() {
    for (var chunk : chunks.entrySet()) {
      if (!chunk.getValue().equals(free.get(chunk.getKey()))) continue;
      free.remove(chunk.getKey());
      chunks.remove(chunk.getKey());
      return OptionalLong.of(chunk.getKey());
    }
    return OptionalLong.empty();
  }

  /** Bytes of the largest free range. */
  public long largest() {
    return free.values().stream().mapToLong(Long::longValue).max().orElse(0);
  }
}
