package dev.seekr.general;

import java.util.ArrayList;
import java.util.List;

/**
 * Rows of comma-separated values as Python's {@code csv} reads them, which the benchmark's users
 * read them with. It refuses nothing: after a quote that ends a field too early, what follows is
 * taken as it is. Published files have such quotes, and libraries that insist on doubled ones read
 * other questions.
 */
final class Csv {
  /**
   * A row.
   *
   * @param line where it begins, from 1
   * @param raw as it stands in the file, without the end of its line
   */
  record Row(int line, String raw, List<String> fields) {
    /** The fields of a row all of whose texts are quoted, by {@code ","} between them. */
    List<String> quoted() {
      int comma = raw.lastIndexOf("\",");
      if (!raw.startsWith("\"") || comma < 1) return fields;
      var parts = new ArrayList<>(List.of(raw.substring(1, comma).split("\",\"", -1)));
      parts.add(raw.substring(comma + 2));
      return parts;
    }
  }

  private enum At {
    START,
    PLAIN,
    QUOTED,
    QUOTE
  }

  private Csv() {}

  /** All rows; blank lines are passed over. */
  static List<Row> read(String text) {
    var rows = new ArrayList<Row>();
    var fields = new ArrayList<String>();
    var field = new StringBuilder();
    At at = At.START;
    int begin = 0, line = 1, beginLine = 1;
    for (int i = 0; i <= text.length(); i++) {
      boolean end = i == text.length();
      char c = end ? '\n' : text.charAt(i);
      if (c == '\n') line++;
      if (at == At.QUOTED && !end) {
        if (c == '"') at = At.QUOTE;
        else field.append(c);
      } else if (c == '\n') {
        String raw = text.substring(begin, i);
        if (raw.endsWith("\r")) {
          raw = raw.substring(0, raw.length() - 1);
          if (at == At.PLAIN) field.setLength(field.length() - 1);
        }
        fields.add(field.toString());
        if (!raw.isBlank()) rows.add(new Row(beginLine, raw, List.copyOf(fields)));
        fields.clear();
        field.setLength(0);
        at = At.START;
        begin = i + 1;
        beginLine = line;
      } else if (c == ',') {
        fields.add(field.toString());
        field.setLength(0);
        at = At.START;
      } else if (c == '"' && at == At.START) {
        at = At.QUOTED;
      } else if (c == '"' && at == At.QUOTE) {
        field.append(c);
        at = At.QUOTED;
      } else {
        field.append(c);
        at = At.PLAIN;
      }
    }
    return rows;
  }
}
