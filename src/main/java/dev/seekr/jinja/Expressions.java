package dev.seekr.jinja;

import dev.seekr.jinja.Functions.Arguments;
import dev.seekr.jinja.Lexer.Kind;
import dev.seekr.jinja.Lexer.Token;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Reads expressions, by Jinja's grammar, into what computes them. */
class Expressions {
  /** An expression as it is read; {@link #of} gives its value. */
  interface Expression {
    Object of(Frame frame);
  }

  /** Nested deeper than any template is. */
  private static final int DEEPEST = 100;

  /** Characters that can be compared while an item is. */
  private static final int ITEM = 16;

  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

  private final List<Token> tokens;
  private int at, depth;

  Expressions(List<Token> tokens) {
    this.tokens = tokens;
  }

  final Token peek() {
    return tokens.get(at);
  }

  final Token take() {
    return tokens.get(at++);
  }

  final boolean skip(Kind kind, String text) {
    boolean is = peek().is(kind, text);
    if (is) at++;
    return is;
  }

  private boolean symbol(String text) {
    return skip(Kind.SYMBOL, text);
  }

  final boolean word(String text) {
    return skip(Kind.NAME, text);
  }

  final void require(String symbol) {
    if (!symbol(symbol)) throw Fault.of("expected '%s', found '%s'", symbol, peek().text());
  }

  final String name() {
    if (peek().kind() != Kind.NAME) throw Fault.of("expected a name, found '%s'", peek().text());
    return take().text();
  }

  final void deeper() {
    if (++depth > DEEPEST) throw new Fault("it is nested too deep");
  }

  final void back() {
    depth--;
  }

  /** {@code a if b else c}, and all that binds closer. */
  final Expression expression() {
    deeper();
    Expression value = or();
    while (word("if")) {
      Expression condition = or(), then = value;
      Expression otherwise = word("else") ? expression() : _ -> new Values.Undefined("else");
      value = f -> Values.truth(condition.of(f)) ? then.of(f) : otherwise.of(f);
    }
    back();
    return stepping(value);
  }

  private static Expression stepping(Expression e) {
    return f -> {
      f.step();
      return e.of(f);
    };
  }

  private Expression or() {
    Expression left = and();
    while (word("or")) {
      Expression a = left, b = and();
      left =
          f -> {
            Object value = a.of(f);
            return Values.truth(value) ? value : b.of(f);
          };
    }
    return left;
  }

  private Expression and() {
    Expression left = not();
    while (word("and")) {
      Expression a = left, b = not();
      left =
          f -> {
            Object value = a.of(f);
            return Values.truth(value) ? b.of(f) : value;
          };
    }
    return left;
  }

  private Expression not() {
    if (!word("not")) return comparison();
    deeper();
    Expression e = not();
    back();
    return f -> !Values.truth(e.of(f));
  }

  /** {@code a < b < c} holds where both do. */
  private Expression comparison() {
    Expression first = sum();
    var operators = new ArrayList<String>();
    var others = new ArrayList<Expression>();
    while (true) {
      Token t = peek();
      if (t.kind() == Kind.SYMBOL && COMPARISONS.contains(t.text())) operators.add(take().text());
      else if (word("in")) operators.add("in");
      else if (t.is(Kind.NAME, "not") && tokens.get(at + 1).is(Kind.NAME, "in")) {
        at += 2;
        operators.add("not in");
      } else break;
      others.add(sum());
    }
    if (others.isEmpty()) return first;
    return f -> {
      Object left = first.of(f);
      for (int i = 0; i < others.size(); i++) {
        Object right = f.counted(others.get(i).of(f), ITEM);
        if (!holds(operators.get(i), left, right)) return false;
        left = right;
      }
      return true;
    };
  }

  private static boolean holds(String operator, Object a, Object b) {
    return switch (operator) {
      case "==" -> Values.equal(a, b);
      case "!=" -> !Values.equal(a, b);
      case "<" -> Values.compare(a, b) < 0;
      case "<=" -> Values.compare(a, b) <= 0;
      case ">" -> Values.compare(a, b) > 0;
      case ">=" -> Values.compare(a, b) >= 0;
      case "in" -> Values.contains(b, a);
      default -> !Values.contains(b, a);
    };
  }

  private Expression sum() {
    Expression left = joined();
    while (peek().is(Kind.SYMBOL, "+") || peek().is(Kind.SYMBOL, "-")) {
      String operator = take().text();
      Expression a = left, b = joined();
      left = f -> f.counted(Values.arithmetic(operator, a.of(f), b.of(f)));
    }
    return left;
  }

  /** {@code ~} makes texts of both sides. */
  private Expression joined() {
    Expression left = product();
    while (symbol("~")) {
      Expression a = left, b = product();
      left = f -> f.counted(Values.bounded(Values.text(a.of(f)), Values.text(b.of(f))));
    }
    return left;
  }

  private Expression product() {
    Expression left = unary(true);
    while (peek().kind() == Kind.SYMBOL && List.of("*", "/", "//", "%").contains(peek().text())) {
      String operator = take().text();
      Expression a = left, b = unary(true);
      left = f -> f.counted(Values.arithmetic(operator, a.of(f), b.of(f)));
    }
    return left;
  }

  private Expression unary(boolean filtered) {
    Expression value;
    if (symbol("-")) {
      deeper();
      Expression e = unary(false);
      back();
      value = f -> Values.arithmetic("-", 0L, e.of(f));
    } else {
      value = postfix(primary());
    }
    return filtered ? filters(value) : value;
  }

  private Expression primary() {
    Token t = take();
    return switch (t.kind()) {
      case STRING -> {
        var text = new StringBuilder(t.text());
        while (peek().kind() == Kind.STRING) text.append(take().text());
        String whole = text.toString();
        yield f -> f.counted(whole);
      }
      case INTEGER -> {
        long number = integer(t.text());
        yield _ -> number;
      }
      case FLOAT -> {
        double number = Double.parseDouble(t.text());
        yield _ -> number;
      }
      case NAME -> named(t.text());
      case SYMBOL -> bracketed(t);
      default -> throw Fault.of("expected a value, found %s", t.text());
    };
  }

  private static long integer(String digits) {
    try {
      return Long.parseLong(digits);
    } catch (NumberFormatException e) {
      throw new Fault("a number that is too large");
    }
  }

  private Expression named(String name) {
    switch (name) {
      case "true", "True" -> {
        return _ -> true;
      }
      case "false", "False" -> {
        return _ -> false;
      }
      case "none", "None" -> {
        return _ -> null;
      }
      default -> {
        if (!symbol("(")) return f -> f.get(name);
        Call arguments = call();
        return f -> f.counted(Functions.call(name, arguments.of(f)));
      }
    }
  }

  private Expression bracketed(Token open) {
    switch (open.text()) {
      case "(" -> {
        Expression first = expression();
        if (!peek().is(Kind.SYMBOL, ",")) {
          require(")");
          return first;
        }
        var items = new ArrayList<>(List.of(first));
        while (symbol(",")) if (!peek().is(Kind.SYMBOL, ")")) items.add(expression());
        require(")");
        return list(items);
      }
      case "[" -> {
        var items = new ArrayList<Expression>();
        while (!peek().is(Kind.SYMBOL, "]")) {
          items.add(expression());
          if (!symbol(",")) break;
        }
        require("]");
        return list(items);
      }
      case "{" -> {
        var entries = new LinkedHashMap<Expression, Expression>();
        while (!peek().is(Kind.SYMBOL, "}")) {
          Expression key = expression();
          require(":");
          entries.put(key, expression());
          if (!symbol(",")) break;
        }
        require("}");
        return f -> {
          var map = new LinkedHashMap<Object, Object>();
          entries.forEach((key, value) -> map.put(Values.key(key.of(f)), value.of(f)));
          return map;
        };
      }
      default -> throw Fault.of("expected a value, found '%s'", open.text());
    }
  }

  private static Expression list(List<Expression> items) {
    return f -> {
      var list = new ArrayList<Object>();
      for (Expression item : items) list.add(item.of(f));
      return list;
    };
  }

  /** What stands between the parentheses of a call. */
  private record Call(List<Expression> inOrder, Map<String, Expression> named) {
    Arguments of(Frame f) {
      var values = new LinkedHashMap<String, Object>();
      named.forEach((name, e) -> values.put(name, e.of(f)));
      var list = new ArrayList<Object>();
      for (Expression e : inOrder) list.add(f.counted(e.of(f)));
      return new Arguments(list, values);
    }
  }

  /** After the opening parenthesis. */
  private Call call() {
    var call = new Call(new ArrayList<>(), new LinkedHashMap<>());
    while (!peek().is(Kind.SYMBOL, ")")) {
      boolean named = peek().kind() == Kind.NAME && tokens.get(at + 1).is(Kind.SYMBOL, "=");
      String name = named ? take().text() : null;
      if (named) take();
      if (named) call.named.put(name, expression());
      else call.inOrder.add(expression());
      if (!symbol(",")) break;
    }
    require(")");
    return call;
  }

  private Expression postfix(Expression value) {
    while (true) {
      Expression of = value;
      if (symbol(".")) {
        String name = peek().kind() == Kind.INTEGER ? take().text() : name();
        if (symbol("(")) {
          Call arguments = call();
          value = f -> f.counted(Functions.method(of.of(f), name, arguments.of(f)));
        } else {
          value = f -> f.found(Values.item(of.of(f), name));
        }
      } else if (symbol("[")) {
        value = subscript(of);
      } else if (peek().is(Kind.SYMBOL, "(")) {
        throw new Fault("what is called has no name");
      } else {
        return value;
      }
    }
  }

  private Expression subscript(Expression of) {
    var parts = new Expression[3];
    int n = 0;
    boolean slice = false;
    while (true) {
      if (!peek().is(Kind.SYMBOL, ":") && !peek().is(Kind.SYMBOL, "]")) parts[n] = expression();
      if (n == 2 || !symbol(":")) break;
      slice = true;
      n++;
    }
    require("]");
    if (!slice) {
      if (parts[0] == null) throw new Fault("expected what is asked for between [ and ]");
      return f -> f.found(Values.item(of.of(f), parts[0].of(f)));
    }
    return f ->
        f.counted(
            Values.slice(
                f.counted(of.of(f)), value(parts[0], f), value(parts[1], f), value(parts[2], f)));
  }

  private static Object value(Expression e, Frame f) {
    return e == null ? null : e.of(f);
  }

  /** {@code | filter} and {@code is test}. */
  private Expression filters(Expression value) {
    while (true) {
      Expression of = value;
      if (symbol("|")) {
        String name = name();
        Call arguments = symbol("(") ? call() : new Call(List.of(), Map.of());
        value = f -> f.counted(Functions.filter(f.counted(of.of(f)), name, arguments.of(f)));
      } else if (word("is")) {
        boolean negated = word("not");
        String name = name();
        value = f -> Functions.test(of.of(f), name) != negated;
      } else {
        return value;
      }
    }
  }
}
