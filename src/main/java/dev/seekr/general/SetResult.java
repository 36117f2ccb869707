package dev.seekr.general;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A benchmark that was asked. */
public record SetResult(QuestionSet set, List<Judged> parts) {

  /** Names of the measures, the one that counts first. */
  public List<String> measures() {
    return set.parts().getFirst().kind().measures();
  }

  /** In percent, by measure. */
  public Map<String, Double> scores() {
    var scores = new LinkedHashMap<String, Double>();
    for (String measure : measures()) scores.put(measure, 100 * mean(measure));
    return scores;
  }

  /** What counts as the benchmark's score, in percent. */
  public double score() {
    return 100 * mean(measures().getFirst());
  }

  private double mean(String measure) {
    double sum = 0, weights = 0;
    for (Judged part : parts) {
      double weight = set.alike() ? part.verdicts().size() : 1;
      sum += weight * part.mean(measure);
      weights += weight;
    }
    return sum / weights;
  }
}
