package dev.seekr.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Set;
import java.util.function.Predicate;

/**
 * A field of a component in a tokenizer.json.
 *
 * @param expected what it holds, in words
 * @param optional whether it may be left out, or null
 * @param pattern what a pattern must be like; NONE: it is no pattern
 */
record Field(
    String name, String expected, Predicate<JsonNode> accepts, boolean optional, Kind pattern) {
  enum Kind {
    NONE,
    /** Plain text. */
    LITERAL,
    /** Plain text or a regular expression that takes at least one character. */
    MATCH,
    /** Plain text or any regular expression. */
    REGEX
  }

  /** Of texts here, in characters; tokens of known tokenizers have at most some hundred. */
  private static final int LONGEST = 1024;

  private static final int MOST = 1 << 16;

  Field orNone() {
    return new Field(name, expected, accepts, true, pattern);
  }

  static Field flag(String name) {
    return plain(name, "true or false", JsonNode::isBoolean);
  }

  /** Nothing in place of something has been seen to end the process. */
  static Field text(String name) {
    return plain(name, "a text", v -> isText(v) && !v.textValue().isEmpty());
  }

  static Field anyText(String name) {
    return plain(name, "a text", Field::isText);
  }

  static Field character(String name) {
    return plain(
        name,
        "one character",
        v -> isText(v) && v.textValue().codePointCount(0, v.textValue().length()) == 1);
  }

  static Field count(String name) {
    return plain(name, "a number from 0 to " + MOST, v -> isCount(v, MOST));
  }

  static Field zero(String name) {
    return plain(name, "0", v -> isCount(v, 0));
  }

  static Field behavior(String name) {
    return oneOf(name, "Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous");
  }

  static Field scheme(String name) {
    return oneOf(name, "first", "never", "always");
  }

  static Field charsmap(String name) {
    return plain(
        name, "a sound map of characters", v -> v.isTextual() && Charsmap.isSound(v.textValue()));
  }

  static Field literal(String name) {
    return pattern(name, "{\"String\": a text}", Kind.LITERAL, Set.of("String"));
  }

  static Field match(String name) {
    return pattern(
        name, "{\"String\": a text} or {\"Regex\": a text}", Kind.MATCH, Set.of("String", "Regex"));
  }

  static Field regex(String name) {
    return new Field(name, match(name).expected, match(name).accepts, false, Kind.REGEX);
  }

  private static Field pattern(String name, String expected, Kind kind, Set<String> keys) {
    Predicate<JsonNode> accepts =
        v ->
            v.isObject()
                && v.size() == 1
                && keys.contains(v.fieldNames().next())
                && isText(v.elements().next())
                && !v.elements().next().textValue().isEmpty();
    return new Field(name, expected, accepts, false, kind);
  }

  private static Field oneOf(String name, String... values) {
    var all = Set.of(values);
    return plain(
        name,
        "one of " + String.join(", ", values),
        v -> v.isTextual() && all.contains(v.textValue()));
  }

  private static Field plain(String name, String expected, Predicate<JsonNode> accepts) {
    return new Field(name, expected, accepts, false, Kind.NONE);
  }

  static boolean isCount(JsonNode v, int most) {
    return v.isIntegralNumber() && v.canConvertToInt() && v.intValue() >= 0 && v.intValue() <= most;
  }

  static boolean isText(JsonNode v) {
    return v.isTextual() && isText(v.textValue());
  }

  /** Halves of characters and what is longer than any token are no text. */
  static boolean isText(String text) {
    if (text.length() > LONGEST) return false;
    for (int i = 0; i < text.length(); i++) {
      if (!Character.isSurrogate(text.charAt(i))) continue;
      if (!Character.isSupplementaryCodePoint(text.codePointAt(i))) return false;
      i++;
    }
    return true;
  }
}
