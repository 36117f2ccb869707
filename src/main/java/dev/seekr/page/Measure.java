package dev.seekr.page;

import dev.seekr.evaluation.GeneralScores;
import dev.seekr.evaluation.ScoreMatrix;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * What a run is measured by: a column of every table of results, its name the key in CSV and JSON.
 */
public enum Measure {
  op("OP", "%.2f", scores(ScoreMatrix::op)),
  bwt("BWT", "%.2f", scores(ScoreMatrix::bwt)),
  bwt_released("BWT (T)", "%.2f", scores(ScoreMatrix::bwtReleased)),
  forgetting("forgetting", "%.2f", scores(ScoreMatrix::forgetting)),
  fwt("FWT", "%.2f", scores(ScoreMatrix::forwardTransfer)),
  intransigence("intransigence", "%.2f", (run, together) -> run.scores().intransigence(together)),
  average("average", "%.2f", scores(ScoreMatrix::average)),
  graft_gain("graft gain", "%.2f", RunRecord::graftGain),
  ga("GA", "%.2f", general(g -> g.ga(g.last()))),
  delta_ga("DeltaGA", "%.2f", general(g -> g.delta(g.last()))),
  seconds("seconds", "%.1f", run -> run.figure("seconds")),
  peak_mib("peak MiB", "%.0f", mib("peak_rss_bytes")),
  stored_mib("stored MiB", "%.2f", mib("stored_bytes"));

  private final String header;
  private final String format;
  private final BiFunction<RunRecord, Map<String, Double>, OptionalDouble> of;

  Measure(String header, String format, Function<RunRecord, OptionalDouble> of) {
    this(header, format, (run, _) -> of.apply(run));
  }

  Measure(
      String header, String format, BiFunction<RunRecord, Map<String, Double>, OptionalDouble> of) {
    this.header = header;
    this.format = format;
    this.of = of;
  }

  /** What the column is called. */
  public String header() {
    return header;
  }

  /** How a number is printed. */
  String format() {
    return format;
  }

  /**
   * Of a finished run; blank where the run was not measured so.
   *
   * @param together scores by task of runs that learnt all tasks together, empty: there are none
   */
  OptionalDouble of(RunRecord run, Map<String, Double> together) {
    return of.apply(run, together);
  }

  /** Whether runs are shown with their spread: what a machine takes is a mean alone. */
  boolean spreads() {
    return compareTo(seconds) < 0;
  }

  /** Whether the column stands where all of it is blank. */
  boolean always() {
    return this == op || this == bwt || !spreads();
  }

  private static Function<RunRecord, OptionalDouble> scores(
      Function<ScoreMatrix, OptionalDouble> of) {
    return run -> of.apply(run.scores());
  }

  private static Function<RunRecord, OptionalDouble> general(
      Function<GeneralScores, OptionalDouble> of) {
    return run -> of.apply(run.scores().general());
  }

  private static Function<RunRecord, OptionalDouble> mib(String field) {
    return run -> {
      var bytes = run.figure(field);
      return bytes.isEmpty() ? bytes : OptionalDouble.of(bytes.getAsDouble() / (1 << 20));
    };
  }
}
