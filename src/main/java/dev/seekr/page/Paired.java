package dev.seekr.page;

import dev.seekr.evaluation.Spread;
import dev.seekr.page.Groups.Group;
import dev.seekr.report.Table;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What groups of runs are ahead of others by, seed by seed: means of the differences, and the
 * intervals that hold the true mean with 95 % confidence (Student's t). Runs of one seed see the
 * same data in the same order and keep the same samples, so that their differences vary less than
 * they do.
 *
 * @param rows of groups that have a partner, in at least one seed: the only other group that has
 *     the value, and differs in nothing else that both use
 */
public record Paired(Against against, List<Measure> columns, List<Row> rows) {
  /**
   * What the others have in common.
   *
   * @param key of a setting, as method.name
   * @param value its text
   */
  public record Against(String key, String value) {
    private static final String METHOD = "method.name";

    /** A method's name, or KEY=VALUE. */
    public static Against of(String text) {
      int sign = text.indexOf('=');
      if (sign < 0) return new Against(METHOD, text);
      return new Against(text.substring(0, sign), text.substring(sign + 1));
    }

    /** Whether a run has it. */
    public boolean has(RunRecord run) {
      return value.equals(run.settings().get(key));
    }

    private boolean isPartner(RunRecord other, RunRecord run, Groups groups) {
      return has(other)
          && !has(run)
          && (key.equals(METHOD) || other.method().equals(run.method()))
          && groups.keys().stream()
              .filter(k -> !k.equals(key) && run.config().uses(k) && other.config().uses(k))
              .allMatch(k -> Groups.text(run, k).equals(Groups.text(other, k)));
    }

    @Override
    public String toString() {
      return key.equals(METHOD) ? value : Groups.shortKey(key) + " " + value;
    }
  }

  /**
   * @param label of the group
   * @param seeds that both have
   * @param values of measures that all of these runs have, the group's minus the other's
   */
  record Row(String label, int seeds, Map<Measure, Spread> values) {}

  /**
   * Of runs in any order, finished or not.
   *
   * @param among columns that are wanted; those that have no spread, or that no row has, are left
   *     out
   */
  public static Paired of(List<RunRecord> runs, Against against, List<Measure> among) {
    var groups = Groups.of(runs);
    var rows = new ArrayList<Row>();
    for (Group group : groups.all()) {
      RunRecord run = group.runs().getFirst();
      var others =
          groups.all().stream()
              .filter(other -> against.isPartner(other.runs().getFirst(), run, groups))
              .toList();
      if (others.size() == 1) row(group, others.getFirst()).ifPresent(rows::add);
    }
    var columns =
        among.stream()
            .filter(m -> m.spreads() && rows.stream().anyMatch(row -> row.values.containsKey(m)))
            .toList();
    return new Paired(against, columns, rows);
  }

  private static Optional<Row> row(Group group, Group other) {
    Map<Long, RunRecord> theirs =
        Results.counted(other).stream().collect(Collectors.toMap(RunRecord::seed, r -> r));
    var pairs =
        Results.counted(group).stream()
            .filter(run -> theirs.containsKey(run.seed()))
            .map(run -> List.of(run, theirs.get(run.seed())))
            .toList();
    if (pairs.isEmpty()) return Optional.empty();
    var values = new EnumMap<Measure, Spread>(Measure.class);
    for (Measure measure : Measure.values()) {
      Function<RunRecord, Double> of = run -> measure.of(run, Map.of()).orElse(Double.NaN);
      Spread.of(
              pairs.stream()
                  .mapToDouble(p -> of.apply(p.getFirst()) - of.apply(p.getLast()))
                  .filter(Double::isFinite))
          .filter(spread -> spread.runs() == pairs.size())
          .ifPresent(spread -> values.put(measure, spread));
    }
    return Optional.of(new Row(group.label(), pairs.size(), values));
  }

  /** For a terminal. */
  public String text() {
    var headers = new ArrayList<>(List.of("minus " + against, "seeds"));
    columns.forEach(measure -> headers.add(measure.header()));
    var table = new Table(headers.toArray(String[]::new));
    for (Row row : rows) {
      var cells = new ArrayList<Object>(List.of(row.label, "" + row.seeds));
      columns.forEach(
          m -> cells.add(Optional.ofNullable(row.values.get(m)).map(Paired::cell).orElse("")));
      table.row(cells.toArray());
    }
    return table.toString();
  }

  /** As "+5.23 [+1.10, +9.36]"; of one pair the difference alone. */
  private static String cell(Spread s) {
    String mean = String.format(Locale.ROOT, "%+.2f", s.mean());
    if (s.error().isEmpty()) return mean;
    double error = s.error().getAsDouble();
    return mean + String.format(Locale.ROOT, " [%+.2f, %+.2f]", s.mean() - error, s.mean() + error);
  }

  /**
   * The rows as numbers by their keys: label, seeds, each difference and, with _low and _high, the
   * ends of its interval; null where there is none.
   */
  public List<Map<String, Object>> json() {
    var all = new ArrayList<Map<String, Object>>();
    for (Row row : rows) {
      var fields = new LinkedHashMap<String, Object>();
      fields.put("label", row.label);
      fields.put("seeds", row.seeds);
      for (Measure m : columns) {
        var spread = Optional.ofNullable(row.values.get(m));
        var error = spread.flatMap(s -> s.error().stream().boxed().findFirst());
        fields.put(m.name(), spread.map(Spread::mean).orElse(null));
        fields.put(m.name() + "_low", error.map(e -> spread.get().mean() - e).orElse(null));
        fields.put(m.name() + "_high", error.map(e -> spread.get().mean() + e).orElse(null));
      }
      all.add(fields);
    }
    return all;
  }
}
