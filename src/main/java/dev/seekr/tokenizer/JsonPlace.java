package dev.seekr.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import dev.seekr.Failure;
import java.nio.file.Path;

/**
 * Where in a tokenizer.json something stands, to say so in failures.
 *
 * @param part names it from the top, as {@code model} or {@code normalizer[1] Replace}
 */
record JsonPlace(Path file, String part) {
  private static final int SHOWN = 80;

  JsonPlace in(String field) {
    return new JsonPlace(file, part.isEmpty() ? field : part + "." + field);
  }

  JsonPlace at(int index) {
    return new JsonPlace(file, "%s[%d]".formatted(part, index));
  }

  JsonPlace named(String type) {
    return new JsonPlace(file, part + " " + type);
  }

  Failure failure(String format, Object... args) {
    return Failure.data(
        "%s: %s%s", file, part.isEmpty() ? "" : part + ": ", format.formatted(args));
  }

  Failure expected(String what, JsonNode found) {
    return failure("expected %s, found %s", what, shown(found));
  }

  /** What stands there, shortened, on one line. */
  static String shown(JsonNode found) {
    if (found == null || found.isMissingNode()) return "nothing";
    if (found.isContainerNode()) return found.isArray() ? "an array" : "an object";
    String text = found.isTextual() ? quoted(found.textValue()) : found.toString();
    return text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "…";
  }

  /** In quotes, shortened, on one line. */
  static String quoted(String text) {
    if (text.length() <= SHOWN) return '"' + line(text) + '"';
    return '"' + line(text.substring(0, SHOWN)) + '…';
  }

  /** On one line: what would break it, or is no character, is escaped. */
  static String line(String text) {
    var out = new StringBuilder();
    text.codePoints()
        .forEach(
            c -> {
              boolean half = c <= Character.MAX_VALUE && Character.isSurrogate((char) c);
              if (half || Character.isISOControl(c) || c == 0x2028 || c == 0x2029)
                out.append("\\u%04x".formatted(c));
              else out.appendCodePoint(c);
            });
    return out.toString();
  }
}
