package dev.seekr.page;

import java.util.Arrays;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * How many numbers lie in each range, as SVG; ranges are equally wide on a logarithmic axis. Zeros
 * have no place there and are told apart.
 *
 * @param x name and unit of the numbers
 * @param y of what is counted
 * @param values from 0 on
 */
record Histogram(String title, String x, String y, double[] values) {
  /** Ranges wanted; there are up to twice as many. */
  private static final int BINS = 12;

  private static final int TICKS = 6;

  private double[] positive() {
    return Arrays.stream(values).filter(v -> v > 0).sorted().toArray();
  }

  /**
   * Bounds of the ranges, ascending: powers of ten and, where the numbers span few, equal parts of
   * one; the first is at most the smallest number, the last above the largest. Of none: empty.
   */
  double[] edges() {
    double[] sorted = positive();
    if (sorted.length == 0) return sorted;
    double low = Math.log10(sorted[0]), high = Math.log10(sorted[sorted.length - 1]);
    int parts = 1;
    while (parts < 64 && (high - low) * parts < BINS) parts *= 2;
    int from = (int) Math.floor(low * parts), to = (int) Math.floor(high * parts) + 1;
    double[] edges = new double[to - from + 1];
    for (int i = 0; i < edges.length; i++) edges[i] = Math.pow(10, (from + i) / (double) parts);
    edges[0] = Math.min(edges[0], sorted[0]); // rounding must lose no number
    return edges;
  }

  /** How many numbers lie in each range, its lower bound counted. */
  int[] counts() {
    double[] edges = edges();
    int[] counts = new int[Math.max(0, edges.length - 1)];
    for (double value : positive()) {
      int at = Arrays.binarySearch(edges, value);
      counts[Math.clamp(at < 0 ? -at - 2 : at, 0, counts.length - 1)]++;
    }
    return counts;
  }

  /** Which bounds are written: powers of ten where there are several, else every so many. */
  private static List<Integer> ticks(double[] edges) {
    var all = IntStream.range(0, edges.length).boxed().toList();
    var powers = all.stream().filter(i -> isPower(edges[i])).toList();
    var ticks = powers.size() > 1 ? powers : all;
    int every = (ticks.size() + TICKS - 1) / TICKS;
    return IntStream.range(0, ticks.size())
        .filter(t -> t % every == 0)
        .mapToObj(ticks::get)
        .toList();
  }

  private static boolean isPower(double edge) {
    double log = Math.log10(edge);
    return Math.abs(log - Math.rint(log)) < 1e-9;
  }

  String svg() {
    double[] edges = edges();
    int[] counts = counts();
    var out = new Markup();
    out.open("figure", "class", "chart").element("figcaption", title);
    double most = Arrays.stream(counts).max().orElse(0);
    Scale ys = Axes.y(DoubleStream.of(0, Math.max(1, most)));
    Axes.open(out, title + ": " + y + " over " + x, Axes.H, x, y);
    Axes.grid(out, ys);
    double wide = (Axes.W - Axes.LEFT - Axes.RIGHT) / Math.max(1, counts.length);
    for (int i = 0; i < counts.length; i++) {
      if (counts[i] == 0) continue;
      double top = ys.at(counts[i]), left = Axes.LEFT + i * wide + 0.5;
      Object[] place = {"x", left, "y", top, "width", wide - 1, "height", ys.at(0) - top};
      String range = HeatMap.number(edges[i]) + " to " + HeatMap.number(edges[i + 1]);
      out.open("rect", place).element("title", range + ": " + counts[i] + " " + y).close("rect");
    }
    for (int i : ticks(edges)) {
      double at = Axes.LEFT + i * wide;
      Axes.text(out, Scale.label(edges[i]), "tick", at, Axes.H - Axes.BOTTOM + 15, "middle");
    }
    out.close("svg");
    long zeros = Arrays.stream(values).filter(v -> v == 0).count();
    String left = zeros == 0 ? "" : "; %d of 0 are left out".formatted(zeros);
    return out.element("p", "%d %s, logarithmic axis%s".formatted(values.length, y, left))
        .close("figure")
        .toString();
  }
}
