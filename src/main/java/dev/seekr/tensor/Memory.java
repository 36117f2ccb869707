package dev.seekr.tensor;

import java.lang.foreign.Arena;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * An arena with a named lifetime (model, task, step): everything allocated from it goes at once,
 * when it is closed. Counts the bytes it holds by tag, so that a run can say where its memory went.
 */
public final class Memory implements AutoCloseable {
  private static final AtomicLong LIVE = new AtomicLong();
  private static final AtomicLong PEAK = new AtomicLong();

  /** Bytes of one tag in all memories of this process. */
  private record Tag(AtomicLong live, AtomicLong peak) {
    void add(long bytes) {
      peak.accumulateAndGet(live.addAndGet(bytes), Math::max);
    }
  }

  private static final Map<String, Tag> TAGS = new ConcurrentHashMap<>();

  private final String name;
  private final Arena arena = Arena.ofShared();
  private final Map<String, Long> byTag = new TreeMap<>();
  private long bytes;

  public Memory(String name) {
    this.name = name;
  }

  /**
   * A zeroed tensor on the host that lives as long as this memory; {@code tag} says in reports what
   * it is for.
   */
  public Tensor allocate(String tag, DType dtype, long... shape) {
    return allocate(Place.HOST, tag, dtype, shape);
  }

  /** The same somewhere else. */
  public Tensor allocate(Place place, String tag, DType dtype, long... shape) {
    long need = Math.multiplyExact(Tensor.size(shape), dtype.bytes);
    var segment = place.allocate(need, arena);
    bytes += need;
    byTag.merge(tag, need, Long::sum);
    TAGS.computeIfAbsent(tag, _ -> new Tag(new AtomicLong(), new AtomicLong())).add(need);
    long live = LIVE.addAndGet(need);
    PEAK.accumulateAndGet(live, Math::max);
    return new Tensor(dtype, shape.clone(), segment, place);
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

  /** As {@link #peak}, each tag by itself: their peaks need not come at the same time. */
  public static Map<String, Long> peakByTag() {
    var peaks = new TreeMap<String, Long>();
    TAGS.forEach((tag, bytes) -> peaks.put(tag, bytes.peak.get()));
    return peaks;
  }

  public static void resetPeak() {
    PEAK.set(LIVE.get());
    TAGS.values().forEach(tag -> tag.peak.set(tag.live.get()));
  }

  @Override
  public void close() {
    arena.close();
    LIVE.addAndGet(-bytes);
    byTag.forEach((tag, held) -> TAGS.get(tag).add(-held));
    bytes = 0;
    byTag.clear();
  }
}
