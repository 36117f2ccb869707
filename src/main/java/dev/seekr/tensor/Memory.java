package dev.seekr.tensor;

import java.lang.foreign.Arena;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * An arena with a named lifetime (model, task, step): everything allocated from it goes at once,
 * when it is closed. Counts the bytes it holds by tag, so that a run can say where its memory went.
 */
public final class Memory implements AutoCloseable {
  private static final AtomicLong LIVE = new AtomicLong();
  private static final AtomicLong PEAK = new AtomicLong();

  /** Cache lines, and the widest vectors, are 64 bytes. */
  private static final long ALIGNMENT = 64;

  private final String name;
  private final Arena arena = Arena.ofShared();
  private final Map<String, Long> byTag = new TreeMap<>();
  private long bytes;

  public Memory(String name) {
    this.name = name;
  }

  /**
   * A zeroed tensor that lives as long as this memory; {@code tag} says in reports what it is for.
   */
  public Tensor allocate(String tag, DType dtype, long... shape) {
    long need = Math.multiplyExact(Tensor.size(shape), dtype.bytes);
    var segment = arena.allocate(Math.max(need, 1), ALIGNMENT).asSlice(0, need);
    bytes += need;
    byTag.merge(tag, need, Long::sum);
    long live = LIVE.addAndGet(need);
    PEAK.accumulateAndGet(live, Math::max);
    return new Tensor(dtype, shape.clone(), segment);
  }

  public String name() {
    return name;
  }

  /** Bytes held now. */
  public long bytes() {
    return bytes;
  }

  /** Bytes held now, by tag. */
  public Map<String, Long> byTag() {
    return Map.copyOf(byTag);
  }

  /** The most bytes all memories of this process ever held together since {@link #resetPeak}. */
  public static long peak() {
    return PEAK.get();
  }

  public static void resetPeak() {
    PEAK.set(LIVE.get());
  }

  @Override
  public void close() {
    arena.close();
    LIVE.addAndGet(-bytes);
    bytes = 0;
    byTag.clear();
  }
}
