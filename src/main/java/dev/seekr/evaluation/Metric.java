package dev.seekr.evaluation;

import dev.seekr.Failure;
import java.util.List;
import java.util.OptionalDouble;

/**
 * How well predictions match the answers of a task, in percent: 0 to 100 for every metric, for
 * single predictions and for whole tasks.
 */
public interface Metric {
  /** The name that settings and reports know this metric by, such as {@code rouge_l}. */
  String name();

  /** What of a prediction is scored: all of it, unless the metric takes the answer out of it. */
  default String answer(String prediction) {
    return prediction;
  }

  /**
   * Scores one prediction.
   *
   * @param source the prompt; only SARI reads it
   * @return 0 to 100, or empty when a side is empty and there is nothing to compare
   */
  OptionalDouble score(String source, String prediction, String target);

  /** The best score against any of several answers that are right; empty where none exists. */
  default OptionalDouble best(String source, String prediction, List<String> targets) {
    return targets.stream()
        .map(target -> score(source, prediction, target))
        .flatMapToDouble(OptionalDouble::stream)
        .max();
  }

  /**
   * The score of a task: Σ of the scores that exist / number of rows. TRACE skips rows with an
   * empty side yet divides by all of them, so that an empty prediction counts as a wrong one.
   */
  default double aggregate(List<OptionalDouble> scores) {
    if (scores.isEmpty()) throw Failure.data("%s: no predictions to score", name());
    return scores.stream().mapToDouble(score -> score.orElse(0)).sum() / scores.size();
  }
}
