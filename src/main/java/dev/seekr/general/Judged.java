package dev.seekr.general;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A part that was asked and judged.
 *
 * @param given to each question
 * @param verdicts of each question, 0 to 1, by measure
 */
public record Judged(Subset part, List<Given> given, List<Map<String, Double>> verdicts) {

  static Judged of(Subset part, List<Given> given) {
    var verdicts = new ArrayList<Map<String, Double>>();
    for (int i = 0; i < given.size(); i++)
      verdicts.add(verdict(part.kind(), part.questions().get(i), given.get(i)));
    return new Judged(part, List.copyOf(given), verdicts);
  }

  private static Map<String, Double> verdict(Kind kind, Question question, Given given) {
    var verdict = new LinkedHashMap<String, Double>();
    switch (question) {
      case Question.Choice choice -> {
        double[] ll = given.likelihoods(), norm = ll.clone();
        for (int c = 0; c < norm.length; c++) {
          String text = choice.choices().get(c);
          norm[c] /= text.codePointCount(0, text.length());
        }
        verdict.put(Kind.Choices.ACC, best(ll) == choice.right() ? 1.0 : 0.0);
        if (kind.measures().contains(Kind.Choices.ACC_NORM))
          verdict.put(Kind.Choices.ACC_NORM, best(norm) == choice.right() ? 1.0 : 0.0);
      }
      case Question.Open open -> {
        for (Kind.Reading reading : ((Kind.Open) kind).readings())
          verdict.put(reading.name(), reading.judge(given.text(), open.right()));
      }
    }
    return verdict;
  }

  /** The first of the largest. */
  private static int best(double[] values) {
    int best = 0;
    for (int i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
    return best;
  }

  /** The mean over questions, 0 to 1. */
  public double mean(String measure) {
    return verdicts.stream().mapToDouble(v -> v.get(measure)).average().orElseThrow();
  }
}
