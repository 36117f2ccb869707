package dev.seekr.evaluation;

import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/**
 * A score matrix for a terminal: a row for each training stage, a column for each task, one
 * decimal, blanks left blank. Tasks that do not fit beside each other go into a further block
 * below.
 */
public final class ScoreTable {
  private static final int LONGEST_LABEL = 24;
  private static final int LONGEST_HEADING = 11;
  private static final int SHORTEST_HEADING = "100.0".length();

  private ScoreTable() {}

  /**
   * @param columns width of the terminal; no line is longer, unless it cannot even hold one task
   */
  public static String of(ScoreMatrix matrix, int columns) {
    List<String> tasks = matrix.tasks();
    int longest = tasks.stream().mapToInt(String::length).max().orElse(0);
    int digits = Integer.toString(tasks.size()).length();
    int label = Math.max("after".length(), digits + 1 + Math.min(longest, LONGEST_LABEL));
    int cell = 1 + Math.clamp(longest, SHORTEST_HEADING, LONGEST_HEADING);
    int block = Math.max(1, (columns - label) / cell);

    StringBuilder text = new StringBuilder();
    for (int from = 0; from < tasks.size(); from += block) {
      int to = Math.min(tasks.size(), from + block);
      if (from > 0) text.append('\n');
      StringBuilder heading = new StringBuilder(left("after", label));
      for (int i = from; i < to; i++) heading.append(right(cut(tasks.get(i), cell - 1), cell));
      text.append(heading).append('\n');
      for (int j = 0; j < tasks.size(); j++) {
        String number = right(Integer.toString(j + 1), digits);
        String stage = number + " " + cut(tasks.get(j), LONGEST_LABEL);
        StringBuilder row = new StringBuilder(left(stage, label));
        for (int i = from; i < to; i++) row.append(right(decimal(matrix.get(i, j)), cell));
        text.append(row.toString().stripTrailing()).append('\n');
      }
    }
    return text.toString();
  }

  private static String decimal(OptionalDouble score) {
    return score.isPresent() ? String.format(Locale.ROOT, "%.1f", score.getAsDouble()) : "";
  }

  /** A name that is too long ends in ~. */
  private static String cut(String name, int width) {
    return name.length() <= width ? name : name.substring(0, width - 1) + "~";
  }

  private static String left(String text, int width) {
    return text + " ".repeat(Math.max(0, width - text.length()));
  }

  private static String right(String text, int width) {
    return " ".repeat(Math.max(0, width - text.length())) + text;
  }
}
