package dev.seekr.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.seekr.config.RunConfig;
import dev.seekr.disk.RunFolder;
import dev.seekr.evaluation.ScoreFiles;
import dev.seekr.evaluation.ScoreMatrix;
import dev.seekr.evaluation.ScoreTable;
import dev.seekr.report.RunLog;
import dev.seekr.trainer.RunListener.Outcome;
import java.io.PrintWriter;
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
        outcome.seconds(),
        outcome.peakBytes(),
        outcome.storedBytes());
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
