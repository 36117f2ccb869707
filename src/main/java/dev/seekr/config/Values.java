package dev.seekr.config;

import com.fasterxml.jackson.core.JsonToken;
import dev.seekr.config.Yaml.Node;
import dev.seekr.config.Yaml.Scalar;
import dev.seekr.config.Yaml.Section;
import dev.seekr.config.Yaml.Sequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Converts YAML nodes to the Java types that settings have, or says what was expected and what was
 * found.
 */
final class Values {
  /** A value that its type does not allow; the message has no place and no key. */
  static final class Mismatch extends Exception {
    Mismatch(String message) {
      super(message);
    }
  }

  /** YAML 1.1 takes 1e-5, without a point, for a text; it is a number here. */
  private static final Pattern NUMBER = Pattern.compile("[-+]?[0-9]*\\.?[0-9]+([eE][-+]?[0-9]+)?");

  private Values() {}

  static Object convert(Node node, Class<?> type) throws Mismatch {
    if (type == List.class) {
      return list(node);
    }
    if (type == Map.class) {
      return map(node);
    }
    if (!(node instanceof Scalar scalar) || Yaml.isNull(node)) {
      throw wrong(expected(type), node);
    }
    String text = scalar.text();
    boolean whole = scalar.kind() == JsonToken.VALUE_NUMBER_INT;
    boolean number = scalar.kind().isNumeric() || NUMBER.matcher(text).matches();
    try {
      if (type == String.class) {
        return text;
      } else if (type.isEnum()) {
        return constant(text, type);
      } else if (type == boolean.class && scalar.kind().isBoolean()) {
        return scalar.kind() == JsonToken.VALUE_TRUE;
      } else if ((type == int.class || type == Integer.class) && whole) {
        return Integer.parseInt(text.replace("_", ""));
      } else if (type == long.class && whole) {
        return Long.parseLong(text.replace("_", ""));
      } else if ((type == double.class || type == Double.class) && number) {
        double value = Double.parseDouble(text.replace("_", ""));
        if (Double.isFinite(value)) {
          return value;
        }
      }
    } catch (NumberFormatException e) {
      // out of the type's range, or not decimal: as wrong as any other text
    }
    throw wrong(expected(type), node);
  }

  private static Object constant(String text, Class<?> type) throws Mismatch {
    List<String> names = names(type);
    int index = names.indexOf(text);
    if (index < 0) {
      String meant =
          Names.nearest(text, names).map(name -> "; did you mean '" + name + "'?").orElse("");
      throw new Mismatch(
          "must be one of %s, but is '%s'%s".formatted(String.join(", ", names), text, meant));
    }
    return type.getEnumConstants()[index];
  }

  private static List<String> names(Class<?> type) {
    return Arrays.stream(type.getEnumConstants()).map(Object::toString).toList();
  }

  private static List<String> list(Node node) throws Mismatch {
    if (!(node instanceof Sequence sequence)) {
      throw wrong("a list of texts, [a, b]", node);
    }
    var texts = new ArrayList<String>();
    for (Node item : sequence.items()) {
      texts.add((String) convert(item, String.class));
    }
    return List.copyOf(texts);
  }

  private static Map<String, String> map(Node node) throws Mismatch {
    if (!(node instanceof Section section)) {
      throw wrong("a mapping, {name: text}", node);
    }
    var texts = new LinkedHashMap<String, String>();
    for (var entry : section.entries().entrySet()) {
      texts.put(entry.getKey(), (String) convert(entry.getValue(), String.class));
    }
    return Collections.unmodifiableMap(texts);
  }

  private static String expected(Class<?> type) {
    return switch (type.getSimpleName()) {
      case "int", "Integer" -> "a whole number up to " + Integer.MAX_VALUE;
      case "long" -> "a whole number";
      case "double", "Double" -> "a finite number";
      case "boolean" -> "true or false";
      default -> type.isEnum() ? "one of " + String.join(", ", names(type)) : "a text";
    };
  }

  private static Mismatch wrong(String expected, Node node) {
    String found =
        switch (node) {
          case Section s -> "a section";
          case Sequence s -> "a list";
          case Scalar s -> Yaml.isNull(s) ? "empty" : "'" + s.text() + "'";
        };
    return new Mismatch("must be %s, but is %s".formatted(expected, found));
  }
}
