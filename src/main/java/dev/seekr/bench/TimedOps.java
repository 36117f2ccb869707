package dev.seekr.bench;

import dev.seekr.ops.Arguments;
import dev.seekr.ops.Clock;
import dev.seekr.ops.Clock.Moment;
import dev.seekr.ops.ForwardingOps;
import dev.seekr.ops.Op;
import dev.seekr.ops.Ops;
import dev.seekr.ops.Product;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Kernels that count how long each of them takes, by the clock of the place where they run; for one
 * thread of callers. Nothing waits for them before someone asks.
 */
public final class TimedOps extends ForwardingOps {
  private record Span(String name, Moment begin, Moment end) {}

  private final Clock clock;
  private final List<Span> spans = new ArrayList<>();

  public TimedOps(Ops timed) {
    super(timed);
    this.clock = timed.clock();
  }

  @Override
  public void run(Op op, Arguments arguments) {
    Moment begin = clock.now();
    super.run(op, arguments);
    spans.add(new Span(name(op, arguments), begin, clock.now()));
  }

  /** Products by what they are to a linear layer. */
  private static String name(Op op, Arguments arguments) {
    if (!(arguments instanceof Product p)) return op.toString();
    return op + (p.ta() ? " weight" : p.tb() ? " forward" : " input");
  }

  /** Seconds by operation since {@link #reset}. */
  public Map<String, Double> seconds() {
    var seconds = new TreeMap<String, Double>();
    for (Span s : spans) seconds.merge(s.name, s.end.secondsSince(s.begin), Double::sum);
    return seconds;
  }

  public void reset() {
    for (Span s : spans) {
      s.begin.close();
      s.end.close();
    }
    spans.clear();
  }

  @Override
  public void close() {
    reset();
    super.close();
  }
}
