package dev.seekr.evaluation;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Multisets of n-grams: each run of n words with its number of occurrences, always at least 1. */
final class NGrams {
  private NGrams() {}

  static Map<List<String>, Integer> of(List<String> words, int n) {
    Map<List<String>, Integer> counts = new HashMap<>();
    for (int i = 0; i + n <= words.size(); i++) {
      counts.merge(words.subList(i, i + n), 1, Integer::sum);
    }
    return counts;
  }

  /** a ∩ b: the smaller count of each n-gram. */
  static Map<List<String>, Integer> common(
      Map<List<String>, Integer> a, Map<List<String>, Integer> b) {
    Map<List<String>, Integer> counts = new HashMap<>();
    a.forEach(
        (gram, count) -> {
          if (b.containsKey(gram)) counts.put(gram, Math.min(count, b.get(gram)));
        });
    return counts;
  }

  /** a − b: what is left of each count, where anything is. */
  static Map<List<String>, Integer> without(
      Map<List<String>, Integer> a, Map<List<String>, Integer> b) {
    Map<List<String>, Integer> counts = new HashMap<>();
    a.forEach(
        (gram, count) -> {
          int left = count - b.getOrDefault(gram, 0);
          if (left > 0) counts.put(gram, left);
        });
    return counts;
  }

  static int total(Map<List<String>, Integer> counts) {
    return counts.values().stream().mapToInt(Integer::intValue).sum();
  }
}
