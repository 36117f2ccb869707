package dev.seekr.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * A regular expression as a tree, of which only the shape matters: where it may go on and where it
 * may fail. Knows the part of Oniguruma's syntax that takes its way through a text forward alone:
 * no back references, no calls of groups, no conditions.
 */
sealed interface Regex {
  /** No upper bound of repetitions. */
  int MANY = Integer.MAX_VALUE;

  /** One character: itself, an escape or a class, as it is written. */
  record One(String text) implements Regex {}

  /** A place between characters, as {@code $}. */
  record Point(String text) implements Regex {}

  /** A look ahead or behind, which takes nothing. */
  record Look(String text, Regex body) implements Regex {}

  /** Alternatives; {@code atomic}: what has matched once is not tried again. */
  record Group(List<Sequence> alternatives, boolean atomic) implements Regex {}

  record Sequence(List<Regex> parts) implements Regex {}

  record Repeat(Regex body, int min, int max, Mode mode) implements Regex {}

  /**
   * Which number of repetitions comes first: as many as there are, as few as will do, or as many as
   * there are and no other.
   */
  enum Mode {
    GREEDY,
    LAZY,
    POSSESSIVE
  }

  /** A pattern that is not of the part of the syntax that is known; the message says why. */
  final class Unknown extends Exception {
    Unknown(String message) {
      super(message);
    }
  }

  /** Throws Unknown also for what the library would refuse. */
  static Group parse(String pattern) throws Unknown {
    var parser = new Parser(pattern);
    // "(?i)" alone, which holds for all that follows.
    parser.take("(?i)");
    Group whole = parser.alternatives(false, 0);
    if (parser.at < pattern.length()) throw parser.unknown(")");
    return whole;
  }

  /** Whether nothing at all can match. */
  static boolean matchesNothing(Regex regex) {
    return switch (regex) {
      case One _ -> false;
      case Point _, Look _ -> true;
      case Group g -> g.alternatives.stream().anyMatch(Regex::matchesNothing);
      case Sequence s -> s.parts.stream().allMatch(Regex::matchesNothing);
      case Repeat r -> r.min == 0 || matchesNothing(r.body);
    };
  }

  /** Recursive descent; {@code at} is the next character to read. */
  final class Parser {
    private static final int DEEPEST = 20;
    private static final int MOST_REPEATS = 1000;

    /** How escapes go on that are longer than one letter. */
    private static final Map<Character, Pattern> NAMED =
        Map.of(
            'p', Pattern.compile("\\{\\^?[A-Za-z0-9_]+}"),
            'P', Pattern.compile("\\{\\^?[A-Za-z0-9_]+}"),
            'x', Pattern.compile("\\{[0-9a-fA-F]{1,8}}|[0-9a-fA-F]{2}"),
            'u', Pattern.compile("[0-9a-fA-F]{4}"));

    private final String pattern;
    private int at;

    private Parser(String pattern) {
      this.pattern = pattern;
    }

    private Unknown unknown(String what) {
      return new Unknown("%s at character %d is not known".formatted(what, at + 1));
    }

    private boolean take(String text) {
      if (!pattern.startsWith(text, at)) return false;
      at += text.length();
      return true;
    }

    private boolean more() {
      return at < pattern.length() && pattern.charAt(at) != '|' && pattern.charAt(at) != ')';
    }

    private Group alternatives(boolean atomic, int depth) throws Unknown {
      if (depth > DEEPEST) throw unknown("a group this deep");
      var all = new ArrayList<Sequence>();
      do {
        var parts = new ArrayList<Regex>();
        while (more()) parts.add(repeated(depth));
        all.add(new Sequence(List.copyOf(parts)));
      } while (take("|"));
      return new Group(List.copyOf(all), atomic);
    }

    private Regex repeated(int depth) throws Unknown {
      Regex body = single(depth);
      while (more()) {
        int min, max;
        boolean interval = false;
        if (take("?")) {
          min = 0;
          max = 1;
        } else if (take("*")) {
          min = 0;
          max = MANY;
        } else if (take("+")) {
          min = 1;
          max = MANY;
        } else if (take("{")) {
          interval = true;
          boolean open = pattern.startsWith(",", at);
          min = open ? 0 : number();
          max = take(",") ? (pattern.startsWith("}", at) && !open ? MANY : number()) : min;
          if (!take("}") || min > max) throw unknown("this interval");
        } else {
          break;
        }
        if (!(body instanceof One || body instanceof Group || body instanceof Repeat))
          throw unknown("repeating what takes nothing");
        Mode mode = Mode.GREEDY;
        if (interval) {
          // What a + adds is one more repetition.
          if (pattern.startsWith("?", at)) throw unknown("? after an interval");
        } else if (take("+")) {
          mode = Mode.POSSESSIVE;
        } else if (take("?")) {
          mode = Mode.LAZY;
        }
        body = new Repeat(body, min, max, mode);
      }
      return body;
    }

    private int number() throws Unknown {
      int from = at;
      while (at < pattern.length() && Character.digit(pattern.charAt(at), 10) >= 0) at++;
      if (at == from || at - from > 4) throw unknown("this interval");
      int n = Integer.parseInt(pattern.substring(from, at));
      if (n > MOST_REPEATS) throw unknown("an interval above " + MOST_REPEATS);
      return n;
    }

    private Regex single(int depth) throws Unknown {
      int from = at;
      char c = pattern.charAt(at);
      switch (c) {
        case '(' -> {
          return group(depth);
        }
        case '[' -> charClass();
        case '\\' -> escape();
        case '?', '*', '+', '{' -> throw unknown("" + c);
        default -> at += Character.charCount(pattern.codePointAt(at));
      }
      String text = pattern.substring(from, at);
      return switch (text) {
        case "^", "$", "\\b", "\\B", "\\A", "\\z", "\\Z" -> new Point(text);
        default -> new One(text);
      };
    }

    private Regex group(int depth) throws Unknown {
      int from = at;
      for (String look : List.of("(?=", "(?!")) {
        if (take(look)) return new Look(look, closed(false, depth, from));
      }
      for (String look : List.of("(?<=", "(?<!")) {
        if (!take(look)) continue;
        Group body = closed(false, depth, from);
        if (isFixed(body)) return new Look(look, body);
        // It would be tried from each place before.
        at = from;
        throw unknown("a look behind of more than single characters");
      }
      if (take("(?>")) return closed(true, depth, from);
      if (take("(?:") || take("(?i:")) return closed(false, depth, from);
      if (pattern.startsWith("(?", at) || pattern.startsWith("(*", at)) throw unknown("this group");
      at++;
      return closed(false, depth, from);
    }

    private static boolean isFixed(Regex regex) {
      return switch (regex) {
        case One _, Point _ -> true;
        case Group g -> g.alternatives().stream().allMatch(Parser::isFixed);
        case Sequence s -> s.parts().stream().allMatch(Parser::isFixed);
        case Look _, Repeat _ -> false;
      };
    }

    private Group closed(boolean atomic, int depth, int from) throws Unknown {
      Group group = alternatives(atomic, depth + 1);
      if (take(")")) return group;
      at = from;
      throw unknown("a group without its )");
    }

    /** Ends behind the bracket that closes the one at hand. */
    private void charClass() throws Unknown {
      int from = at, open = 0;
      do {
        if (at >= pattern.length()) {
          at = from;
          throw unknown("a class without its ]");
        }
        switch (pattern.charAt(at)) {
          case '[' -> {
            open++;
            at++;
            take("^");
            // Whether it closes or stands for itself depends on what follows.
            if (pattern.startsWith("]", at)) throw unknown("] at the start of a class");
          }
          case ']' -> {
            open--;
            at++;
          }
          case '\\' -> escape();
          default -> at++;
        }
      } while (open > 0);
    }

    /** Those of one character and of the points; others call, refer back or take several. */
    private void escape() throws Unknown {
      if (at + 1 >= pattern.length()) throw unknown("\\");
      char c = pattern.charAt(at + 1);
      boolean letter = c < 0x80 && Character.isLetterOrDigit(c);
      if (letter && "sSdDwWhHnrtfvabBAzZpPxu".indexOf(c) < 0) throw unknown("\\" + c);
      Pattern form = NAMED.get(c);
      if (form == null) {
        at += 1 + Character.charCount(pattern.codePointAt(at + 1));
        return;
      }
      var name = form.matcher(pattern).region(at + 2, pattern.length());
      if (!name.lookingAt()) throw unknown("\\" + c);
      at = name.end();
    }
  }
}
