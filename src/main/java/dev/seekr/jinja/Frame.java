package dev.seekr.jinja;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Variables in sight, and how much a template may still do. */
final class Frame {
  /** Steps of one rendering, far more than any conversation needs. */
  private static final long MOST_STEPS = 1_000_000;

  /** Characters and items of all values that are gone through, each time. */
  private static final long MOST_WORK = 1L << 28;

  private final Frame outer; // null: the outermost
  private final Map<String, Object> names;
  private final Done done;

  /** What was done in all frames together. */
  private static final class Done {
    private long steps, work;
  }

  Frame(Map<String, Object> names) {
    this(null, new HashMap<>(names), new Done());
  }

  private Frame(Frame outer, Map<String, Object> names, Done done) {
    this.outer = outer;
    this.names = names;
    this.done = done;
  }

  /** Variables that are gone after it; those outside are seen, and hidden by a set. */
  Frame inner() {
    return new Frame(this, new HashMap<>(), done);
  }

  Object get(String name) {
    for (Frame f = this; f != null; f = f.outer)
      if (f.names.containsKey(name)) return found(f.names.get(name));
    return new Values.Undefined(name);
  }

  void set(String name, Object value) {
    names.put(name, value);
  }

  /**
   * Counts a value that is made or gone through. What is computed of values takes time in
   * proportion to them, so that this bounds it.
   */
  Object counted(Object value) {
    return counted(value, 1);
  }

  /** The same where each item takes as long as so many characters. */
  Object counted(Object value, int weight) {
    done.work +=
        switch (value) {
          case String s -> s.length();
          case List<?> list -> (long) weight * list.size();
          case Map<?, ?> map -> (long) weight * map.size();
          case null, default -> 1;
        };
    if (done.work > MOST_WORK) throw new Fault("it computes too much");
    return value;
  }

  /**
   * A value that is looked up: to find it takes no time, but what is done with a text then does.
   */
  Object found(Object value) {
    return value instanceof String ? counted(value) : value;
  }

  /** One more step; a template that takes too many is stopped. */
  void step() {
    if (++done.steps > MOST_STEPS) throw new Fault("it does not come to an end");
  }
}
