package dev.seekr.config;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/**
 * How settings are spelt: the YAML key of a record component, dotted paths, and the nearest name to
 * a misspelt one.
 */
public final class Names {
  private Names() {}

  /** {@code maxPrompt} is {@code max_prompt} in YAML. */
  static String key(String component) {
    return component.replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
  }

  static String join(String path, String key) {
    return path.isEmpty() ? key : path + "." + key;
  }

  /**
   * The candidate that {@code word} was most likely meant to be: the nearest within a third of its
   * letters.
   */
  public static Optional<String> nearest(String word, Collection<String> candidates) {
    String plain = plain(word);
    int reach = Math.max(1, plain.length() / 3);
    return candidates.stream()
        // Looked at first, since distances take time and memory by both lengths.
        .filter(candidate -> Math.abs(plain.length() - plain(candidate).length()) <= reach)
        .filter(candidate -> distance(plain, plain(candidate)) <= reach)
        .min(Comparator.comparingInt(candidate -> distance(plain, plain(candidate))));
  }

  private static String plain(String word) {
    return word.toLowerCase(Locale.ROOT).replace("_", "").replace("-", "");
  }

  /**
   * Edits (a letter inserted, removed, replaced, or two neighbours swapped) that turn {@code a}
   * into {@code b}.
   */
  static int distance(String a, String b) {
    int[][] d = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      for (int j = 0; j <= b.length(); j++) {
        if (i == 0 || j == 0) {
          d[i][j] = i + j;
          continue;
        }
        boolean same = a.charAt(i - 1) == b.charAt(j - 1);
        d[i][j] =
            Math.min(d[i - 1][j - 1] + (same ? 0 : 1), 1 + Math.min(d[i - 1][j], d[i][j - 1]));
        if (i > 1
            && j > 1
            && a.charAt(i - 1) == b.charAt(j - 2)
            && a.charAt(i - 2) == b.charAt(j - 1)) {
          d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
        }
      }
    }
    return d[a.length()][b.length()];
  }
}
