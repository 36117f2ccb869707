package dev.seekr.tensor;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;

/**
 * An arena with a named lifetime (model, task, step): everything allocated from it goes at once,
 * when it is closed. What it holds is booked by tag in the {@link Ledger} of each place, so that a
 * run can say where its memory went.
 */
public final class Memory implements AutoCloseable {
  /** Comes before every allocation; tests make some fail. */
  static volatile Runnable beforeAllocation = () -> {};

  private record Held(Ledger ledger, String tag, long bytes) {}

  private final String name;
  private final Arena arena = Arena.ofShared();
  private final List<Held> held = new ArrayList<>();

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
    beforeAllocation.run();
    long need = Math.multiplyExact(Tensor.size(shape), dtype.bytes);
    var segment = place.allocate(need, arena);
    held.add(new Held(place.ledger(), tag, need));
    place.ledger().add(tag, need);
    return new Tensor(dtype, shape.clone(), segment, place);
  }

  /**
   * The same on the host beside a place, which copies to and from it while it computes: see {@link
   * Place#leave}.
   */
  public Tensor beside(Place place, String tag, DType dtype, long... shape) {
    beforeAllocation.run();
    long need = Math.multiplyExact(Tensor.size(shape), dtype.bytes);
    var segment = place.allocateBeside(need, arena);
    var ledger = place.host().ledger();
    held.add(new Held(ledger, tag, need));
    ledger.add(tag, need);
    return new Tensor(dtype, shape.clone(), segment, place.host());
  }

  public String name() {
    return name;
  }

  /** Bytes held now. */
  public long bytes() {
    return held.stream().mapToLong(Held::bytes).sum();
  }

  @Override
  public void close() {
    if (!arena.scope().isAlive()) return;
    arena.close();
    held.forEach(h -> h.ledger.add(h.tag, -h.bytes));
    held.clear();
  }
}
