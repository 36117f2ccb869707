package dev.seekr.evaluation;

import static dev.seekr.evaluation.NGrams.common;
import static dev.seekr.evaluation.NGrams.without;

import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;

/**
 * SARI (Xu et al. 2016) against one reference: how well a simplification keeps, deletes and adds
 * n-grams of its source, the mean over n = 1 to 4 of
 *
 * <pre>
 * (F1(keep) + precision(delete) + F1(add)) / 3
 * </pre>
 *
 * With source S, prediction P and target T as multisets, precision of keep and delete is the mean
 * over the n-grams kept or deleted of the share that was right to be, recall of keep is |S∩P∩T| /
 * |S∩T|; add compares sets. A ratio without anything to count is 1. Texts are lower-cased and
 * tokenised as mteval's 13a does. No row is ever skipped.
 */
public final class Sari implements Metric {
  private static final int ORDERS = 4;

  @Override
  public String name() {
    return "sari";
  }

  @Override
  public OptionalDouble score(String source, String prediction, String target) {
    List<String> s = words(source);
    List<String> p = words(prediction);
    List<String> t = words(target);
    double sum = 0;
    for (int n = 1; n <= ORDERS; n++) {
      sum += operations(NGrams.of(s, n), NGrams.of(p, n), NGrams.of(t, n));
    }
    return OptionalDouble.of(100 * sum / (3 * ORDERS));
  }

  /** Keep + delete + add of one order, 0 to 3. */
  private static double operations(
      Map<List<String>, Integer> s, Map<List<String>, Integer> p, Map<List<String>, Integer> t) {
    var kept = common(s, p);
    var keptWell = common(kept, t);
    double keepRecall = ratio(NGrams.total(keptWell), NGrams.total(common(s, t)));

    var deleted = without(s, p);
    var deletedWell = without(deleted, t);

    Set<List<String>> added = difference(p, s);
    Set<List<String>> wanted = difference(t, s);
    long addedWell = added.stream().filter(wanted::contains).count();

    return f1(meanShare(keptWell, kept), keepRecall)
        + meanShare(deletedWell, deleted)
        + f1(ratio(addedWell, added.size()), ratio(addedWell, wanted.size()));
  }

  /** Mean over the n-grams of {@code all} of the share of their count that is in {@code good}. */
  private static double meanShare(Map<List<String>, Integer> good, Map<List<String>, Integer> all) {
    double sum = 0;
    for (var entry : good.entrySet()) sum += (double) entry.getValue() / all.get(entry.getKey());
    return ratio(sum, all.size());
  }

  private static Set<List<String>> difference(
      Map<List<String>, Integer> a, Map<List<String>, Integer> b) {
    Set<List<String>> grams = new HashSet<>(a.keySet());
    grams.removeAll(b.keySet());
    return grams;
  }

  private static double ratio(double part, double whole) {
    return whole == 0 ? 1 : part / whole;
  }

  private static double f1(double precision, double recall) {
    return precision + recall == 0 ? 0 : 2 * precision * recall / (precision + recall);
  }

  /** A text without words counts as one empty word. */
  private static List<String> words(String text) {
    List<String> words = Tokens13a.of(text.toLowerCase(Locale.ROOT));
    return words.isEmpty() ? List.of("") : words;
  }
}
