package dev.seekr.jinja;

import java.util.ArrayList;
import java.util.List;

/**
 * Cuts a template into text and the tokens of its tags. White space is left out as Jinja does with
 * trim_blocks and lstrip_blocks: the line break after a statement, the blanks before one that
 * begins its line, and all of it beside a minus.
 */
final class Lexer {
  enum Kind {
    TEXT,
    /** The beginning and the end of what is printed: {@code {{ }}}. */
    PRINT,
    END_PRINT,
    /** The beginning and the end of a statement: {@code {% %}}. */
    TAG,
    END_TAG,
    NAME,
    STRING,
    INTEGER,
    FLOAT,
    SYMBOL,
    END
  }

  record Token(Kind kind, String text, int line) {
    boolean is(Kind kind, String text) {
      return this.kind == kind && this.text.equals(text);
    }
  }

  /** Longer ones first. */
  private static final List<String> SYMBOLS =
      List.of(
          "//", "**", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=", "(", ")",
          "[", "]", "{", "}", ",", ".", ":", "|");

  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int at, line = 1;
  private boolean lineStarts = true; // whether what was read last ended a line

  private Lexer(String source) {
    String text = source.replace("\r\n", "\n").replace('\r', '\n');
    this.source = text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
  }

  /** All tokens, END last. Faults begin with their line. */
  static List<Token> tokens(String source) {
    var lexer = new Lexer(source);
    try {
      lexer.all();
    } catch (Fault fault) {
      throw new Fault(lexer.line + ": " + fault.getMessage());
    }
    return lexer.tokens;
  }

  private void all() {
    while (at < source.length()) {
      int open = opening();
      text(open);
      if (open == source.length()) break;
      char kind = source.charAt(open + 1);
      skipTo(open + 2);
      if (at < source.length() && "-+".indexOf(source.charAt(at)) >= 0) at++;
      if (kind == '#') {
        int end = source.indexOf("#}", at);
        if (end < 0) throw new Fault("a comment without its end, #}");
        skipTo(end);
        close('#');
      } else {
        add(kind == '{' ? Kind.PRINT : Kind.TAG, "");
        expression(kind == '{' ? '}' : '%');
      }
    }
    add(Kind.END, "the end of the template");
  }

  /** Where the next tag begins, or the end. */
  private int opening() {
    for (int i = at; i + 1 < source.length(); i++)
      if (source.charAt(i) == '{' && "{%#".indexOf(source.charAt(i + 1)) >= 0) return i;
    return source.length();
  }

  /** The text before a tag at {@code end}, as the tag lets it stand. */
  private void text(int end) {
    String text = source.substring(at, end);
    char sign = end + 2 < source.length() ? source.charAt(end + 2) : ' ';
    boolean tag = end < source.length(), prints = tag && source.charAt(end + 1) == '{';
    if (tag && sign == '-') {
      int n = text.length();
      while (n > 0 && Values.isSpace(text.charAt(n - 1))) n--;
      text = text.substring(0, n);
    } else if (tag && !prints && sign != '+') {
      int from = text.lastIndexOf('\n') + 1;
      boolean blank = text.substring(from).chars().allMatch(Values::isSpace);
      if (blank && (from > 0 || lineStarts)) text = text.substring(0, from);
    }
    if (!text.isEmpty()) add(Kind.TEXT, text);
    skipTo(end);
  }

  private void expression(char closing) {
    int braces = 0;
    while (true) {
      while (at < source.length() && Values.isSpace(source.charAt(at))) skipTo(at + 1);
      if (at == source.length()) throw new Fault("a tag without its end, " + closing + "}");
      char c = source.charAt(at);
      boolean signed = (c == '-' || c == '+' && closing == '%');
      if (braces == 0 && source.startsWith(closing + "}", signed ? at + 1 : at)) {
        add(closing == '}' ? Kind.END_PRINT : Kind.END_TAG, "the end of the tag");
        close(closing);
        return;
      }
      if (c == '"' || c == '\'') string(c);
      else if (Character.isDigit(c)) number();
      else if (Character.isLetter(c) || c == '_') word();
      else {
        String symbol =
            SYMBOLS.stream()
                .filter(s -> source.startsWith(s, at))
                .findFirst()
                .orElseThrow(() -> Fault.of("'%s' means nothing here", c));
        if (symbol.equals("{")) braces++;
        if (symbol.equals("}")) braces--;
        add(Kind.SYMBOL, symbol);
        skipTo(at + symbol.length());
      }
    }
  }

  /** The end of a tag, with its sign, and the white space that goes with it. */
  private void close(char closing) {
    char sign = source.charAt(closing == '#' ? at - 1 : at);
    if (closing != '#' && sign != closing) at++;
    int after = at + 2;
    if (sign == '-')
      while (after < source.length() && Values.isSpace(source.charAt(after))) after++;
    else if (closing != '}' && sign != '+' && source.startsWith("\n", after)) after++;
    lineStarts = source.charAt(after - 1) == '\n';
    skipTo(after);
  }

  private void string(char quote) {
    var text = new StringBuilder();
    int i = at + 1;
    for (; i < source.length() && source.charAt(i) != quote; i++) {
      char c = source.charAt(i);
      if (c != '\\' || i + 1 == source.length()) {
        text.append(c);
        continue;
      }
      char escaped = source.charAt(++i);
      int digits = escaped == 'x' ? 2 : escaped == 'u' ? 4 : 0;
      if (digits > 0) {
        text.append(code(i + 1, digits));
        i += digits;
      } else text.append(unescaped(escaped));
    }
    if (i >= source.length()) throw new Fault("a text without its closing " + quote);
    add(Kind.STRING, text.toString());
    skipTo(i + 1);
  }

  private char code(int from, int digits) {
    try {
      char c = (char) Integer.parseInt(source, from, from + digits, 16);
      if (!Character.isSurrogate(c)) return c;
    } catch (NumberFormatException | IndexOutOfBoundsException e) {
      // Told below.
    }
    throw new Fault("an escape that is no code of a character");
  }

  private static String unescaped(char c) {
    return switch (c) {
      case 'n' -> "\n";
      case 't' -> "\t";
      case 'r' -> "\r";
      case 'b' -> "\b";
      case 'f' -> "\f";
      case '\n' -> "";
      case '\\', '\'', '"' -> String.valueOf(c);
      default -> "\\" + c;
    };
  }

  private void number() {
    int end = at;
    while (end < source.length() && Character.isDigit(source.charAt(end))) end++;
    boolean point =
        end + 1 < source.length()
            && source.charAt(end) == '.'
            && Character.isDigit(source.charAt(end + 1));
    if (point) {
      end++;
      while (end < source.length() && Character.isDigit(source.charAt(end))) end++;
    }
    add(point ? Kind.FLOAT : Kind.INTEGER, source.substring(at, end));
    skipTo(end);
  }

  private void word() {
    int end = at;
    while (end < source.length()
        && (Character.isLetterOrDigit(source.charAt(end)) || source.charAt(end) == '_')) end++;
    add(Kind.NAME, source.substring(at, end));
    skipTo(end);
  }

  private void add(Kind kind, String text) {
    tokens.add(new Token(kind, text, line));
  }

  private void skipTo(int to) {
    for (; at < to; at++) if (source.charAt(at) == '\n') line++;
  }
}
