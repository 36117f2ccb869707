package dev.seekr.evaluation;

import java.util.List;
import java.util.regex.Pattern;

/**
 * The tokens of NIST's mteval-v13a, sacrebleu's default: ASCII punctuation stands alone, but a full
 * stop or comma between digits stays, and so does a dash or an apostrophe within a word.
 */
final class Tokens13a {
  private static final Pattern PUNCTUATION = Pattern.compile("([{-~\\[-` -&(-+:-@/])");
  private static final Pattern STOP_AFTER_OTHER = Pattern.compile("([^0-9])([.,])");
  private static final Pattern STOP_BEFORE_OTHER = Pattern.compile("([.,])([^0-9])");
  private static final Pattern DASH_AFTER_DIGIT = Pattern.compile("([0-9])(-)");

  private Tokens13a() {}

  static List<String> of(String text) {
    String line = text.replace("<skipped>", "").replace("-\n", "").replace("\n", " ");
    line = line.replace("&quot;", "\"").replace("&amp;", "&");
    line = line.replace("&lt;", "<").replace("&gt;", ">");
    // The spaces let a stop at either end of the text have its neighbour.
    line = PUNCTUATION.matcher(" " + line + " ").replaceAll(" $1 ");
    line = STOP_AFTER_OTHER.matcher(line).replaceAll("$1 $2 ");
    line = STOP_BEFORE_OTHER.matcher(line).replaceAll(" $1 $2");
    line = DASH_AFTER_DIGIT.matcher(line).replaceAll("$1 $2 ");
    return Words.of(line);
  }
}
