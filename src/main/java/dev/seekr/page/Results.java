package dev.seekr.page;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.dataformat.csv.CsvMapper;
import dev.seekr.Failure;
import dev.seekr.evaluation.Spread;
import dev.seekr.report.Table;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What runs came to, a row a group of {@link Groups}: the same table for a terminal, as HTML,
 * Markdown, LaTeX, CSV and JSON.
 *
 * @param columns measures that some run has
 * @param notes what a reader should know of runs that do not count
 */
public record Results(List<Measure> columns, List<Row> rows, List<String> notes) {
  /**
   * The finished runs of a group, one a seed.
   *
   * @param values over these runs; without those that one of them has not
   * @param from where the numbers stand: runs, and the lines that end their logs
   */
  record Row(String label, String method, int runs, Map<Measure, Spread> values, String from) {
    Optional<Spread> get(Measure measure) {
      return Optional.ofNullable(values.get(measure));
    }

    private String text(Measure measure, String between) {
      return get(measure)
          .map(s -> measure.spreads() ? s : new Spread(s.mean(), OptionalDouble.empty(), 1))
          .map(s -> s.text(measure.format(), between))
          .orElse("");
    }
  }

  private static final Row NONE = new Row("", "", 0, Map.of(), "");

  /**
   * Of runs in any order, finished or not.
   *
   * @throws Failure 65 where runs of one group differ in their tasks, or in how far they are
   */
  public static Results of(List<RunRecord> runs) {
    return of(runs, List.of());
  }

  /**
   * @param always settings that rows name even where all runs have them alike
   */
  public static Results of(List<RunRecord> runs, List<String> always) {
    var groups = Groups.of(runs, always);
    var rows = groups.rows();
    var columns =
        Arrays.stream(Measure.values())
            .filter(m -> m.always() || rows.stream().anyMatch(row -> row.get(m).isPresent()))
            .toList();
    var notes = groups.all().stream().flatMap(group -> doubles(group).stream()).toList();
    return new Results(columns, rows, notes);
  }

  /** Some of the columns, in the order given; those that no run has stay out. */
  public Results only(List<Measure> wanted) {
    return new Results(wanted.stream().filter(columns::contains).toList(), rows, notes);
  }

  /** The finished runs of a group, the first of each seed: another is the same run once more. */
  static List<RunRecord> counted(Groups.Group group) {
    var bySeed = new LinkedHashMap<Long, RunRecord>();
    for (RunRecord run : group.runs()) if (run.finished()) bySeed.putIfAbsent(run.seed(), run);
    return List.copyOf(bySeed.values());
  }

  private static List<String> doubles(Groups.Group group) {
    var counted = counted(group);
    return group.runs().stream()
        .filter(run -> run.finished() && !counted.contains(run))
        .map(
            run ->
                "%s does not count: another run of %s has seed %d and the same settings"
                    .formatted(run.folder().path(), group.label(), run.seed()))
        .toList();
  }

  /**
   * @param together scores by task of runs that learnt all tasks together, empty: there are none
   */
  static Row row(Groups.Group group, Map<String, Double> together) {
    var done = counted(group);
    requireComparable(done);
    var values = new EnumMap<Measure, Spread>(Measure.class);
    for (Measure measure : Measure.values())
      Spread.of(done.stream().map(r -> measure.of(r, together)).flatMapToDouble(v -> v.stream()))
          .filter(spread -> spread.runs() == done.size())
          .ifPresent(spread -> values.put(measure, spread));
    if (done.stream().map(r -> r.scores().general().sets()).distinct().count() > 1)
      values.keySet().removeAll(Set.of(Measure.ga, Measure.delta_ga)); // of other benchmarks
    String from =
        done.stream()
            .map(r -> r.name() + " line " + r.last("end").orElseThrow().getKey())
            .collect(Collectors.joining(", "));
    String method = group.runs().getFirst().method();
    return new Row(
        group.label(), method, done.size(), values, done.isEmpty() ? "not finished" : from);
  }

  private static void requireComparable(List<RunRecord> runs) {
    for (RunRecord run : runs) {
      var first = runs.getFirst();
      if (!Set.copyOf(run.scores().tasks()).equals(Set.copyOf(first.scores().tasks())))
        throw Failure.data(
            "%s: is over tasks %s, %s over %s: they have no common mean",
            run.folder().path(), run.scores().tasks(), first.name(), first.scores().tasks());
      if (run.scores().trained() != first.scores().trained())
        throw Failure.data(
            "%s: has trained %d tasks, %s %d: they have no common mean",
            run.folder().path(), run.scores().trained(), first.name(), first.scores().trained());
    }
  }

  private List<String> headers(String first) {
    var headers = new ArrayList<>(List.of(first, "runs"));
    columns.forEach(m -> headers.add(m.header()));
    return headers;
  }

  private List<String> cells(Row row, String between) {
    var cells = new ArrayList<>(List.of(row.label, "" + row.runs));
    columns.forEach(m -> cells.add(row.text(m, between)));
    return cells;
  }

  /** For a terminal. */
  public String text() {
    var table = new Table(headers("method").toArray(String[]::new));
    for (Row row : rows) table.row(cells(row, " ± ").toArray());
    return table.toString();
  }

  String html() {
    var out = new Markup().open("div", "class", "wide").open("table").open("tr");
    for (String header : headers("method")) out.element("th", header, "scope", "col");
    out.close("tr");
    for (Row row : rows) {
      out.open("tr", "title", row.from).element("th", row.label, "scope", "row");
      var cells = cells(row, " ± ");
      for (String cell : cells.subList(1, cells.size())) out.element("td", cell);
      out.close("tr");
    }
    return out.close("table").close("div").toString();
  }

  String markdown() {
    Function<List<String>, String> line =
        cells ->
            cells.stream()
                .map(c -> c.replace("|", "\\|"))
                .collect(Collectors.joining(" | ", "| ", " |\n"));
    var out = new StringBuilder(line.apply(headers("method")));
    out.append("| --- |").append(" ---: |".repeat(columns.size() + 1)).append('\n');
    for (Row row : rows) out.append(line.apply(cells(row, " ± ")));
    return out.toString();
  }

  /** A tabular of the booktabs package; numbers in math, so that a minus is one. */
  public String latex() {
    var out =
        new StringBuilder("\\begin{tabular}{l" + "r".repeat(columns.size() + 1) + "}\n\\toprule\n");
    out.append(headers("method").stream().map(Results::tex).collect(Collectors.joining(" & ")));
    out.append(" \\\\\n\\midrule\n");
    for (Row row : rows) {
      out.append(tex(row.label));
      for (String cell : cells(row, " \\pm ").subList(1, columns.size() + 2))
        out.append(cell.isEmpty() ? " & " : " & $" + cell + "$");
      out.append(" \\\\\n");
    }
    return out.append("\\bottomrule\n\\end{tabular}\n").toString();
  }

  private static String tex(String cell) {
    var out = new StringBuilder();
    for (char c : cell.toCharArray()) {
      switch (c) {
        case '\\' -> out.append("\\textbackslash{}");
        case '&', '%', '$', '#', '_', '{', '}' -> out.append('\\').append(c);
        case '<', '>' -> out.append('$').append(c).append('$');
        case '~' -> out.append("\\textasciitilde{}");
        case '^' -> out.append("\\textasciicircum{}");
        default -> out.append(c);
      }
    }
    return out.toString();
  }

  /**
   * A row as numbers by their keys: label, method, runs, each measure and, with _sd, its deviation;
   * null where there is none.
   */
  private Map<String, Object> fields(Row row) {
    var fields = new LinkedHashMap<String, Object>();
    fields.put("label", row.label);
    fields.put("method", row.method);
    fields.put("runs", row.runs);
    for (Measure m : columns) {
      var spread = row.get(m);
      fields.put(m.name(), spread.map(Spread::mean).orElse(null));
      if (m.spreads())
        fields.put(
            m.name() + "_sd",
            spread.flatMap(s -> s.sd().stream().boxed().findFirst()).orElse(null));
    }
    return fields;
  }

  /** What is printed as JSON: the rows' numbers by their keys, as {@link #csv} has them. */
  public Map<String, List<Map<String, Object>>> json() {
    return Map.of("methods", rows.stream().map(this::fields).toList());
  }

  /** A number a field, mean and deviation apart; none where there is no such number. */
  public String csv() {
    var lines = new ArrayList<Object>();
    rows.forEach(row -> lines.add(fields(row).values()));
    lines.addFirst(fields(NONE).keySet());
    try {
      return new CsvMapper().writer().writeValueAsString(lines);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}
