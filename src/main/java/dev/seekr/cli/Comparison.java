package dev.seekr.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.seekr.Failure;
import dev.seekr.config.MethodName;
import dev.seekr.evaluation.RunSummary;
import dev.seekr.evaluation.ScoreFiles;
import dev.seekr.evaluation.ScoreMatrix;
import dev.seekr.report.RunLog;
import dev.seekr.report.Table;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/** Finished runs side by side, a row a method: the mean over its runs ± standard deviation. */
record Comparison(String[] headers, List<String[]> rows) {
  private static final List<String> FIRST = List.of("method", "runs", "OP", "BWT (T-1)", "BWT (T)");

  /** Where a run was asked for general ability. */
  private static final List<String> GENERAL = List.of("GA", "DeltaGA");

  private static final List<String> LAST = List.of("seconds", "peak MiB", "stored MiB");

  private record Run(ScoreMatrix scores, double seconds, double peak, double stored) {}

  /**
   * Reads the runs' folders.
   *
   * @throws Failure input or data when one of them holds no finished run, data when runs of a
   *     method differ in their tasks
   */
  static Comparison of(List<Path> folders) {
    Map<String, List<Run>> byMethod = new LinkedHashMap<>();
    for (Path folder : folders) {
      var events = RunLog.read(folder.resolve("log.jsonl"));
      JsonNode end =
          RunLog.last(events, "end")
              .orElseThrow(() -> Failure.data("%s: the run is not finished", folder));
      String method = method(folder, events);
      var run =
          new Run(
              ScoreFiles.loadJson(folder.resolve("scores.json")),
              figure(folder, end, "seconds"),
              figure(folder, end, "peak_rss_bytes"),
              figure(folder, end, "stored_bytes"));
      byMethod.computeIfAbsent(method, _ -> new ArrayList<>()).add(run);
    }
    var rows = new ArrayList<String[]>();
    boolean general =
        byMethod.values().stream()
            .flatMap(List::stream)
            .anyMatch(run -> !run.scores.general().sets().isEmpty());
    byMethod.forEach((method, runs) -> rows.add(row(method, runs, general)));
    return new Comparison(columns(FIRST, general ? GENERAL : List.of(), LAST), rows);
  }

  private static String method(Path folder, List<JsonNode> events) {
    String name = RunLog.last(events, "run").map(e -> e.path("method").asText()).orElse("none");
    if (Arrays.stream(MethodName.values()).noneMatch(m -> m.name().equals(name)))
      throw Failure.data(
          "%s: method of the last run is %s; expected one that this Seekr has",
          folder.resolve("log.jsonl"), name);
    return name;
  }

  /** A number of the event that ends a run. */
  private static double figure(Path folder, JsonNode end, String name) {
    JsonNode value = end.path(name);
    if (!value.isNumber() || !(value.doubleValue() >= 0) || !Double.isFinite(value.doubleValue()))
      throw Failure.data(
          "%s: %s of the last end is %s; expected a number from 0 on",
          folder.resolve("log.jsonl"), name, value.isMissingNode() ? "missing" : value);
    return value.doubleValue();
  }

  private static String[] row(String method, List<Run> runs, boolean general) {
    var summary = RunSummary.of(runs.stream().map(Run::scores).toList());
    return columns(
        List.of(
            method,
            String.valueOf(runs.size()),
            spread(summary.op()),
            spread(summary.bwt()),
            spread(summary.bwtReleased())),
        general ? List.of(spread(summary.ga()), spread(summary.deltaGa())) : List.of(),
        List.of(
            number("%.1f", runs.stream().mapToDouble(Run::seconds).average().orElse(Double.NaN)),
            number("%.0f", most(runs, Run::peak) / (1 << 20)),
            number("%.2f", most(runs, Run::stored) / (1 << 20))));
  }

  private static String[] columns(List<String> first, List<String> general, List<String> last) {
    return Stream.of(first, general, last).flatMap(List::stream).toArray(String[]::new);
  }

  private static double most(List<Run> runs, ToDoubleFunction<Run> value) {
    return runs.stream().mapToDouble(value).max().orElse(0);
  }

  private static String number(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }

  private static String spread(Optional<RunSummary.Spread> spread) {
    if (spread.isEmpty()) return "";
    var s = spread.get();
    String mean = number("%.2f", s.mean());
    return s.sd().isPresent() ? mean + " ± " + number("%.2f", s.sd().getAsDouble()) : mean;
  }

  String text() {
    var table = new Table(headers);
    rows.forEach(row -> table.row((Object[]) row));
    return table.toString();
  }

  String csv() {
    return lines(",", "\n");
  }

  /** A tabular of the booktabs package. */
  String latex() {
    String body =
        lines(" & ", " \\\\\n").replace("±", "$\\pm$").replaceAll("(^|[ (])-(?=\\d)", "$1$-$");
    int head = body.indexOf('\n') + 1;
    return "\\begin{tabular}{l"
        + "r".repeat(headers.length - 1)
        + "}\n\\toprule\n"
        + body.substring(0, head)
        + "\\midrule\n"
        + body.substring(head)
        + "\\bottomrule\n\\end{tabular}\n";
  }

  private String lines(String between, String end) {
    var text = new StringBuilder(String.join(between, headers) + end);
    for (String[] row : rows) text.append(String.join(between, row)).append(end);
    return text.toString();
  }
}
