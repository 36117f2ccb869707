package dev.seekr.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.List;

/** Command lines as a shell reads them. */
final class Quoting {
  private Quoting() {}

  /** A word that a shell takes as it is. */
  static String quoted(String word) {
    if (word.matches("[\\w@%+=:,./-]+")) return word;
    return "'" + word.replace("'", "'\\''") + "'";
  }

  static String quoted(List<String> words) {
    return String.join(" ", words.stream().map(Quoting::quoted).toList());
  }

  /** A text between quotation marks, on one line. */
  static String json(String text) {
    return TextNode.valueOf(text).toString();
  }

  /** The value of an override that means just this text. */
  static String text(String text) {
    boolean plain =
        !text.isBlank() && !text.equals("null") && !text.startsWith("\"") && !text.startsWith("'");
    return plain ? text : json(text);
  }

  /** A list of names with commas between them, as YAML that means just these. */
  static String yaml(String names) {
    var list = new ObjectMapper().createArrayNode();
    for (String name : names.split(",")) list.add(name.strip());
    return list.toString();
  }
}
