package dev.seekr.trainer;

import dev.seekr.Failure;
import dev.seekr.config.ConfigWriter;
import dev.seekr.config.RunConfig;
import dev.seekr.data.Task;
import dev.seekr.data.TaskSequence;
import dev.seekr.evaluation.Evaluator;
import dev.seekr.evaluation.LanguageModel;
import dev.seekr.evaluation.ScoreFiles;
import dev.seekr.evaluation.ScoreMatrix;
import dev.seekr.evaluation.TaskMetrics;
import dev.seekr.method.Method;
import dev.seekr.method.Methods;
import dev.seekr.model.Checkpoint;
import dev.seekr.model.LlamaConfig;
import dev.seekr.model.SoftPrompts;
import dev.seekr.ops.Backends;
import dev.seekr.ops.Ops;
import dev.seekr.report.Progress;
import dev.seekr.report.ResidentMemory;
import dev.seekr.report.RunLog;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Ledger;
import dev.seekr.tensor.Place;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A run: stage after stage of a task sequence, evaluated after each on all tasks seen. It trains
 * whatever {@link Method} asks for and knows none by name.
 */
public final class Trainer implements AutoCloseable {
  private final RunConfig config;
  private final List<Task> tasks;
  private final Ops ops;
  private final LanguageModel lm;
  private final Encoded encoded;
  private final RunFolder folder;
  private final RunLog log;
  private final long start = System.nanoTime();

  /**
   * What a run came to.
   *
   * @param seconds of training and evaluation
   * @param peakBytes most resident memory of the process
   * @param storedBytes what the method kept of finished tasks, on disk
   */
  public record Outcome(ScoreMatrix scores, double seconds, long peakBytes, long storedBytes) {}

  /** Loads and checks everything; makes the run's folder only when all is well. */
  public Trainer(RunConfig config) {
    this.config = config;
    tasks = TaskSequence.load(config.data());
    tasks.forEach(t -> TaskMetrics.forTask(t.name(), config.eval().metrics()));
    ops = Backends.open(config.run());
    if (ops.place() != Place.HOST) {
      var shape = LlamaConfig.read(Path.of(config.model().path()));
      ops.reserve(BytePlan.of(config, shape).bytes());
    }
    lm = LanguageModel.load(config.model(), ops, config.train().recompute(), config.train().seed());
    if (lm.prompts() != null)
      throw Failure.config(
          "%s has soft prompts, which training would not heed; model.path must name a model without",
          config.model().path());
    encoded = Encoded.of(tasks, lm.encoder(config.data()));
    folder = RunFolder.create(Path.of(config.run().out()));
    folder.writeConfig(ConfigWriter.write(config));
    log = new RunLog(folder.log());
  }

  /** What computes, for the user to see. */
  public String backend() {
    return ops.description();
  }

  public Outcome run() {
    log.event(
        "run",
        Map.of(
            "method", config.method().name().name(),
            "variant", config.method().seekr().variant().name(),
            "backend", backend(),
            "tasks", tasks.stream().map(Task::name).toList(),
            "parameters", lm.model().config.parameters(),
            "seed", config.train().seed()));
    var scores = new ScoreMatrix(tasks.stream().map(Task::name).toList());
    try (Method method = Methods.of(config, lm.model().config, ops);
        var learner = new Learner(lm.model(), method, config.train())) {
      List<Method.Stage> stages = method.stages(tasks);
      for (int i = 0; i < stages.size(); i++) {
        var stage = stages.get(i);
        var context =
            new Method.Context(
                i, stage.name(), encoded.of(stage.tasks()), lm.model(), folder.path());
        method.begin(context);
        train(learner, context, stages.size(), method);
        method.end(context);
        if (config.run().saveModels()) {
          DType as = DType.valueOf(config.model().save().toUpperCase(Locale.ROOT));
          Checkpoint.save(
              folder.model(i, stage.name()), lm.folder(), lm.model().weights, as, method.prompts());
        }
        evaluate(scores, i, stage, method.prompts());
      }
      return finish(scores, method);
    }
  }

  private void train(Learner learner, Method.Context context, int stages, Method method) {
    var plan = new StagePlan(config.train(), context.index(), context.samples(), method.replay());
    var rate = new LearningRate(config.train(), plan.steps());
    learner.begin();
    String name = "task %d/%d %s".formatted(context.index() + 1, stages, context.name());
    try (var progress = new Progress(name, plan.steps())) {
      int step = 0;
      for (int epoch = 0; epoch < config.train().epochs(); epoch++) {
        for (List<Unit> units : plan.epoch(epoch)) {
          long before = System.nanoTime();
          double lr = rate.at(step++) * method.lrScale();
          var result = learner.step(units, lr);
          double seconds = (System.nanoTime() - before) / 1e9;
          progress.step(result.tokens(), shown(result));
          if (step % config.run().logEvery() == 0)
            logStep(context, epoch, step, lr, result, seconds);
        }
      }
    }
  }

  private static Map<String, Double> shown(Learner.Result result) {
    var losses = new LinkedHashMap<String, Double>();
    var means = result.losses().means();
    if (means.size() > 1) losses.put("loss", result.losses().total());
    losses.putAll(means);
    return losses;
  }

  private void logStep(
      Method.Context context, int epoch, int step, double lr, Learner.Result r, double seconds) {
    var fields = new LinkedHashMap<String, Object>();
    fields.put("task", context.name());
    fields.put("epoch", epoch + 1);
    fields.put("step", step);
    fields.put("loss", r.losses().total());
    fields.put("losses", r.losses().means());
    fields.put("lr", lr);
    fields.put("grad_norm", r.gradNorm());
    fields.put("tokens", r.tokens());
    fields.put("seconds", seconds);
    fields.put("peak_bytes", Ledger.PROCESS.peak());
    log.event("step", fields);
  }

  /** One row of the score matrix: every task seen so far. */
  private void evaluate(ScoreMatrix scores, int index, Method.Stage stage, SoftPrompts prompts) {
    var evaluator =
        new Evaluator(
            lm.model(), lm.tokenizer(), lm.encoder(config.data()), prompts, config.eval());
    try (var progress = new Progress("evaluation after " + stage.name(), stage.seen())) {
      for (int i = 0; i < stage.seen(); i++) {
        var result = evaluator.evaluate(tasks.get(i));
        scores.set(i, stage.seen() - 1, result.score());
        folder.writePredictions(index, result);
        progress.step(0, Map.of(tasks.get(i).name(), result.score()));
        log.event(
            "evaluation",
            Map.of(
                "after",
                stage.name(),
                "task",
                result.task(),
                "metric",
                result.metric(),
                "score",
                result.score()));
      }
    }
    ScoreFiles.saveJson(scores, folder.scoresJson());
    ScoreFiles.saveCsv(scores, folder.scoresCsv());
  }

  private Outcome finish(ScoreMatrix scores, Method method) {
    var outcome =
        new Outcome(
            scores, (System.nanoTime() - start) / 1e9, ResidentMemory.peak(), method.storedBytes());
    var fields = new LinkedHashMap<String, Object>();
    scores.op().ifPresent(v -> fields.put("op", v));
    scores.bwt().ifPresent(v -> fields.put("bwt", v));
    scores.bwtReleased().ifPresent(v -> fields.put("bwt_released", v));
    fields.put("seconds", outcome.seconds());
    fields.put("peak_rss_bytes", outcome.peakBytes());
    fields.put("stored_bytes", outcome.storedBytes());
    log.event("end", fields);
    return outcome;
  }

  @Override
  public void close() {
    log.close();
    lm.close();
    ops.close();
  }
}
