package dev.seekr.jinja;

import java.util.HashMap;
import java.util.Map;

/** Variables in sight, and how much a template may still do. */
final class Frame {
  /** Steps of one rendering, far more than any conversation needs. */
  private static final long MOST_STEPS = 1_000_000;

  private final Frame outer; // null: the outermost
  private final Map<String, Object> names;
  private final long[] steps;

  Frame(Map<String, Object> names) {
    this(null, new HashMap<>(names), new long[1]);
  }

  private Frame(Frame outer, Map<String, Object> names, long[] steps) {
    this.outer = outer;
    this.names = names;
    this.steps = steps;
  }

  /** Variables that are gone after it; those outside are seen, and hidden by a set. */
  Frame inner() {
    return new Frame(this, new HashMap<>(), steps);
  }

  Object get(String name) {
    for (Frame f = this; f != null; f = f.outer)
      if (f.names.containsKey(name)) return f.names.get(name);
    return new Values.Undefined(name);
  }

  void set(String name, Object value) {
    names.put(name, value);
  }

  /** One more step; a template that takes too many is stopped. */
  void step() {
    if (++steps[0] > MOST_STEPS) throw new Fault("it does not come to an end");
  }
}
