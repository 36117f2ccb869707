package dev.seekr.evaluation;

import com.fasterxml.jackson.databind.ObjectMapper;

/** Every answer to a task's test prompts as text: one JSON object a line. */
public final class Predictions {
  private static final ObjectMapper JSON = new ObjectMapper();

  private Predictions() {}

  /**
   * {@code {"prompt", "answer", "answers", "prediction", "scored", "score"}}: answers where several
   * are right, what was scored where that is a part, and the score where there is one.
   */
  public static String lines(Evaluator.Result result) {
    var lines = new StringBuilder();
    for (var p : result.predictions()) {
      var line = JSON.createObjectNode();
      line.put("prompt", p.prompt()).put("answer", p.answers().getFirst());
      if (p.answers().size() > 1) line.set("answers", JSON.valueToTree(p.answers()));
      line.put("prediction", p.prediction());
      if (!p.scored().equals(p.prediction())) line.put("scored", p.scored());
      p.score().ifPresent(score -> line.put("score", score));
      lines.append(line).append('\n');
    }
    return lines.toString();
  }
}
