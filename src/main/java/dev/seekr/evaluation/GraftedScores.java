package dev.seekr.evaluation;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.seekr.Failure;
import dev.seekr.disk.Reading;
import dev.seekr.disk.StrictJson;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * Scores of the final model with the attention of the model after each earlier task (paper Figure
 * 1).
 *
 * @param scores by task, in percent
 */
public record GraftedScores(Map<String, Double> scores) {
  /** As {@link #read} takes it: {@code {"task363": 41.7, …}}. */
  public String json() {
    try {
      return StrictJson.MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(scores) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * @throws Failure 65 where the file is not one number from 0 to 100 a task
   */
  public static GraftedScores read(Path file) {
    try {
      var scores = StrictJson.MAPPER.readTree(Reading.text(file));
      if (!scores.isObject() || scores.isEmpty())
        throw Failure.data("%s: expected an object of scores by task", file);
      var read = new LinkedHashMap<String, Double>();
      for (var score : scores.properties()) {
        double value = score.getValue().isNumber() ? score.getValue().doubleValue() : Double.NaN;
        if (!(value >= 0 && value <= 100))
          throw Failure.data(
              "%s: the score of %s is %s; expected a number from 0 to 100",
              file, score.getKey(), score.getValue());
        read.put(score.getKey(), value);
      }
      return new GraftedScores(read);
    } catch (JsonProcessingException e) {
      int line = e.getLocation() == null ? 1 : e.getLocation().getLineNr();
      throw Failure.data("%s:%d: not scores by task: %s", file, line, e.getOriginalMessage());
    }
  }

  /**
   * What the old attention restores: Σ_{i&lt;T−1} (g[i] − a[i][T−1]) / (T−1), g the scores here.
   * Blank where one of these is missing.
   */
  public OptionalDouble gain(ScoreMatrix a) {
    List<String> tasks = a.tasks();
    int last = a.trained() - 1;
    double sum = 0;
    for (int i = 0; i < last; i++) {
      Double grafted = scores.get(tasks.get(i));
      if (grafted == null || a.get(i, last).isEmpty()) return OptionalDouble.empty();
      sum += grafted - a.get(i, last).getAsDouble();
    }
    return last < 1 ? OptionalDouble.empty() : OptionalDouble.of(sum / last);
  }
}
