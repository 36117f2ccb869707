package dev.seekr.general;

import java.util.List;

/** Questions that are asked and judged alike: a subject, a task, a language, or a whole set. */
public record Subset(String name, Kind kind, List<? extends Question> questions) {
  /** The first of them. */
  Subset first(int limit) {
    if (limit >= questions.size()) return this;
    return new Subset(name, kind, questions.subList(0, limit));
  }
}
