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

/** Finished runs side by side, a row a method: the mean over its runs ± standard deviation. */
record Comparison(List<Row> methods) {
  private static final String[] HEADERS = {
    "method", "runs", "OP", "BWT (T-1)", "BWT (T)", "seconds", "peak MiB", "stored MiB"
  };

  /** What a score is over several runs; null where there is none, or one run only. */
  record Spread(Double mean, Double sd) {
    private static Spread of(Optional<RunSummary.Spread> spread) {
      return spread
          .map(s -> new Spread(s.mean(), JsonOutput.number(s.sd())))
          .orElse(new Spread(null, null));
    }

    /** As "-3.66 ± 1.42", with what stands for the sign between. */
    private String text(String between) {
      if (mean == null) return "";
      return number("%.2f", mean) + (sd == null ? "" : between + number("%.2f", sd));
    }
  }

  /**
   * The runs of a method.
   *
   * @param seconds their mean
   * @param peakRssBytes the most of any, as stored bytes
   */
  record Row(
      String method,
      int runs,
      Spread op,
      Spread bwt,
      Spread bwtReleased,
      double seconds,
      double peakRssBytes,
      double storedBytes) {}

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
    var rows = new ArrayList<Row>();
    byMethod.forEach((method, runs) -> rows.add(row(method, runs)));
    return new Comparison(rows);
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

  private static Row row(String method, List<Run> runs) {
    var summary = RunSummary.of(runs.stream().map(Run::scores).toList());
    return new Row(
        method,
        runs.size(),
        Spread.of(summary.op()),
        Spread.of(summary.bwt()),
        Spread.of(summary.bwtReleased()),
        runs.stream().mapToDouble(Run::seconds).average().orElseThrow(),
        most(runs, Run::peak),
        most(runs, Run::stored));
  }

  private static double most(List<Run> runs, ToDoubleFunction<Run> value) {
    return runs.stream().mapToDouble(value).max().orElse(0);
  }

  private static String number(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }

  private static String[] cells(Row row, String between) {
    return new String[] {
      row.method,
      String.valueOf(row.runs),
      row.op.text(between),
      row.bwt.text(between),
      row.bwtReleased.text(between),
      number("%.1f", row.seconds),
      number("%.0f", row.peakRssBytes / (1 << 20)),
      number("%.2f", row.storedBytes / (1 << 20))
    };
  }

  String text() {
    var table = new Table(HEADERS);
    methods.forEach(row -> table.row((Object[]) cells(row, " ± ")));
    return table.toString();
  }

  /** A number a field, none where there is no such number. */
  String csv() {
    var text =
        new StringBuilder(
            "method,runs,op,op_sd,bwt,bwt_sd,bwt_released,bwt_released_sd,seconds,peak_mib,stored_mib\n");
    for (Row r : methods) {
      Object[] fields = {
        r.method,
        r.runs,
        r.op.mean,
        r.op.sd,
        r.bwt.mean,
        r.bwt.sd,
        r.bwtReleased.mean,
        r.bwtReleased.sd,
        r.seconds,
        r.peakRssBytes / (1 << 20),
        r.storedBytes / (1 << 20)
      };
      var line = Arrays.stream(fields).map(f -> f == null ? "" : f.toString()).toList();
      text.append(String.join(",", line)).append('\n');
    }
    return text.toString();
  }

  /** A tabular of the booktabs package; numbers in math, so that a minus is one. */
  String latex() {
    var text = new StringBuilder("\\begin{tabular}{l");
    text.append("r".repeat(HEADERS.length - 1)).append("}\n\\toprule\n");
    text.append(String.join(" & ", HEADERS).replace("T-1", "$T-1$").replace("(T)", "($T$)"));
    text.append(" \\\\\n\\midrule\n");
    for (Row row : methods) {
      var cells = new ArrayList<String>();
      for (String cell : cells(row, " \\pm "))
        cells.add(cell.isEmpty() || cells.isEmpty() ? cell : "$" + cell + "$");
      text.append(String.join(" & ", cells)).append(" \\\\\n");
    }
    return text.append("\\bottomrule\n\\end{tabular}\n").toString();
  }
}
