package dev.seekr.page;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/**
 * A chart of lines as SVG. Colours, fonts and the theme are the page's: a series is of class s0 to
 * s7. It is drawn for a phone, and grows with its place.
 *
 * @param x name and unit of the axis
 * @param swept whether x is a setting's values, else it counts something
 */
record Chart(String title, String x, String y, List<Series> series, boolean swept) {
  Chart(String title, String x, String y, List<Series> series) {
    this(title, x, y, series, false);
  }

  static final int SERIES = 8;

  /**
   * A point.
   *
   * @param sd standard deviation of y, drawn as a bar to both sides; 0: none is known
   * @param line of the log that says it; 0: none does alone
   */
  record Point(double x, double y, double sd, int line) {
    Point(double x, double y, int line) {
      this(x, y, 0, line);
    }
  }

  /** Points in the order of x; those that are not finite leave a gap. */
  record Series(String name, List<Point> points) {}

  /** At most {@code n} points of each series, taken at equal distances; the last one always. */
  Chart thinned(int n) {
    return new Chart(
        title,
        x,
        y,
        series.stream().map(s -> new Series(s.name, thinned(s.points, n))).toList(),
        swept);
  }

  private static List<Point> thinned(List<Point> points, int n) {
    if (points.size() <= n) return points;
    var kept = new ArrayList<Point>();
    for (int i = 0; i < n; i++)
      kept.add(points.get((int) Math.round(i * (points.size() - 1.0) / (n - 1))));
    return kept;
  }

  private DoubleStream xs() {
    return points().mapToDouble(Point::x);
  }

  private DoubleStream ys() {
    return points().flatMapToDouble(p -> DoubleStream.of(p.y - p.sd, p.y + p.sd));
  }

  private Stream<Point> points() {
    return series.stream().flatMap(s -> s.points.stream()).filter(this::drawn);
  }

  private boolean drawn(Point p) {
    return Double.isFinite(p.y);
  }

  /** The chart with its title and legend, as a figure. */
  String svg() {
    var out = new Markup();
    out.open("figure", "class", "chart").element("figcaption", title);
    Scale xs = swept ? Axes.swept(xs().toArray()) : Axes.x(xs());
    Scale ys = Axes.y(ys());
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
      bar(out, style, p, xs, ys);
      out.open("circle", "class", style, "r", "2.5", "cx", xs.at(p.x), "cy", ys.at(p.y));
      out.element(
          "title",
          "%s: %s%s%s"
              .formatted(
                  series.get(s).name,
                  Scale.label(p.y),
                  p.sd == 0 ? "" : " ± " + Scale.label(p.sd),
                  p.line == 0 ? "" : ", line " + p.line));
      out.close("circle");
    }
  }

  /** One standard deviation up and down, with short ends. */
  private static void bar(Markup out, String style, Point p, Scale xs, Scale ys) {
    if (p.sd == 0) return;
    double x = xs.at(p.x), low = ys.at(p.y - p.sd), high = ys.at(p.y + p.sd);
    String d =
        String.format(
            Locale.ROOT,
            "M%.1f %.1fH%.1fM%.1f %.1fH%.1fM%.1f %.1fV%.1f",
            x - 3,
            low,
            x + 3,
            x - 3,
            high,
            x + 3,
            x,
            low,
            high);
    out.empty("path", "class", "bar " + style, "d", d);
  }

  private String legend() {
    if (series.size() < 2) return "";
    var out = new Markup().open("ul", "class", "legend");
    for (int s = 0; s < series.size(); s++)
      out.element("li", series.get(s).name, "class", "s" + s % SERIES);
    return out.close("ul").toString();
  }
}
