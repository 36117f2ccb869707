package dev.seekr.general;

import java.util.ArrayList;
import java.util.List;

/**
 * A benchmark.
 *
 * @param alike whether all questions count alike; else all parts do
 * @param notes what a user should know of how it is asked
 */
public record QuestionSet(String name, boolean alike, List<Subset> parts, List<String> notes) {
  /** How many questions there are. */
  public int size() {
    return parts.stream().mapToInt(p -> p.questions().size()).sum();
  }

  /** The first of each part; 0: all. */
  QuestionSet first(int limit) {
    return limit == 0 ? this : with(parts.stream().map(p -> p.first(limit)).toList());
  }

  /**
   * At most so many in all, from parts evenly: of P parts, part i has the first ⌊(i + 1)·n/P⌋ −
   * ⌊i·n/P⌋ of its own, and one that gets none is left out; 0: all.
   */
  QuestionSet atMost(int n) {
    if (n == 0 || n >= size()) return this;
    var some = new ArrayList<Subset>();
    int P = parts.size();
    for (int i = 0; i < P; i++) {
      long share = (i + 1L) * n / P - (long) i * n / P;
      if (share > 0) some.add(parts.get(i).first((int) share));
    }
    return with(some);
  }

  private QuestionSet with(List<Subset> parts) {
    return new QuestionSet(name, alike, List.copyOf(parts), notes);
  }
}
