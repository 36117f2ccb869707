package dev.seekr.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What templates compute with, and Python's rules for it: String, Long, Double, Boolean, null
 * (None), List, Map, and {@link Undefined}.
 */
final class Values {
  /** No text may become longer, and no list. */
  static final int MOST_CHARACTERS = 1 << 24, MOST_ITEMS = 1 << 16;

  /** A name that stands for nothing; it is false, prints nothing, and may not be computed with. */
  record Undefined(String name) {}

  private Values() {}

  static boolean isSpace(int c) {
    return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85;
  }

  static boolean truth(Object value) {
    return switch (value) {
      case null -> false;
      case Undefined _ -> false;
      case Boolean b -> b;
      case Long n -> n != 0;
      case Double n -> n != 0;
      case String s -> !s.isEmpty();
      case List<?> list -> !list.isEmpty();
      case Map<?, ?> map -> !map.isEmpty();
      case Functions.Namespace _ -> true;
      default -> throw new IllegalStateException(value.getClass().getName());
    };
  }

  /** As it is printed. */
  static String text(Object value) {
    return switch (value) {
      case null -> "None";
      case Undefined _ -> "";
      case Boolean b -> b ? "True" : "False";
      case String s -> s;
      case Long n -> n.toString();
      case Double n -> n.toString();
      default -> throw Fault.of("%s is printed; expected a text", kind(value));
    };
  }

  static String string(Object value, String what) {
    if (value instanceof String s) return s;
    throw Fault.of("%s is %s; expected a text", what, kind(value));
  }

  static int whole(Object value, String what) {
    if (value instanceof Long n && n == n.intValue()) return n.intValue();
    throw Fault.of("%s is %s; expected a whole number", what, kind(value));
  }

  static String kind(Object value) {
    return switch (value) {
      case null -> "none";
      case Undefined u -> "undefined '" + u.name + "'";
      case Boolean _ -> "true or false";
      case Long _, Double _ -> "a number";
      case String _ -> "a text";
      case List<?> _ -> "a list";
      case Functions.Namespace _ -> "a namespace";
      default -> "a mapping";
    };
  }

  static boolean equal(Object a, Object b) {
    return equal(a, b, new int[1]);
  }

  /** {@code compared}: values so far, of which there may be many where lists hold lists twice. */
  private static boolean equal(Object a, Object b, int[] compared) {
    if (++compared[0] > MOST_ITEMS) throw new Fault("lists too long are compared");
    Object x = a instanceof Boolean p ? (Object) (p ? 1L : 0L) : a;
    Object y = b instanceof Boolean p ? (Object) (p ? 1L : 0L) : b;
    if (x instanceof Number m && y instanceof Number n) return m.doubleValue() == n.doubleValue();
    if (x instanceof Undefined || y instanceof Undefined)
      return x instanceof Undefined && y instanceof Undefined;
    if (x instanceof List<?> s && y instanceof List<?> t) {
      boolean same = s.size() == t.size();
      for (int i = 0; same && i < s.size(); i++) same = equal(s.get(i), t.get(i), compared);
      return same;
    }
    if (x instanceof Map<?, ?> s && y instanceof Map<?, ?> t) {
      boolean same = s.keySet().equals(t.keySet());
      for (Object key : same ? s.keySet() : List.of())
        same = same && equal(s.get(key), t.get(key), compared);
      return same;
    }
    return Objects.equals(x, y);
  }

  /** What a mapping may have as a key, and be asked for. */
  static Object key(Object value) {
    if (value instanceof List || value instanceof Map)
      throw Fault.of("%s is a key; expected a text or a number", kind(value));
    return value;
  }

  static int compare(Object a, Object b) {
    if (a instanceof Number m && b instanceof Number n)
      return Double.compare(m.doubleValue(), n.doubleValue());
    if (a instanceof String s && b instanceof String t) return s.compareTo(t);
    throw Fault.of("%s is compared with %s", kind(a), kind(b));
  }

  static boolean contains(Object whole, Object part) {
    return switch (whole) {
      case String s -> s.contains(string(part, "what is looked for in a text"));
      case List<?> list -> list.stream().anyMatch(item -> equal(item, part));
      case Map<?, ?> map -> map.containsKey(key(part));
      case null, default -> throw Fault.of("'in' looks into %s", kind(whole));
    };
  }

  static Object arithmetic(String operator, Object a, Object b) {
    if (operator.equals("+") && a instanceof String s && b instanceof String t)
      return bounded(s, t);
    if (operator.equals("+") && a instanceof List<?> s && b instanceof List<?> t) {
      var all = new ArrayList<Object>(s);
      all.addAll(t);
      return bounded(all);
    }
    if (!(a instanceof Number m) || !(b instanceof Number n))
      throw Fault.of("%s %s %s", kind(a), operator, kind(b));
    boolean divides = List.of("/", "//", "%").contains(operator);
    if (divides && n.doubleValue() == 0) throw new Fault("a division by 0");
    if (a instanceof Long x && b instanceof Long y && !operator.equals("/")) {
      try {
        return switch (operator) {
          case "+" -> Math.addExact(x, y);
          case "-" -> Math.subtractExact(x, y);
          case "*" -> Math.multiplyExact(x, y);
          case "//" -> Math.floorDiv(x, y);
          default -> Math.floorMod(x, y);
        };
      } catch (ArithmeticException e) {
        throw new Fault("a number that is too large");
      }
    }
    double x = m.doubleValue(), y = n.doubleValue();
    return switch (operator) {
      case "+" -> x + y;
      case "-" -> x - y;
      case "*" -> x * y;
      case "/" -> x / y;
      case "//" -> Math.floor(x / y);
      default -> x - y * Math.floor(x / y);
    };
  }

  static String bounded(String a, String b) {
    if ((long) a.length() + b.length() > MOST_CHARACTERS) throw new Fault("a text grows too long");
    return a + b;
  }

  static String bounded(String text) {
    return bounded(text, "");
  }

  static <T> List<T> bounded(List<T> list) {
    if (list.size() > MOST_ITEMS) throw new Fault("a list grows too long");
    return list;
  }

  /** {@code value[key]}; a name after a dot is such a key, and nothing else. */
  static Object item(Object value, Object key) {
    switch (value) {
      case Map<?, ?> map when map.containsKey(key(key)) -> {
        return map.get(key);
      }
      case Functions.Namespace namespace when namespace.fields.containsKey(key) -> {
        return namespace.fields.get(key);
      }
      case List<?> list when key instanceof Long n -> {
        long i = n < 0 ? n + list.size() : n;
        if (i >= 0 && i < list.size()) return list.get((int) i);
      }
      case String s when key instanceof Long n -> {
        int length = s.codePointCount(0, s.length());
        long i = n < 0 ? n + length : n;
        if (i >= 0 && i < length)
          return Character.toString(s.codePointAt(s.offsetByCodePoints(0, (int) i)));
      }
      case Undefined _ -> throw Fault.of("%s is asked for '%s'", kind(value), key);
      case null, default -> {}
    }
    return new Undefined(key instanceof String s ? s : kind(key));
  }

  /** {@code value[from:to:step]}; null where one is left out. */
  static Object slice(Object value, Object from, Object to, Object by) {
    int step = by == null ? 1 : whole(by, "the step of a slice");
    if (step == 0) throw new Fault("a slice of step 0");
    List<Object> items = new ArrayList<>();
    if (value instanceof List<?> list) items.addAll(list);
    else if (value instanceof String s)
      s.codePoints().forEach(c -> items.add(Character.toString(c)));
    else throw Fault.of("a slice of %s", kind(value));
    int n = items.size();
    int first = bound(from, n, step > 0 ? 0 : n - 1, step),
        last = bound(to, n, step > 0 ? n : -1, step);
    var taken = new ArrayList<Object>();
    for (long i = first; step > 0 ? i < last : i > last; i += step) taken.add(items.get((int) i));
    if (value instanceof List<?>) return taken;
    return String.join("", taken.stream().map(Values::text).toList());
  }

  private static int bound(Object given, int n, int otherwise, int step) {
    if (given == null) return otherwise;
    int i = whole(given, "the bound of a slice");
    if (i < 0) i += n;
    return step > 0 ? Math.clamp(i, 0, n) : Math.clamp(i, -1, n - 1);
  }

  /** What a loop goes through: items, keys or characters. */
  static List<?> items(Object value) {
    return switch (value) {
      case List<?> list -> list;
      case Map<?, ?> map -> new ArrayList<Object>(map.keySet());
      case String s -> bounded(s.codePoints().mapToObj(Character::toString).toList());
      case Undefined _ -> List.of();
      case null, default -> throw Fault.of("a loop over %s", kind(value));
    };
  }
}
