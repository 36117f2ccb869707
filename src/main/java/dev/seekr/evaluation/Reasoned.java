package dev.seekr.evaluation;

import java.util.List;
import java.util.OptionalDouble;

/**
 * Scores the answer that is taken out of a prediction with reasoning in it, as the authors evaluate
 * the reasoning-augmented TRACE. Full-width colons count as plain ones. The answer is what stands
 *
 * <pre>
 *   before the first "\nReasoning:", where there is one; else
 *   between the first two "\nAnswer:", else "\n回答:", else "\n答案:", or behind the only one; else
 *   all of it,
 * </pre>
 *
 * whatever the task and its language, without white space at its ends. An empty one is a space.
 */
final class Reasoned implements Metric {
  private static final String BEHIND = "\nReasoning:";
  private static final List<String> BEFORE = List.of("\nAnswer:", "\n回答:", "\n答案:");

  private final Metric metric;
  private final boolean letter;

  /**
   * @param letter the answer is the first character of what was taken out
   */
  Reasoned(Metric metric, boolean letter) {
    this.metric = metric;
    this.letter = letter;
  }

  @Override
  public String name() {
    return metric.name();
  }

  @Override
  public String answer(String prediction) {
    String text = Words.strip(part(prediction.replace('：', ':')));
    if (text.isEmpty()) return " ";
    return letter ? text.substring(0, text.offsetByCodePoints(0, 1)) : text;
  }

  private static String part(String text) {
    int reasoning = text.indexOf(BEHIND);
    if (reasoning >= 0) return text.substring(0, reasoning);
    for (String marker : BEFORE) {
      int at = text.indexOf(marker);
      if (at < 0) continue;
      int from = at + marker.length(), next = text.indexOf(marker, from);
      return next < 0 ? text.substring(from) : text.substring(from, next);
    }
    return text;
  }

  @Override
  public OptionalDouble score(String source, String prediction, String target) {
    return metric.score(source, answer(prediction), target);
  }
}
