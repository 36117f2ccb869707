package dev.seekr.method;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Loss terms of an optimiser step: each by name as an unweighted mean, and the weighted total that
 * is minimised.
 */
public final class Losses {
  private record Term(double sum, double count) {}

  private final Map<String, Term> terms = new LinkedHashMap<>();
  private double total;

  /**
   * Adds to term {@code name}: {@code sum} over {@code count} things, and {@code weighted}, its
   * share of the total.
   */
  public void add(String name, double sum, double count, double weighted) {
    terms.merge(name, new Term(sum, count), (a, b) -> new Term(a.sum + b.sum, a.count + b.count));
    total += weighted;
  }

  public double total() {
    return total;
  }

  /** Mean of each term, in the order in which they came. */
  public Map<String, Double> means() {
    var means = new LinkedHashMap<String, Double>();
    terms.forEach((name, t) -> means.put(name, t.sum / t.count));
    return means;
  }
}
