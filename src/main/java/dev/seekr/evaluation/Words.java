package dev.seekr.evaluation;

import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Words between white space. White space is what Python's {@code str.split} takes for it, which the
 * scorers of the reference evaluation build on: more than Java's {@code \s}, for example the
 * no-break space.
 */
public final class Words {
  private static final String SPACE = "[\\s\\x1c-\\x1f\\x85\\p{Z}]+";
  private static final Pattern GAP = Pattern.compile(SPACE);
  private static final Pattern ENDS = Pattern.compile("\\A" + SPACE + "|" + SPACE + "\\z");

  private Words() {}

  /** The words of a text; none for a blank one. */
  public static List<String> of(String text) {
    return Arrays.stream(GAP.split(text)).filter(word -> !word.isEmpty()).toList();
  }

  /** The text without white space at its ends. */
  public static String strip(String text) {
    return ENDS.matcher(text).replaceAll("");
  }
}
