package dev.seekr.page;

import java.util.Locale;

/** Text of HTML and SVG; the two are escaped alike. */
final class Markup {
  private final StringBuilder text = new StringBuilder();

  /** A whole element without children: names and values of its attributes in turn. */
  Markup empty(String name, Object... attributes) {
    return tag(name, "/>", attributes);
  }

  Markup open(String name, Object... attributes) {
    return tag(name, ">", attributes);
  }

  private Markup tag(String name, String end, Object... attributes) {
    text.append('<').append(name);
    for (int i = 0; i < attributes.length; i += 2) {
      if (attributes[i + 1] == null) continue;
      text.append(' ').append(attributes[i]).append("=\"");
      text.append(escape(value(attributes[i + 1]))).append('"');
    }
    text.append(end);
    return this;
  }

  Markup close(String name) {
    text.append("</").append(name).append('>');
    return this;
  }

  /** An element that holds a text. */
  Markup element(String name, String content, Object... attributes) {
    return open(name, attributes).text(content).close(name);
  }

  Markup text(String content) {
    text.append(escape(content));
    return this;
  }

  /** What is markup already. */
  Markup raw(Object markup) {
    text.append(markup);
    return this;
  }

  /** Coordinates in tenths, which is finer than a screen. */
  private static String value(Object value) {
    if (!(value instanceof Double d)) return value.toString();
    String tenths = String.format(Locale.ROOT, "%.1f", d);
    return tenths.endsWith(".0") ? tenths.substring(0, tenths.length() - 2) : tenths;
  }

  /** Characters that mean something, and control characters, which XML forbids. */
  static String escape(String content) {
    var escaped = new StringBuilder(content.length());
    for (int i = 0; i < content.length(); i++) {
      char c = content.charAt(i);
      switch (c) {
        case '&' -> escaped.append("&amp;");
        case '<' -> escaped.append("&lt;");
        case '>' -> escaped.append("&gt;");
        case '"' -> escaped.append("&quot;");
        case '\'' -> escaped.append("&#39;");
        case '\n', '\t', '\r' -> escaped.append(c);
        default -> escaped.append(c < ' ' || c == 0x7F ? '\uFFFD' : c);
      }
    }
    return escaped.toString();
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
