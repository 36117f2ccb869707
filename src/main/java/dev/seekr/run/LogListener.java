package dev.seekr.run;

import dev.seekr.config.RunConfig;
import dev.seekr.evaluation.Evaluator;
import dev.seekr.evaluation.ScoreMatrix;
import dev.seekr.general.SetResult;
import dev.seekr.method.Step;
import dev.seekr.report.RunLog;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import dev.seekr.state.Stateful;
import dev.seekr.tensor.Ledger;
import dev.seekr.trainer.RunListener;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes the log of a run. What was logged after a checkpoint is taken away when the run goes on
 * from there: it is done, and logged, once more.
 */
final class LogListener implements RunListener, Stateful {
  private final RunLog log;
  private final RunConfig config;
  private final String backend;
  private final int attempt;

  LogListener(RunLog log, RunConfig config, String backend, int attempt) {
    this.log = log;
    this.config = config;
    this.backend = backend;
    this.attempt = attempt;
  }

  @Override
  public void begins(List<String> tasks, long parameters) {
    log.cut(0); // of an attempt that never came to a checkpoint
    log.event(
        "run",
        fields(
            "method",
            config.method().name().name(),
            "variant",
            config.method().seekr().variant().name(),
            "backend",
            backend,
            "tasks",
            tasks,
            "parameters",
            parameters,
            "seed",
            config.train().seed()));
  }

  @Override
  public void goesOn(String place) {
    log.event("resumed", fields("at", place, "attempt", attempt, "backend", backend));
  }

  @Override
  public void step(Step step) {
    if (step.number() % config.run().logEvery() == 0) log.event("step", of(step));
  }

  @Override
  public void notFinite(Step step, String what) {
    var fields = of(step);
    fields.put("not_finite", what);
    log.event("step", fields);
  }

  private static Map<String, Object> of(Step step) {
    var result = step.result();
    return fields(
        "task", step.stage().name(),
        "epoch", step.epoch(),
        "step", step.number(),
        "loss", result.losses().total(),
        "losses", result.losses().means(),
        "weights", result.losses().weights(),
        "lr", step.lr(),
        "grad_norm", result.gradNorm(),
        "tokens", result.tokens(),
        "seconds", step.seconds(),
        "peak_bytes", Ledger.PROCESS.peak());
  }

  @Override
  public void used(Stage stage, Map<String, Object> used) {
    var fields = fields("task", stage.name());
    fields.putAll(used);
    if (!used.isEmpty()) log.event("used", fields);
  }

  @Override
  public void validated(Stage stage, int epoch, double loss, int best) {
    log.event(
        "validation", fields("task", stage.name(), "epoch", epoch, "loss", loss, "best", best));
  }

  @Override
  public void evaluated(Stage stage, Evaluator.Result result, ScoreMatrix scores) {
    log.event("evaluation", of(result, "after", stage.name()));
  }

  @Override
  public void evaluatedBefore(Evaluator.Result result, ScoreMatrix scores) {
    log.event("evaluation", of(result, "after", ""));
  }

  @Override
  public void evaluatedAt(Stage stage, int step, Evaluator.Result result) {
    log.event("evaluation", of(result, "in", stage.name(), "step", step));
  }

  private static Map<String, Object> of(Evaluator.Result result, Object... when) {
    var fields = fields(when);
    fields.put("task", result.task());
    fields.put("metric", result.metric());
    fields.put("score", result.score());
    return fields;
  }

  @Override
  public void asked(int row, String after, SetResult result, ScoreMatrix scores) {
    log.event(
        "general",
        fields(
            "after", after,
            "set", result.set().name(),
            "questions", result.set().size(),
            "score", result.score(),
            "measures", result.scores()));
  }

  @Override
  public void stopped(String place) {
    log.event("stopped", fields("at", place, "attempt", attempt));
  }

  @Override
  public void ends(Outcome outcome) {
    var fields = new LinkedHashMap<String, Object>();
    outcome.scores().op().ifPresent(v -> fields.put("op", v));
    outcome.scores().bwt().ifPresent(v -> fields.put("bwt", v));
    outcome.scores().bwtReleased().ifPresent(v -> fields.put("bwt_released", v));
    outcome.scores().forwardTransfer().ifPresent(v -> fields.put("fwt", v));
    var general = outcome.scores().general();
    general.ga(general.last()).ifPresent(v -> fields.put("ga", v));
    general.delta(general.last()).ifPresent(v -> fields.put("delta_ga", v));
    fields.put("seconds", outcome.seconds());
    fields.put("peak_rss_bytes", outcome.peakBytes());
    fields.put("stored_bytes", outcome.storedBytes());
    fields.put("memory", Ledger.PROCESS.peakByTag());
    log.event("end", fields);
  }

  /** Names and values in turn; the order is kept. */
  private static Map<String, Object> fields(Object... namesAndValues) {
    var fields = new LinkedHashMap<String, Object>();
    for (int i = 0; i < namesAndValues.length; i += 2)
      fields.put((String) namesAndValues[i], namesAndValues[i + 1]);
    return fields;
  }

  @Override
  public void save(StateWriter to) {
    to.put("bytes", log.force());
  }

  @Override
  public void load(StateReader from) {
    log.cut(from.whole("bytes", 0, Long.MAX_VALUE));
  }
}
