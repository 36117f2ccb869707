package dev.seekr.config;

import java.util.HashSet;
import java.util.List;
import java.util.function.Predicate;

/** What the value of a setting must be, beyond its type. */
enum Limit {
  ANY("anything", v -> true),
  TEXT("a text that is not empty", v -> !((String) v).isBlank()),
  AT_LEAST_1("at least 1", v -> number(v) >= 1),
  EACH_AT_LEAST_1("at least 1", v -> ((Epochs) v).each().stream().allMatch(n -> n >= 1)),
  AT_LEAST_0("0 or more", v -> number(v) >= 0),
  ABOVE_0("above 0", v -> number(v) > 0),
  TIME_ABOVE_0("above 0", v -> !((java.time.Duration) v).isZero()),
  SHARE("between 0 and 1", v -> number(v) >= 0 && number(v) <= 1),
  SHARE_OR_COUNT(
      "a share below 1, or a whole number",
      v -> number(v) >= 0 && (number(v) < 1 || number(v) % 1 == 0 && number(v) < 1 << 24)),
  BELOW_1("at least 0 and below 1", v -> number(v) >= 0 && number(v) < 1),
  ORDER("0 (off) to 4", v -> number(v) >= 0 && number(v) <= 4),
  THREADS("0 to 1024", v -> number(v) >= 0 && number(v) <= 1024),
  TOKENS("1 to 1048576", v -> number(v) >= 1 && number(v) <= 1 << 20),
  NAMES("one or more names, each once", v -> distinct((List<?>) v));

  /** Completes "must be". */
  final String rule;

  private final Predicate<Object> holds;

  Limit(String rule, Predicate<Object> holds) {
    this.rule = rule;
    this.holds = holds;
  }

  /**
   * Whether a value is within; kernels compute with floats, so a double must be within as one too.
   */
  boolean holds(Object value) {
    if (!(value instanceof Double d)) return holds.test(value);
    double asFloat = d.floatValue();
    return Double.isFinite(asFloat) && holds.test(d) && holds.test(asFloat);
  }

  private static double number(Object value) {
    return ((Number) value).doubleValue();
  }

  private static boolean distinct(List<?> names) {
    return !names.isEmpty()
        && new HashSet<>(names).size() == names.size()
        && names.stream().noneMatch(name -> name.toString().isBlank());
  }
}
