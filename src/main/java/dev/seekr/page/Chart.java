package dev.seekr.page;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.DoubleStream;

/**
 * A chart of lines as SVG. Colours, fonts and the theme are the page's: a series is of class s0 to
 * s7. It is drawn for a phone, and grows with its place.
 *
 * @param x name and unit of the axis
 */
record Chart(String title, String x, String y, List<Series> series) {
  static final int SERIES = 8;

  /** A point and the line of the log that says it; 0: none does alone. */
  record Point(double x, double y, int line) {}

  /** Points in the order of x; those that are not finite leave a gap. */
  record Series(String name, List<Point> points) {}

  /** At most {@code n} points of each series, taken at equal distances; the last one always. */
  Chart thinned(int n) {
    return new Chart(
        title, x, y, series.stream().map(s -> new Series(s.name, thinned(s.points, n))).toList());
  }

  private static List<Point> thinned(List<Point> points, int n) {
    if (points.size() <= n) return points;
    var kept = new ArrayList<Point>();
    for (int i = 0; i < n; i++)
      kept.add(points.get((int) Math.round(i * (points.size() - 1.0) / (n - 1))));
    return kept;
  }

  private DoubleStream finite(boolean ofX) {
    return series.stream()
        .flatMap(s -> s.points.stream())
        .filter(this::drawn)
        .mapToDouble(p -> ofX ? p.x : p.y);
  }

  private boolean drawn(Point p) {
    return Double.isFinite(p.y);
  }

  /** The chart with its title and legend, as a figure. */
  String svg() {
    var out = new Markup();
    out.open("figure", "class", "chart").element("figcaption", title);
    Scale xs = Axes.x(finite(true)), ys = Axes.y(finite(false));
    Axes.open(out, title, xs, ys, x, y);
    for (int s = 0; s < series.size(); s++) line(out, s, xs, ys);
    return out.close("svg").raw(legend()).close("figure").toString();
  }

  private void line(Markup out, int s, Scale xs, Scale ys) {
    String style = "s" + s % SERIES;
    var path = new StringBuilder();
    boolean pen = false;
    for (Point p : series.get(s).points) {
      if (drawn(p))
        path.append(
            String.format(Locale.ROOT, "%s%.1f %.1f", pen ? "L" : "M", xs.at(p.x), ys.at(p.y)));
      pen = drawn(p);
    }
    out.empty("path", "class", "line " + style, "d", path);
    List<Point> points = series.get(s).points;
    for (Point p : points.size() <= 24 ? points : List.<Point>of()) {
      if (!drawn(p)) continue;
      out.open("circle", "class", style, "r", "2.5", "cx", xs.at(p.x), "cy", ys.at(p.y));
      out.element(
          "title",
          "%s: %s%s"
              .formatted(
                  series.get(s).name, Scale.label(p.y), p.line == 0 ? "" : ", line " + p.line));
      out.close("circle");
    }
  }

  private String legend() {
    if (series.size() < 2) return "";
    var out = new Markup().open("ul", "class", "legend");
    for (int s = 0; s < series.size(); s++)
      out.element("li", series.get(s).name, "class", "s" + s % SERIES);
    return out.close("ul").toString();
  }
}
