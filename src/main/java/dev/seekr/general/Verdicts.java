package dev.seekr.general;

import dev.seekr.evaluation.Words;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Finds answers in texts and compares them, as Python's regular expressions and texts would: a line
 * ends at {@code \n} alone, and white space is what {@code str.split} takes for it.
 */
final class Verdicts {
  /** What stands for an answer that was not found. */
  static final String INVALID = "[invalid]";

  private static final Pattern ARTICLE =
      Pattern.compile("\\b(a|an|the)\\b", Pattern.UNICODE_CHARACTER_CLASS);
  private static final Pattern PUNCTUATION = Pattern.compile("[!-/:-@\\[-`{-~]");

  private Verdicts() {}

  static Pattern pattern(String regex) {
    return Pattern.compile(regex, Pattern.UNIX_LINES);
  }

  /** The first place where a pattern with one group is found, or the last: what the group holds. */
  static String find(Pattern pattern, String text, boolean last) {
    var matcher = pattern.matcher(text);
    String found = INVALID;
    while (matcher.find()) {
      int group = 1;
      while (group < matcher.groupCount() && isEmpty(matcher.group(group))) group++;
      found = matcher.group(group);
      if (!last) break;
    }
    return Words.strip(found);
  }

  private static boolean isEmpty(String group) {
    return group == null || group.isEmpty();
  }

  static double exact(String answer, String right) {
    return answer.equals(right) ? 1 : 0;
  }

  /** The same after all that the patterns find is taken out, whatever the case. */
  static double exact(String answer, String right, List<Pattern> ignored) {
    for (Pattern pattern : ignored) {
      answer = pattern.matcher(answer).replaceAll("");
      right = pattern.matcher(right).replaceAll("");
    }
    return exact(answer.toLowerCase(Locale.ROOT), right.toLowerCase(Locale.ROOT));
  }

  /** As SQuAD compares: without case, punctuation and English articles. */
  static double plainExact(String answer, String right) {
    return exact(String.join(" ", plain(answer)), String.join(" ", plain(right)));
  }

  /** F1 of the words of an answer, as SQuAD counts them. */
  static double f1(String answer, String right) {
    List<String> said = plain(answer), expected = plain(right);
    var left = new HashMap<String, Integer>();
    for (String word : expected) left.merge(word, 1, Integer::sum);
    int common = 0;
    for (String word : said) if (left.merge(word, -1, Integer::sum) >= 0) common++;
    return common == 0 ? 0 : 2.0 * common / (said.size() + expected.size());
  }

  private static List<String> plain(String text) {
    String bare = PUNCTUATION.matcher(text.toLowerCase(Locale.ROOT)).replaceAll("");
    return Words.of(ARTICLE.matcher(bare).replaceAll(" "));
  }
}
