package dev.seekr.jinja;

import dev.seekr.jinja.Lexer.Kind;
import dev.seekr.jinja.Lexer.Token;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Reads text and statements into what prints them. */
final class Statements extends Expressions {
  /** A part of a template as it is read. */
  interface Statement {
    void run(Frame frame, StringBuilder out);
  }

  private static final Set<String> ENDS =
      Set.of("elif", "else", "endif", "endfor", "endset", "endgeneration");

  private int line = 1;

  private Statements(List<Token> tokens) {
    super(tokens);
  }

  /** Faults begin with their line, those of running included. */
  static Statement read(String source) {
    var statements = new Statements(Lexer.tokens(source));
    try {
      Statement all = statements.body();
      if (statements.peek().kind() != Kind.END)
        throw Fault.of("'%s' without its beginning", statements.peek().text());
      return all;
    } catch (Fault fault) {
      throw new Fault(statements.line + ": " + fault.getMessage());
    }
  }

  /** Up to the end, or to the name of a tag that ends or divides a block. */
  private Statement body() {
    deeper();
    var parts = new ArrayList<Statement>();
    while (peek().kind() != Kind.END
        && !(peek().kind() == Kind.NAME && ENDS.contains(peek().text()))) part(parts);
    back();
    return (frame, out) -> parts.forEach(p -> p.run(frame, out));
  }

  private void part(List<Statement> parts) {
    Token t = take();
    line = t.line();
    switch (t.kind()) {
      case TEXT -> parts.add((_, out) -> append(out, t.text()));
      case PRINT -> {
        Expression value = expression();
        end(Kind.END_PRINT);
        parts.add(placed(t.line(), (f, out) -> append(out, Values.text(value.of(f)))));
      }
      case TAG -> {
        if (peek().kind() == Kind.NAME && ENDS.contains(peek().text())) return;
        parts.add(placed(t.line(), tag()));
      }
      default -> throw Fault.of("expected a tag, found '%s'", t.text());
    }
  }

  private static void append(StringBuilder out, String text) {
    if (out.length() + text.length() > Values.MOST_CHARACTERS)
      throw new Fault("it prints too much");
    out.append(text);
  }

  /** A fault that has no line yet gets this one. */
  private static Statement placed(int line, Statement statement) {
    return (frame, out) -> {
      frame.step();
      try {
        statement.run(frame, out);
      } catch (Fault fault) {
        boolean has = fault.getMessage().matches("(?s)\\d+: .*");
        throw has ? fault : new Fault(line + ": " + fault.getMessage());
      }
    };
  }

  private void end(Kind kind) {
    if (take().kind() != kind) throw Fault.of("expected the end of the tag");
  }

  private Statement tag() {
    String name = name();
    return switch (name) {
      case "if" -> condition();
      case "for" -> loop();
      case "set" -> assignment();
      // What transformers marks as said by the assistant; it prints as it is.
      case "generation" -> block("endgeneration");
      default -> throw Fault.of("no statement '%s'; there are for, generation, if and set", name);
    };
  }

  private Statement block(String ends) {
    end(Kind.END_TAG);
    Statement body = body();
    if (!word(ends)) throw Fault.of("expected '%s', found '%s'", ends, peek().text());
    end(Kind.END_TAG);
    return body;
  }

  private Statement condition() {
    Expression condition = expression();
    end(Kind.END_TAG);
    Statement then = body(), otherwise = (_, _) -> {};
    if (word("elif")) {
      deeper();
      otherwise = condition();
      back();
    } else if (word("else")) {
      otherwise = block("endif");
    } else {
      if (!word("endif")) throw Fault.of("expected 'endif', found '%s'", peek().text());
      end(Kind.END_TAG);
    }
    Statement last = otherwise;
    return (f, out) -> (Values.truth(condition.of(f)) ? then : last).run(f, out);
  }

  private Statement loop() {
    var names = new ArrayList<>(List.of(name()));
    while (skip(Kind.SYMBOL, ",")) names.add(name());
    if (!word("in")) throw Fault.of("expected 'in', found '%s'", peek().text());
    Expression over = expression();
    end(Kind.END_TAG);
    Statement body = body(), otherwise = (_, _) -> {};
    if (word("else")) otherwise = block("endfor");
    else {
      if (!word("endfor")) throw Fault.of("expected 'endfor', found '%s'", peek().text());
      end(Kind.END_TAG);
    }
    Statement last = otherwise;
    return (f, out) -> {
      List<?> items = Values.items(over.of(f));
      if (items.isEmpty()) last.run(f, out);
      for (int i = 0; i < items.size(); i++) {
        f.step();
        Frame inner = f.inner();
        inner.set("loop", position(items, i));
        assign(inner, names, items.get(i));
        body.run(inner, out);
      }
    };
  }

  private static void assign(Frame frame, List<String> names, Object item) {
    if (names.size() == 1) {
      frame.set(names.getFirst(), item);
      return;
    }
    if (!(item instanceof List<?> parts) || parts.size() != names.size())
      throw Fault.of("%s does not divide into %d names", Values.kind(item), names.size());
    for (int i = 0; i < parts.size(); i++) frame.set(names.get(i), parts.get(i));
  }

  private static Map<String, Object> position(List<?> items, int i) {
    var loop = new LinkedHashMap<String, Object>();
    long n = items.size();
    loop.put("index", i + 1L);
    loop.put("index0", (long) i);
    loop.put("revindex", n - i);
    loop.put("revindex0", n - i - 1);
    loop.put("first", i == 0);
    loop.put("last", i == n - 1);
    loop.put("length", n);
    if (i > 0) loop.put("previtem", items.get(i - 1));
    if (i < n - 1) loop.put("nextitem", items.get(i + 1));
    return loop;
  }

  private Statement assignment() {
    String name = name();
    String field = skip(Kind.SYMBOL, ".") ? name() : null;
    if (field == null && peek().kind() == Kind.END_TAG) {
      Statement body = block("endset");
      return (f, out) -> {
        var text = new StringBuilder();
        body.run(f.inner(), text);
        f.set(name, text.toString());
      };
    }
    require("=");
    Expression value = expression();
    end(Kind.END_TAG);
    if (field == null) return (f, _) -> f.set(name, value.of(f));
    return (f, _) -> {
      if (!(f.get(name) instanceof Functions.Namespace namespace))
        throw Fault.of("'%s' is no namespace, whose fields alone can be set", name);
      namespace.fields.put(field, value.of(f));
    };
  }
}
