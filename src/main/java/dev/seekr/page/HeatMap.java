package dev.seekr.page;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.DoubleStream;

/**
 * A number of every head as SVG, layers downwards and heads to the right; a shade a tenth of the
 * largest. Selected heads are outlined.
 *
 * @param values [L][NH], from 0 on
 * @param selected [L][NH], null: none are
 * @param cells whether each cell has its number as a title; else each layer has that of its largest
 */
record HeatMap(String title, double[][] values, boolean[][] selected, boolean cells) {
  private static final double TALLEST = 318, CELL = 24;

  private int L() {
    return values.length;
  }

  private int NH() {
    return values[0].length;
  }

  private double largest() {
    return Arrays.stream(values).flatMapToDouble(Arrays::stream).max().orElse(0);
  }

  String svg() {
    double wide = (Axes.W - Axes.LEFT - Axes.RIGHT) / NH();
    double high = Math.min(Math.min(wide, CELL), TALLEST / L());
    double bottom = Axes.TOP + L() * high;
    var out = new Markup();
    out.open("figure", "class", "chart").element("figcaption", title);
    Axes.open(
        out, title + ": layer over head", bottom + Axes.BOTTOM, "head, from 0", "layer, from 0");
    for (double h : Scale.of(indices(NH()), true, 0, 1).ticks()) {
      double x = Axes.LEFT + (h + 0.5) * wide;
      Axes.text(out, Scale.label(h), "tick", x, bottom + 15, "middle");
    }
    for (double l : Scale.of(indices(L()), true, 0, 1).ticks()) {
      double y = Axes.TOP + (l + 0.5) * high + 4;
      Axes.text(out, Scale.label(l), "tick", Axes.LEFT - 5, y, "end");
    }
    String place = "translate(%.0f %.0f) scale(%.3f %.3f)";
    out.open(
        "g",
        "transform",
        String.format(Locale.ROOT, place, Axes.LEFT, Axes.TOP, wide, high),
        "class",
        "cells");
    for (int l = 0; l < L(); l++) layer(out, l);
    if (selected != null) out.empty("path", "class", "mark", "d", marks());
    return out.close("g").close("svg").raw(legend()).close("figure").toString();
  }

  private static DoubleStream indices(int n) {
    return DoubleStream.of(0, n - 1);
  }

  private int shade(int l, int h) {
    return Shades.of(values[l][h] / largest());
  }

  private void layer(Markup out, int l) {
    if (cells) {
      for (int h = 0; h < NH(); h++) {
        out.open("path", "class", "q" + shade(l, h), "d", square(l, h));
        out.element("title", head(l, h)).close("path");
      }
      return;
    }
    int most = 0;
    for (int h = 1; h < NH(); h++) if (values[l][h] > values[l][most]) most = h;
    out.open("g").element("title", "largest of its layer: " + head(l, most));
    for (int q = 0; q < Shades.COUNT; q++) {
      var squares = new StringBuilder();
      for (int h = 0; h < NH(); h++) if (shade(l, h) == q) squares.append(square(l, h));
      if (!squares.isEmpty()) out.empty("path", "class", "q" + q, "d", squares);
    }
    out.close("g");
  }

  private String head(int l, int h) {
    String chosen = selected != null && selected[l][h] ? ", selected" : "";
    return "layer %d, head %d: %s%s".formatted(l, h, number(values[l][h]), chosen);
  }

  private static String square(int l, int h) {
    return "M%d %dh1v1h-1z".formatted(h, l);
  }

  private String marks() {
    var marks = new StringBuilder();
    for (int l = 0; l < L(); l++)
      for (int h = 0; h < NH(); h++) if (selected[l][h]) marks.append(square(l, h));
    return marks.toString();
  }

  private String legend() {
    String shades = "ten shades from 0 to %s".formatted(number(largest()));
    int n = 0;
    for (boolean[] layer : selected == null ? new boolean[0][] : selected)
      for (boolean chosen : layer) if (chosen) n++;
    String marked = n == 0 ? "" : "; outlined: %d of %d heads, selected".formatted(n, L() * NH());
    return new Markup().element("p", shades + marked).toString();
  }

  /** With as many digits as a cell can be found by in the table. */
  static String number(double value) {
    return String.format(Locale.ROOT, "%.4g", value);
  }
}
