package dev.seekr.page;

import dev.seekr.config.RunConfig;
import dev.seekr.evaluation.Spread;
import dev.seekr.page.Chart.Point;
import dev.seekr.page.Chart.Series;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.Collectors;

/**
 * OP over a setting that was swept: a chart for each setting that is a number and in which alone
 * groups of one method differ, in it a line for each method and for each combination of the other
 * settings that differ.
 */
final class SweepCharts {
  private SweepCharts() {}

  /** A group that has a value of the setting, and an OP. */
  private record Member(Groups.Group group, Point point) {
    RunRecord run() {
      return group.runs().getFirst();
    }
  }

  static List<Chart> of(Groups groups) {
    var charts = new ArrayList<Chart>();
    for (String key : groups.keys()) {
      var lines = lines(groups, key);
      if (!lines.isEmpty()) charts.add(chart(groups, key, lines));
    }
    return charts;
  }

  /** Groups that differ in this setting alone, two values at least. */
  private static List<List<Member>> lines(Groups groups, String key) {
    var lines = new LinkedHashMap<Map<String, String>, List<Member>>();
    for (var group : groups.all()) {
      RunRecord run = group.runs().getFirst();
      var x = number(run, key);
      var op = groups.row(group).get(Measure.op);
      if (x.isEmpty() || op.isEmpty() || !run.config().uses(key)) continue;
      var others = new LinkedHashMap<String, String>();
      others.put("method.name", run.method());
      for (String k : groups.keys()) if (run.config().uses(k)) others.put(k, Groups.text(run, k));
      others.remove(key);
      lines
          .computeIfAbsent(others, _ -> new ArrayList<>())
          .add(new Member(group, point(x.getAsDouble(), op.get())));
    }
    lines.values().removeIf(l -> l.stream().map(m -> m.point.x()).distinct().count() < 2);
    lines.values().forEach(l -> l.sort(Comparator.comparingDouble(m -> m.point.x())));
    return List.copyOf(lines.values());
  }

  private static Point point(double x, Spread op) {
    return new Point(x, op.mean(), op.sd().orElse(0), 0);
  }

  private static OptionalDouble number(RunRecord run, String key) {
    try {
      double value = Double.parseDouble(Groups.text(run, key));
      return Double.isFinite(value) ? OptionalDouble.of(value) : OptionalDouble.empty();
    } catch (NumberFormatException e) {
      return OptionalDouble.empty(); // left open, or no number at all
    }
  }

  private static Chart chart(Groups groups, String key, List<List<Member>> lines) {
    var runs = lines.stream().map(line -> line.getFirst().run()).toList();
    var told =
        groups.keys().stream().filter(k -> !k.equals(key) && Groups.differs(k, runs)).toList();
    var series = new ArrayList<Series>();
    for (int i = 0; i < lines.size(); i++)
      series.add(
          new Series(label(runs.get(i), told), lines.get(i).stream().map(Member::point).toList()));
    boolean spread = lines.stream().flatMap(List::stream).anyMatch(m -> m.point.sd() > 0);
    String unit = RunConfig.unit(key);
    return new Chart(
        "OP over " + key + (spread ? ", ± standard deviation over seeds" : ""),
        unit.isEmpty() ? key : key + ": " + unit,
        "OP, %",
        series,
        true);
  }

  private static String label(RunRecord run, List<String> told) {
    String own =
        told.stream()
            .filter(k -> run.config().uses(k))
            .map(k -> Groups.shortKey(k) + " " + Groups.text(run, k))
            .collect(Collectors.joining(", "));
    return own.isEmpty() ? run.method() : run.method() + ", " + own;
  }
}
