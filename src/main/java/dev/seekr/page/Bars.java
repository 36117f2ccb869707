package dev.seekr.page;

import java.util.Arrays;
import java.util.stream.DoubleStream;

/** A histogram as SVG: how many of the values lie in each of a few equal ranges. */
record Bars(String title, String x, String y, double[] values) {
  private static final int RANGES = 20;

  String svg() {
    double most = Arrays.stream(values).max().orElse(0);
    int[] counts = new int[RANGES];
    for (double v : values)
      if (Double.isFinite(v))
        counts[most <= 0 ? 0 : Math.clamp((int) (v / most * RANGES), 0, RANGES - 1)]++;
    var xs = Axes.x(DoubleStream.of(0, most), false);
    var ys = Axes.y(DoubleStream.of(0, Arrays.stream(counts).max().orElse(1)), false);
    var out = new Markup().open("figure", "class", "chart").element("figcaption", title);
    Axes.open(out, title, xs, ys, x, y);
    double bottom = Axes.H - Axes.BOTTOM, width = (Axes.W - Axes.RIGHT - Axes.LEFT) / RANGES;
    for (int b = 0; b < RANGES; b++) {
      if (counts[b] == 0) continue;
      double top = ys.at(counts[b]);
      out.open(
          "rect",
          "class",
          "s0",
          "x",
          Axes.LEFT + b * width + 0.5,
          "y",
          top,
          "width",
          width - 1,
          "height",
          bottom - top);
      out.element("title", counts[b] + " from " + Scale.label(most * b / RANGES) + " on")
          .close("rect");
    }
    return out.close("svg").close("figure").toString();
  }
}
