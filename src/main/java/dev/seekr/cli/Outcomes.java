package dev.seekr.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.seekr.config.RunConfig;
import dev.seekr.disk.RunFolder;
import dev.seekr.evaluation.GeneralScores;
import dev.seekr.evaluation.ScoreFiles;
import dev.seekr.evaluation.ScoreMatrix;
import dev.seekr.evaluation.ScoreTable;
import dev.seekr.report.RunLog;
import dev.seekr.report.Table;
import dev.seekr.trainer.RunListener.Outcome;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/** How a run's outcome is printed. */
final class Outcomes {
  private static final int COLUMNS = 100;

  private Outcomes() {}

  static void print(PrintWriter out, RunConfig config, Outcome outcome) {
    ScoreMatrix scores = outcome.scores();
    out.println("scores in percent after each task, " + config.method().name());
    out.println(ScoreTable.of(scores, COLUMNS).stripTrailing());
    out.printf(
        "OP %s   BWT %s (over T-1), %s (over T)%n",
        number(scores.op()), number(scores.bwt()), number(scores.bwtReleased()));
    scores.forwardTransfer().ifPresent(fwt -> out.printf(Locale.ROOT, "FWT %.2f%n", fwt));
    general(out, scores.general());
    out.printf(
        Locale.ROOT,
        "%.1f s, peak memory %d MiB, stored %.1f MiB; everything is in %s%n",
        outcome.seconds(),
        outcome.peakBytes() >> 20,
        outcome.storedBytes() / (double) (1 << 20),
        config.run().out());
  }

  /**
   * What --json prints.
   *
   * @param scores of each task after each, row by row; null where there is none
   */
  record Json(
      String method,
      String out,
      List<String> tasks,
      Double[][] scores,
      Double op,
      Double bwt,
      Double bwtReleased,
      Double fwt,
      double seconds,
      long peakRssBytes,
      long storedBytes) {}

  static Json json(RunConfig config, Outcome outcome) {
    ScoreMatrix scores = outcome.scores();
    int n = scores.tasks().size();
    var rows = new Double[n][n];
    for (int after = 0; after < n; after++)
      for (int task = 0; task < n; task++)
        rows[after][task] = JsonOutput.number(scores.get(task, after));
    return new Json(
        config.method().name().name(),
        config.run().out(),
        scores.tasks(),
        rows,
        JsonOutput.number(scores.op()),
        JsonOutput.number(scores.bwt()),
        JsonOutput.number(scores.bwtReleased()),
        JsonOutput.number(scores.forwardTransfer()),
        outcome.seconds(),
        outcome.peakBytes(),
        outcome.storedBytes());
  }

  /** Nothing where it was not asked for; benchmarks that are not there stay blank. */
  private static void general(PrintWriter out, GeneralScores general) {
    if (general.sets().isEmpty()) return;
    var headers = new ArrayList<>(List.of("general ability"));
    headers.addAll(general.sets());
    headers.addAll(List.of("GA", "DeltaGA"));
    var table = new Table(headers.toArray(String[]::new));
    for (int row = 0; row < general.rows(); row++) {
      if (!general.has(row)) continue;
      var cells = new ArrayList<Object>();
      cells.add(row == 0 ? "before" : "after " + row);
      for (int i = 0; i < general.sets().size(); i++) cells.add(cell(general.get(row, i)));
      cells.add(cell(general.ga(row)));
      cells.add(cell(general.delta(row)));
      table.row(cells.toArray());
    }
    out.print(table);
  }

  private static String cell(OptionalDouble value) {
    return value.isPresent() ? number(value) : "";
  }

  /** Of a finished run. */
  static Outcome of(RunFolder folder) {
    JsonNode end = RunLog.last(RunLog.read(folder.log()), "end").orElseThrow();
    return new Outcome(
        ScoreFiles.loadJson(folder.scoresJson()),
        end.path("seconds").doubleValue(),
        end.path("peak_rss_bytes").longValue(),
        end.path("stored_bytes").longValue());
  }

  /** Blank stays blank: a score that does not exist is no 0. */
  static String number(OptionalDouble value) {
    return value.isPresent() ? String.format(Locale.ROOT, "%.2f", value.getAsDouble()) : "-";
  }
}
