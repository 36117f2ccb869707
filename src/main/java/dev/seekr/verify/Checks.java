package dev.seekr.verify;

import dev.seekr.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Quantities compared with their reference, one line each. NaN never passes. */
public final class Checks {
  /**
   * @param error as the quantity's kind defines it
   * @param bound largest error that passes
   */
  public record Check(String quantity, double error, double bound) {
    public boolean passed() {
      return error <= bound;
    }

    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%-4s %-66s error %.2e  bound %.0e",
          passed() ? "ok" : "MISS",
          quantity,
          error,
          bound);
    }
  }

  private final List<Check> all = new ArrayList<>();
  private final List<String> notes = new ArrayList<>();

  /** What was not compared, and why, a line each. */
  public List<String> notes() {
    return notes;
  }

  void note(String line) {
    notes.add(line);
  }

  public List<Check> all() {
    return all;
  }

  public long missed() {
    return all.stream().filter(c -> !c.passed()).count();
  }

  void add(String quantity, double error, double bound) {
    all.add(new Check(quantity, error, bound));
  }

  /** Relative error of one number. */
  void number(String quantity, double actual, double expected, double bound) {
    add(quantity, Math.abs(actual - expected) / Math.max(Math.abs(expected), 1e-30), bound);
  }

  /** ||x - x*|| / ||x*||, or ||x|| where x* is zero. */
  void norm(String quantity, double[] actual, double[] expected, double bound) {
    if (actual.length != expected.length) {
      add(
          quantity + " (" + actual.length + " elements, expected " + expected.length + ")",
          Double.NaN,
          bound);
      return;
    }
    double d = 0, e = 0;
    for (int i = 0; i < actual.length; i++) {
      d += (actual[i] - expected[i]) * (actual[i] - expected[i]);
      e += expected[i] * expected[i];
    }
    add(quantity, Math.sqrt(d) / (e == 0 ? 1 : Math.sqrt(e)), bound);
  }

  void norm(String quantity, Tensor actual, Tensor expected, double bound) {
    norm(quantity, actual.toDoubles(), expected.toDoubles(), bound);
  }

  /** Largest difference of an element, relative to the largest expected element. */
  void elements(String quantity, double[] actual, double[] expected, double bound) {
    elements(quantity, actual, expected, 1, bound);
  }

  /** The same in units of {@code allowed} times that element. */
  void elements(String quantity, double[] actual, double[] expected, double allowed, double bound) {
    double worst = actual.length == expected.length ? 0 : Double.NaN, largest = 1e-30;
    for (double e : expected) largest = Math.max(largest, Math.abs(e));
    for (int i = 0; i < Math.min(actual.length, expected.length); i++) {
      double d = Math.abs(actual[i] - expected[i]);
      // Math.max passes NaN on, a comparison would not.
      worst = Math.max(worst, d);
    }
    add(quantity, worst / (allowed * largest), bound);
  }

  /** How many elements differ; none may. */
  void same(String quantity, int[] actual, int[] expected) {
    int differ = Math.abs(actual.length - expected.length);
    for (int i = 0; i < Math.min(actual.length, expected.length); i++)
      if (actual[i] != expected[i]) differ++;
    add(quantity, differ, 0);
  }
}
