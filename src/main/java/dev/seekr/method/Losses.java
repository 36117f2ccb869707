package dev.seekr.method;

import dev.seekr.distributed.Collectives;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Loss terms of an optimiser step, by name. Each is a mean, and has a weight; the sum of means
 * times weights is what is minimised.
 */
public final class Losses {
  /** Sum and count, as they are and weighted. */
  private record Term(double sum, double count, double weighted, double weight) {
    Term plus(Term o) {
      return new Term(sum + o.sum, count + o.count, weighted + o.weighted, weight + o.weight);
    }

    /** Weighted as its parts are, where they weigh anything. */
    double mean() {
      return weight == 0 ? sum / count : weighted / weight;
    }
  }

  private final Map<String, Term> terms = new LinkedHashMap<>();

  /**
   * Adds to term {@code name}: {@code sum} over {@code count} things, each of which weighs {@code
   * each} in the total.
   */
  public void add(String name, double sum, double count, double each) {
    terms.merge(name, new Term(sum, count, each * sum, each * count), Term::plus);
  }

  /** Makes every term what it is over all processes; some may have no part of it. */
  public void sum(Collectives all) {
    if (all.ranks() == 1) return;
    byte[][] everyone = all.gather(bytes());
    terms.clear();
    for (byte[] one : everyone) add(one);
  }

  private byte[] bytes() {
    var bytes = new ByteArrayOutputStream();
    var out = new DataOutputStream(bytes);
    try {
      for (var term : terms.entrySet()) {
        out.writeUTF(term.getKey());
        Term t = term.getValue();
        for (double v : new double[] {t.sum, t.count, t.weighted, t.weight}) out.writeDouble(v);
      }
    } catch (IOException e) {
      throw new IllegalStateException("it is written to memory", e);
    }
    return bytes.toByteArray();
  }

  private void add(byte[] bytes) {
    var in = new DataInputStream(new ByteArrayInputStream(bytes));
    try {
      while (in.available() > 0) {
        String name = in.readUTF();
        var term = new Term(in.readDouble(), in.readDouble(), in.readDouble(), in.readDouble());
        terms.merge(name, term, Term::plus);
      }
    } catch (IOException e) {
      throw new IllegalStateException("it is read from memory", e);
    }
  }

  public double total() {
    return terms.values().stream().mapToDouble(Term::weighted).sum();
  }

  /** Mean of each term, in the order in which they came. */
  public Map<String, Double> means() {
    var means = new LinkedHashMap<String, Double>();
    terms.forEach((name, t) -> means.put(name, t.mean()));
    return means;
  }

  /** What each mean is multiplied by in {@link #total}. */
  public Map<String, Double> weights() {
    var weights = new LinkedHashMap<String, Double>();
    terms.forEach((name, t) -> weights.put(name, t.weight));
    return weights;
  }
}
