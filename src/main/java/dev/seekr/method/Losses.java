package dev.seekr.method;

import dev.seekr.distributed.Collectives;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Loss terms of an optimiser step: each by name as an unweighted mean, and the weighted total that
 * is minimised.
 */
public final class Losses {
  private record Term(double sum, double count, double weighted) {
    Term plus(Term other) {
      return new Term(sum + other.sum, count + other.count, weighted + other.weighted);
    }
  }

  private final Map<String, Term> terms = new LinkedHashMap<>();

  /**
   * Adds to term {@code name}: {@code sum} over {@code count} things, and {@code weighted}, its
   * share of the total.
   */
  public void add(String name, double sum, double count, double weighted) {
    terms.merge(name, new Term(sum, count, weighted), Term::plus);
  }

  /** Makes every term what it is over all processes, which have the same terms. */
  public void sum(Collectives all) {
    terms.replaceAll(
        (name, t) -> {
          double[] sums = all.sum(new double[] {t.sum, t.count, t.weighted});
          return new Term(sums[0], sums[1], sums[2]);
        });
  }

  public double total() {
    return terms.values().stream().mapToDouble(Term::weighted).sum();
  }

  /** Mean of each term, in the order in which they came. */
  public Map<String, Double> means() {
    var means = new LinkedHashMap<String, Double>();
    terms.forEach((name, t) -> means.put(name, t.sum / t.count));
    return means;
  }
}
