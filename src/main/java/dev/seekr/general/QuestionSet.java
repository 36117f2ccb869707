package dev.seekr.general;

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

  QuestionSet first(int limit) {
    return new QuestionSet(name, alike, parts.stream().map(p -> p.first(limit)).toList(), notes);
  }
}
