package dev.seekr.bench;

import dev.seekr.ops.Arguments;
import dev.seekr.ops.ForwardingOps;
import dev.seekr.ops.Op;
import dev.seekr.ops.Ops;
import dev.seekr.ops.Product;
import java.util.Map;
import java.util.TreeMap;

/** Kernels that count how long each of them takes; for one thread of callers. */
public final class TimedOps extends ForwardingOps {
  private final Map<String, Long> nanos = new TreeMap<>();

  public TimedOps(Ops timed) {
    super(timed);
  }

  @Override
  public void run(Op op, Arguments arguments) {
    long start = System.nanoTime();
    try {
      super.run(op, arguments);
    } finally {
      nanos.merge(name(op, arguments), System.nanoTime() - start, Long::sum);
    }
  }

  /** Products by what they are to a linear layer. */
  private static String name(Op op, Arguments arguments) {
    if (!(arguments instanceof Product p)) return op.toString();
    return op + (p.ta() ? " weight" : p.tb() ? " forward" : " input");
  }

  /** Seconds by operation since {@link #reset}. */
  public Map<String, Double> seconds() {
    var seconds = new TreeMap<String, Double>();
    nanos.forEach((name, n) -> seconds.put(name, n / 1e9));
    return seconds;
  }

  public void reset() {
    nanos.clear();
  }
}
