package dev.seekr.page;

import java.util.Locale;
import java.util.stream.DoubleStream;

/** Grid, ticks and names of two axes. */
final class Axes {
  static final double W = 380, H = 240, LEFT = 52, RIGHT = 10, TOP = 10, BOTTOM = 40;

  private Axes() {}

  static Scale x(DoubleStream values) {
    return Scale.of(values, true, LEFT, W - RIGHT);
  }

  /** Of a setting's values: logarithmic where they span more than a decade. */
  static Scale swept(double[] values) {
    var all = DoubleStream.of(values).summaryStatistics();
    boolean log = all.getMin() > 0 && all.getMax() > 10 * all.getMin();
    return log
        ? Scale.log(DoubleStream.of(values), LEFT, W - RIGHT)
        : Scale.of(DoubleStream.of(values), false, LEFT, W - RIGHT);
  }

  static Scale y(DoubleStream values) {
    return Scale.of(values, false, H - BOTTOM, TOP);
  }

  /** Opens the SVG of a chart and draws its axes; their names have units. */
  static void open(Markup out, String title, Scale xs, Scale ys, String x, String y) {
    open(out, title + ": " + y + " over " + x, H, x, y);
    grid(out, ys);
    for (double tick : xs.ticks())
      text(out, Scale.label(tick), "tick", xs.at(tick), H - BOTTOM + 15, "middle");
  }

  /** Opens an SVG of some height and names its axes; {@code said}: what it shows, in words. */
  static void open(Markup out, String said, double height, String x, String y) {
    int whole = (int) Math.ceil(height);
    out.open("svg", "viewBox", "0 0 %d %d".formatted((int) W, whole), "role", "img");
    out.element("title", said);
    text(out, x, "axis", (LEFT + W - RIGHT) / 2, height - 6, "middle");
    String turned =
        String.format(Locale.ROOT, "translate(12 %.0f) rotate(-90)", (TOP + height - BOTTOM) / 2);
    out.element("text", y, "class", "axis", "transform", turned, "text-anchor", "middle");
  }

  /** Lines across at the ticks, and their numbers. */
  static void grid(Markup out, Scale ys) {
    for (double tick : ys.ticks()) {
      double at = ys.at(tick);
      out.empty("line", "class", "grid", "x1", LEFT, "x2", W - RIGHT, "y1", at, "y2", at);
      text(out, Scale.label(tick), "tick", LEFT - 5, at + 4, "end");
    }
  }

  static void text(Markup out, String text, String kind, double x, double y, String anchor) {
    out.element("text", text, "class", kind, "x", x, "y", y, "text-anchor", anchor);
  }
}
