package dev.seekr.evaluation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;

/**
 * Summary-level ROUGE-L (Lin 2004) as TRACE computes it: texts are split into sentences at every
 * full stop, and words count once however often they occur.
 *
 * <pre>
 * U = set of words in the LCS of any prediction sentence with any target sentence
 * R = |U| / |words of prediction|     P = |U| / |words of target|     F = 2PR / (P + R + 1e-8)
 * </pre>
 *
 * A sentence of white space only counts as one empty word. A side without a sentence, such as
 * "...", scores 0.
 */
public final class RougeL implements Metric {
  private static final double EPSILON = 1e-8;

  @Override
  public String name() {
    return "rouge_l";
  }

  @Override
  public OptionalDouble score(String source, String prediction, String target) {
    if (prediction.isEmpty() || target.isEmpty()) return OptionalDouble.empty();
    List<List<String>> said = sentences(prediction);
    List<List<String>> wanted = sentences(target);
    if (said.isEmpty() || wanted.isEmpty()) return OptionalDouble.of(0);
    Set<String> union = new HashSet<>();
    for (List<String> x : said) {
      for (List<String> y : wanted) union.addAll(longestCommonSubsequence(x, y));
    }
    double r = (double) union.size() / distinct(said);
    double p = (double) union.size() / distinct(wanted);
    return OptionalDouble.of(100 * 2 * (p * r / (p + r + EPSILON)));
  }

  private static List<List<String>> sentences(String text) {
    return Arrays.stream(text.split("\\."))
        .filter(sentence -> !sentence.isEmpty())
        .map(Words::of)
        .map(words -> words.isEmpty() ? List.of("") : words)
        .toList();
  }

  private static int distinct(List<List<String>> sentences) {
    Set<String> words = new HashSet<>();
    sentences.forEach(words::addAll);
    return words.size();
  }

  /**
   * One longest common subsequence. Of several, the one that a walk from the ends finds when it
   * gives up words of {@code y} at a tie: the union over sentences depends on this choice, so it
   * follows the reference.
   */
  private static List<String> longestCommonSubsequence(List<String> x, List<String> y) {
    int[][] length = new int[x.size() + 1][y.size() + 1];
    for (int i = 1; i <= x.size(); i++) {
      for (int j = 1; j <= y.size(); j++) {
        length[i][j] =
            x.get(i - 1).equals(y.get(j - 1))
                ? length[i - 1][j - 1] + 1
                : Math.max(length[i - 1][j], length[i][j - 1]);
      }
    }
    List<String> common = new ArrayList<>();
    for (int i = x.size(), j = y.size(); i > 0 && j > 0; ) {
      if (x.get(i - 1).equals(y.get(j - 1))) {
        common.add(x.get(i - 1));
        i--;
        j--;
      } else if (length[i - 1][j] > length[i][j - 1]) {
        i--;
      } else {
        j--;
      }
    }
    return common;
  }
}
