package dev.seekr.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * A text table of fixed-width columns: texts to the left, numbers to the right, nothing where a
 * cell is missing.
 */
public final class Table {
  private static final String GAP = "  ";

  private final List<String[]> rows = new ArrayList<>();
  private final boolean[] right;
  private final int[] width;
  private final boolean headed;

  /** A table with a column for each header; without a heading line when all headers are empty. */
  public Table(String... headers) {
    right = new boolean[headers.length];
    width = new int[headers.length];
    headed = Arrays.stream(headers).anyMatch(header -> !header.isEmpty());
    if (headed) {
      add(headers.clone());
    }
  }

  /** Adds a row; null, or a cell left out at the end, is blank, and a NaN too: missing is not 0. */
  public Table row(Object... cells) {
    if (cells.length > width.length) {
      throw new IllegalArgumentException(cells.length + " cells in " + width.length + " columns");
    }
    var texts = new String[width.length];
    Arrays.fill(texts, "");
    for (int i = 0; i < cells.length; i++) {
      right[i] |= cells[i] instanceof Number;
      texts[i] = text(cells[i]);
    }
    add(texts);
    return this;
  }

  private void add(String[] texts) {
    for (int i = 0; i < texts.length; i++) {
      width[i] = Math.max(width[i], texts[i].length());
    }
    rows.add(texts);
  }

  private static String text(Object cell) {
    return switch (cell) {
      case null -> "";
      case Double number when number.isNaN() -> "";
      case Double number -> String.format(Locale.ROOT, "%.4f", number);
      case Float number -> text(number.doubleValue());
      default -> cell.toString();
    };
  }

  /** The table; every line ends with a line break and none with blanks. */
  @Override
  public String toString() {
    var text = new StringBuilder();
    for (int r = 0; r < rows.size(); r++) {
      var line = new StringBuilder();
      for (int c = 0; c < width.length; c++) {
        String cell = rows.get(r)[c];
        String pad = " ".repeat(width[c] - cell.length());
        line.append(c == 0 ? "" : GAP).append(right[c] ? pad + cell : cell + pad);
      }
      text.append(line.toString().stripTrailing()).append('\n');
      if (r == 0 && headed) {
        int total = Arrays.stream(width).sum() + GAP.length() * (width.length - 1);
        text.append("-".repeat(total)).append('\n');
      }
    }
    return text.toString();
  }
}
