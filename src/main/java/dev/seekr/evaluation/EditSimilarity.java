package dev.seekr.evaluation;

import java.util.OptionalDouble;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * Similarity of two pieces of code by the insertions and deletions between them, in whole percent,
 * ties to even:
 *
 * <pre>
 * round(100 (1 − (|a| + |b| − 2 LCS(a, b)) / (|a| + |b|)))
 * </pre>
 *
 * over Unicode characters. As TRACE does for Py150, the placeholders that data set has for literals
 * are put back first: {@code <NUM_LIT>} is 0, {@code <STR_LIT>} and {@code <CHAR_LIT>} are empty,
 * {@code <STR_LIT:text>} is its text.
 */
public final class EditSimilarity implements Metric {
  private static final Pattern LITERAL =
      Pattern.compile("<(?:STR|NUM|CHAR)_LIT:(.*?)>", Pattern.DOTALL);

  @Override
  public String name() {
    return "similarity";
  }

  @Override
  public OptionalDouble score(String source, String prediction, String target) {
    int[] a = withLiterals(prediction).codePoints().toArray();
    int[] b = withLiterals(target).codePoints().toArray();
    if (a.length == 0 || b.length == 0) return OptionalDouble.empty();
    int total = a.length + b.length;
    int edits = total - 2 * commonLength(a, b);
    // Subtracted from 1 in this order, the rounding at .5 is the reference's.
    return OptionalDouble.of(Math.rint(100 * (1 - (double) edits / total)));
  }

  static String withLiterals(String code) {
    String plain = code.replace("<NUM_LIT>", "0");
    plain = plain.replace("<STR_LIT>", "").replace("<CHAR_LIT>", "");
    for (MatchResult literal : LITERAL.matcher(plain).results().toList()) {
      plain = plain.replace(literal.group(), literal.group(1));
    }
    return plain;
  }

  /** Length of the longest common subsequence, by one row at a time. */
  private static int commonLength(int[] a, int[] b) {
    int[] row = new int[b.length + 1];
    for (int x : a) {
      int diagonal = 0;
      for (int j = 1; j <= b.length; j++) {
        int above = row[j];
        row[j] = x == b[j - 1] ? diagonal + 1 : Math.max(above, row[j - 1]);
        diagonal = above;
      }
    }
    return row[b.length];
  }
}
