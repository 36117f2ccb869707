package dev.seekr.jinja;

import static dev.seekr.jinja.Values.bounded;
import static dev.seekr.jinja.Values.kind;
import static dev.seekr.jinja.Values.string;
import static dev.seekr.jinja.Values.text;
import static dev.seekr.jinja.Values.whole;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;

/** The functions, methods, filters and tests that templates may use: these, and no others. */
final class Functions {
  /** What a call is given. */
  record Arguments(List<Object> inOrder, Map<String, Object> named) {
    Object or(int i, Object otherwise) {
      return i < inOrder.size() ? inOrder.get(i) : otherwise;
    }

    private void most(int n, String what) {
      if (inOrder.size() > n || !named.isEmpty())
        throw Fault.of("%s is given more than Seekr knows of", what);
    }
  }

  /** What {@code namespace()} makes: its fields can be set from within loops. */
  static final class Namespace {
    final Map<String, Object> fields;

    private Namespace(Map<String, Object> fields) {
      this.fields = new LinkedHashMap<>(fields);
    }
  }

  private Functions() {}

  static Object call(String name, Arguments a) {
    switch (name) {
      case "raise_exception" -> throw new Fault("the template says: " + text(a.or(0, "")));
      case "range" -> {
        a.most(3, "range");
        return range(a);
      }
      case "namespace" -> {
        return new Namespace(a.named);
      }
      default ->
          throw Fault.of("no function '%s'; there are namespace, raise_exception, range", name);
    }
  }

  private static List<Object> range(Arguments a) {
    int first = a.inOrder.size() > 1 ? whole(a.or(0, 0L), "range") : 0;
    int end = whole(a.or(a.inOrder.size() > 1 ? 1 : 0, 0L), "range");
    int step = whole(a.or(2, 1L), "range");
    if (step == 0) throw new Fault("a range of step 0");
    var numbers = new ArrayList<Object>();
    for (long i = first; step > 0 ? i < end : i > end; i += step) {
      numbers.add(i);
      bounded(numbers);
    }
    return numbers;
  }

  static Object method(Object of, String name, Arguments a) {
    return switch (of) {
      case String s -> ofText(s, name, a);
      case Map<?, ?> map -> ofMap(map, name, a);
      case null, default -> throw Fault.of("%s has no method '%s'", kind(of), name);
    };
  }

  private static Object ofText(String s, String name, Arguments a) {
    a.most(2, name);
    return switch (name) {
      case "strip" -> stripped(s, a.or(0, null), true, true);
      case "lstrip" -> stripped(s, a.or(0, null), true, false);
      case "rstrip" -> stripped(s, a.or(0, null), false, true);
      case "upper" -> s.toUpperCase(Locale.ROOT);
      case "lower" -> s.toLowerCase(Locale.ROOT);
      case "title" -> titled(s);
      case "startswith" -> s.startsWith(string(a.or(0, null), "startswith's"));
      case "endswith" -> s.endsWith(string(a.or(0, null), "endswith's"));
      case "replace" -> replaced(s, a);
      case "split" -> split(s, a);
      case "join" -> joined(a.or(0, null), s);
      default ->
          throw Fault.of(
              "a text has no method '%s'; there are endswith, join, lower, lstrip, replace, rstrip, split, startswith, strip, title, upper",
              name);
    };
  }

  private static Object ofMap(Map<?, ?> map, String name, Arguments a) {
    a.most(2, name);
    return switch (name) {
      case "get" -> {
        Object key = Values.key(a.or(0, null));
        yield map.containsKey(key) ? map.get(key) : a.or(1, null);
      }
      case "keys" -> new ArrayList<Object>(map.keySet());
      case "values" -> new ArrayList<Object>(map.values());
      case "items" -> pairs(map);
      default ->
          throw Fault.of("a mapping has no method '%s'; there are get, items, keys, values", name);
    };
  }

  private static List<Object> pairs(Map<?, ?> map) {
    var pairs = new ArrayList<Object>();
    for (var e : map.entrySet()) {
      var pair = new ArrayList<Object>();
      pair.add(e.getKey());
      pair.add(e.getValue());
      pairs.add(pair);
    }
    return pairs;
  }

  static Object filter(Object of, String name, Arguments a) {
    switch (name) {
      case "tojson" -> {
        boolean plain = a.named.isEmpty() || a.named.equals(Map.of("ensure_ascii", false));
        if (!a.inOrder.isEmpty() || !plain)
          throw new Fault("tojson is given more than Seekr knows of");
        var json = new StringBuilder();
        json(of, json);
        return json.toString();
      }
      case "default", "d" -> {
        a.most(2, name);
        boolean otherwise =
            of instanceof Values.Undefined || Values.truth(a.or(1, false)) && !Values.truth(of);
        return otherwise ? a.or(0, "") : of;
      }
      default -> a.most(2, name);
    }
    return switch (name) {
      case "trim" -> stripped(text(of), a.or(0, null), true, true);
      case "length", "count" -> length(of);
      case "upper" -> text(of).toUpperCase(Locale.ROOT);
      case "lower" -> text(of).toLowerCase(Locale.ROOT);
      case "string" -> text(of);
      case "safe" -> of;
      case "replace" -> replaced(text(of), a);
      case "join" -> joined(of, text(a.or(0, "")));
      case "list" -> new ArrayList<Object>(Values.items(of));
      case "first" -> Values.item(Values.items(of), 0L);
      case "last" -> Values.item(Values.items(of), -1L);
      case "items" -> of instanceof Map<?, ?> map ? pairs(map) : List.of();
      case "int" -> integer(of);
      default ->
          throw Fault.of(
              "no filter '%s'; there are count, d, default, first, int, items, join, last, length, list, lower, replace, safe, string, tojson, trim, upper",
              name);
    };
  }

  static boolean test(Object of, String name) {
    return switch (name) {
      case "defined" -> !(of instanceof Values.Undefined);
      case "undefined" -> of instanceof Values.Undefined;
      case "none" -> of == null;
      case "string" -> of instanceof String;
      case "mapping" -> of instanceof Map;
      case "sequence", "iterable" ->
          of instanceof String || of instanceof List || of instanceof Map;
      case "number" -> of instanceof Number || of instanceof Boolean;
      case "integer" -> of instanceof Long;
      case "boolean" -> of instanceof Boolean;
      case "true" -> Boolean.TRUE.equals(of);
      case "false" -> Boolean.FALSE.equals(of);
      case "even" -> whole(of, "what is tested for even") % 2 == 0;
      case "odd" -> whole(of, "what is tested for odd") % 2 != 0;
      default ->
          throw Fault.of(
              "no test '%s'; there are boolean, defined, even, false, integer, iterable, mapping, none, number, odd, sequence, string, true, undefined",
              name);
    };
  }

  /** Without characters of a set, or white space, at its ends. */
  private static String stripped(String s, Object set, boolean left, boolean right) {
    String chars = set == null ? null : string(set, "what is stripped");
    int from = 0, to = s.length();
    while (left && from < to && strips(s.codePointAt(from), chars))
      from += Character.charCount(s.codePointAt(from));
    while (right && from < to && strips(s.codePointBefore(to), chars))
      to -= Character.charCount(s.codePointBefore(to));
    return s.substring(from, to);
  }

  private static boolean strips(int c, String chars) {
    return chars == null ? Values.isSpace(c) : chars.indexOf(c) >= 0;
  }

  private static String titled(String s) {
    var text = new StringBuilder();
    boolean starts = true;
    for (int c : s.codePoints().toArray()) {
      text.appendCodePoint(starts ? Character.toTitleCase(c) : Character.toLowerCase(c));
      starts = !Character.isLetter(c);
    }
    return text.toString();
  }

  private static String replaced(String s, Arguments a) {
    String old = string(a.or(0, null), "what is replaced"),
        by = string(a.or(1, null), "what replaces");
    if (old.isEmpty()) throw new Fault("an empty text is replaced");
    long found = 0;
    for (int i = s.indexOf(old); i >= 0; i = s.indexOf(old, i + old.length())) found++;
    if (s.length() + found * by.length() > Values.MOST_CHARACTERS)
      throw new Fault("a text grows too long");
    return s.replace(old, by);
  }

  private static List<Object> split(String s, Arguments a) {
    int most = a.inOrder.size() > 1 ? whole(a.or(1, null), "split's") : -1;
    var parts = new ArrayList<Object>();
    if (a.or(0, null) == null) {
      if (most >= 0) throw new Fault("split is given more than Seekr knows of");
      for (String part : s.split("[\\s\\x1c-\\x1f\\x85\\p{Z}]+"))
        if (!part.isEmpty()) parts.add(part);
      return bounded(parts);
    }
    String by = string(a.or(0, null), "split's");
    if (by.isEmpty()) throw new Fault("a text is split by an empty one");
    int from = 0;
    for (int i; (i = s.indexOf(by, from)) >= 0 && parts.size() != most; from = i + by.length())
      parts.add(s.substring(from, i));
    parts.add(s.substring(from));
    return bounded(parts);
  }

  private static String joined(Object list, String between) {
    var text = new StringJoiner(between);
    for (Object item : Values.items(list)) {
      text.add(text(item));
      if (text.length() > Values.MOST_CHARACTERS) throw new Fault("a text grows too long");
    }
    return text.toString();
  }

  private static Long length(Object of) {
    return switch (of) {
      case String s -> (long) s.codePointCount(0, s.length());
      case List<?> list -> (long) list.size();
      case Map<?, ?> map -> (long) map.size();
      case Values.Undefined _ -> 0L;
      case null, default -> throw Fault.of("the length of %s", kind(of));
    };
  }

  private static Long integer(Object of) {
    try {
      return of instanceof Number n ? n.longValue() : Long.parseLong(text(of).strip());
    } catch (NumberFormatException e) {
      return 0L;
    }
  }

  /** As Python's json writes it, without escapes for what is not ASCII. */
  private static void json(Object value, StringBuilder out) {
    if (out.length() > Values.MOST_CHARACTERS) throw new Fault("a text grows too long");
    switch (value) {
      case null -> out.append("null");
      case Boolean b -> out.append(b);
      case Number n -> out.append(n);
      case String s -> quoted(s, out);
      case List<?> list -> {
        String between = "[";
        for (Object item : list) {
          out.append(between);
          json(item, out);
          between = ", ";
        }
        out.append(list.isEmpty() ? "[]" : "]");
      }
      case Map<?, ?> map -> {
        String between = "{";
        for (var e : map.entrySet()) {
          quoted(string(e.getKey(), "a key"), out.append(between));
          json(e.getValue(), out.append(": "));
          between = ", ";
        }
        out.append(map.isEmpty() ? "{}" : "}");
      }
      default -> throw Fault.of("tojson of %s", kind(value));
    }
  }

  private static void quoted(String s, StringBuilder out) {
    out.append('"');
    for (char c : s.toCharArray()) {
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '\b' -> out.append("\\b");
        case '\f' -> out.append("\\f");
        default -> out.append(c < 0x20 ? "\\u%04x".formatted((int) c) : String.valueOf(c));
      }
    }
    out.append('"');
  }
}
