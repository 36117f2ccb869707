package dev.seekr.config;

import com.fasterxml.jackson.core.JsonToken;
import dev.seekr.config.Yaml.Node;
import dev.seekr.config.Yaml.Scalar;
import dev.seekr.config.Yaml.Section;
import dev.seekr.config.Yaml.Sequence;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.time.Duration;
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
final class YamlValues {
  /** A value that its type does not allow; the message has no place and no key. */
  static final class Mismatch extends Exception {
    Mismatch(String message) {
      super(message);
    }
  }

  /** YAML 1.1 takes 1e-5, without a point, for a text; it is a number here. */
  private static final Pattern NUMBER =
      Pattern.compile("[-+]?(?:[0-9]++(?:\\.[0-9]++)?|\\.[0-9]++)(?:[eE][-+]?[0-9]++)?");

  /** 90m, 2h30m, 45 (seconds). */
  private static final Pattern TIME =
      Pattern.compile(
          "(?:([0-9]{1,6})d)?(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,12}(?:\\.[0-9]{1,3})?)s?)?");

  /** As batch systems write it: [days-]hours:minutes:seconds. */
  private static final Pattern CLOCK =
      Pattern.compile("(?:([0-9]{1,6})-)?([0-9]{1,6}):([0-9]{2}):([0-9]{2})");

  private YamlValues() {}

  /**
   * @param generic of a setting: what a list or a mapping holds is converted to the type that it
   *     has there
   */
  static Object convert(Node node, Type generic) throws Mismatch {
    if (!(generic instanceof Class<?> type)) {
      return raw(generic) == List.class
          ? list(node, element(generic))
          : map(node, element(generic));
    }
    if (type == Epochs.class) {
      return epochs(node);
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
      } else if (type == Duration.class) {
        return duration(text, node);
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

  private static Duration duration(String text, Node node) throws Mismatch {
    var parts = CLOCK.matcher(text);
    if (!parts.matches()) parts = TIME.matcher(text);
    if (!parts.matches() || text.isEmpty()) throw wrong(expected(Duration.class), node);
    long[] unit = {86_400_000, 3_600_000, 60_000};
    double millis = 0;
    for (int i = 0; i < 3; i++)
      if (parts.group(i + 1) != null) millis += unit[i] * Double.parseDouble(parts.group(i + 1));
    if (parts.group(4) != null) millis += 1000 * Double.parseDouble(parts.group(4));
    return Duration.ofMillis(Math.round(millis));
  }

  static Object constant(String text, Class<?> type) throws Mismatch {
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

  private static Class<?> raw(Type generic) {
    return (Class<?>) ((ParameterizedType) generic).getRawType();
  }

  /** What a list or a mapping holds: its last type argument; of other types the type itself. */
  static Class<?> element(Type generic) {
    if (!(generic instanceof ParameterizedType parameters)) return (Class<?>) generic;
    Type[] all = parameters.getActualTypeArguments();
    return (Class<?>) all[all.length - 1];
  }

  /** The constants of an enum, as they are written. */
  static List<String> names(Class<?> type) {
    return Arrays.stream(type.getEnumConstants()).map(Object::toString).toList();
  }

  private static List<?> list(Node node, Class<?> element) throws Mismatch {
    if (!(node instanceof Sequence sequence)) {
      throw wrong(expected(List.class), node);
    }
    var items = new ArrayList<Object>();
    for (Node item : sequence.items()) {
      items.add(convert(item, element));
    }
    return List.copyOf(items);
  }

  private static Epochs epochs(Node node) throws Mismatch {
    var each = new ArrayList<Integer>();
    List<Node> items = node instanceof Sequence sequence ? sequence.items() : List.of(node);
    if (items.isEmpty()) throw wrong(expected(Epochs.class), node);
    for (Node item : items) each.add((Integer) convert(item, Integer.class));
    return new Epochs(each);
  }

  private static Map<String, ?> map(Node node, Class<?> element) throws Mismatch {
    if (!(node instanceof Section section)) {
      throw wrong(expected(Map.class), node);
    }
    var values = new LinkedHashMap<String, Object>();
    for (var entry : section.entries().entrySet()) {
      values.put(entry.getKey(), convert(entry.getValue(), element));
    }
    return Collections.unmodifiableMap(values);
  }

  /** What a value of a type looks like, in words. */
  static String expected(Class<?> type) {
    return switch (type.getSimpleName()) {
      case "List" -> "a list of texts, [a, b]";
      case "Map" -> "a mapping, {name: text}";
      case "Epochs" -> "a whole number, or one for each task";
      case "int", "Integer" -> "a whole number up to " + Integer.MAX_VALUE;
      case "long" -> "a whole number";
      case "double", "Double" -> "a finite number";
      case "boolean" -> "true or false";
      case "Duration" -> "a time, such as 45s, 90m, 2h30m or 1-12:00:00";
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
