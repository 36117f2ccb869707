package dev.seekr.evaluation;

import java.util.List;
import java.util.OptionalDouble;

/**
 * Sentence BLEU (Papineni et al. 2002) against one reference, n-grams up to {@code order} of equal
 * weight:
 *
 * <pre>
 * min(1, e^(1 − |target| / |prediction|)) · Π p_n^(1/order)
 * p_n = clipped matches / n-grams of the prediction
 * </pre>
 *
 * Words end at white space and full stops, as in TRACE. Without smoothing, an order with no match
 * counts as the smallest normal double, so texts shorter than {@code order} words score next to
 * nothing; no word in common scores 0.
 */
public record Bleu(int order) implements Metric {
  public Bleu {
    if (order < 1) throw new IllegalArgumentException("BLEU of order " + order);
  }

  /** {@code bleu} is BLEU-4; other orders carry their number. */
  @Override
  public String name() {
    return order == 4 ? "bleu" : "bleu_" + order;
  }

  @Override
  public OptionalDouble score(String source, String prediction, String target) {
    if (prediction.isEmpty() || target.isEmpty()) return OptionalDouble.empty();
    List<String> said = words(prediction);
    List<String> wanted = words(target);
    double logPrecision = 0;
    for (int n = 1; n <= order; n++) {
      int matches = NGrams.total(NGrams.common(NGrams.of(said, n), NGrams.of(wanted, n)));
      if (n == 1 && matches == 0) return OptionalDouble.of(0);
      double grams = said.size() - n + 1;
      double precision = matches == 0 ? Double.MIN_NORMAL : matches / grams;
      logPrecision += Math.log(precision) / order;
    }
    double brevity = Math.min(1, Math.exp(1 - (double) wanted.size() / said.size()));
    return OptionalDouble.of(100 * brevity * Math.exp(logPrecision));
  }

  private static List<String> words(String text) {
    return Words.of(text.replace('.', ' '));
  }
}
