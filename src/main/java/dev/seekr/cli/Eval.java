package dev.seekr.cli;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.seekr.backends.Backends;
import dev.seekr.config.GeneralSettings.Benchmark;
import dev.seekr.config.RunConfig;
import dev.seekr.data.EncodedTask;
import dev.seekr.data.Task;
import dev.seekr.data.TaskSequence;
import dev.seekr.disk.Disk;
import dev.seekr.evaluation.Evaluator;
import dev.seekr.evaluation.LanguageModel;
import dev.seekr.evaluation.Predictions;
import dev.seekr.evaluation.TaskMetrics;
import dev.seekr.ops.Ops;
import dev.seekr.report.Progress;
import dev.seekr.report.Table;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Scores a model on the test samples of tasks. */
@Command(
    name = "eval",
    description =
        "Scores a model on the test splits of tasks, or on general-ability benchmarks, without training.",
    footer = {
      "",
      "Example: seekr eval --general FOLDER SmolLM2-135M --sets mmlu,piqa --limit 20",
      "Example: seekr eval run.yaml model.path=runs/first/models/04-task875 --graft runs/first/models/01-task363",
      "Example: seekr eval run.yaml model.path=runs/first/models/04-task875 data.tasks=[task363]"
    })
final class Eval implements Runnable {
  @Spec private CommandSpec spec;

  @Parameters(
      index = "0..*",
      paramLabel = "CONFIG|KEY=VALUE",
      description = "YAML files, each overriding those before it, then single settings.")
  private List<String> arguments = List.of();

  @Option(
      names = "--show",
      paramLabel = "N",
      description = "Print the first N answers of each task.")
  private int show;

  @Option(
      names = "--out",
      paramLabel = "FOLDER",
      description =
          "Write scores.json and all answers here: predictions/TASK.jsonl, or answers.json with --general.")
  private Path out;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Option(
      names = "--general",
      paramLabel = "FOLDER",
      description =
          "Run the benchmarks in this folder instead; the first argument is then the model folder.")
  private String general;

  @Option(
      names = "--sets",
      split = ",",
      paramLabel = "SET",
      description = "With --general: ${COMPLETION-CANDIDATES}; default all.")
  private List<Benchmark> sets = List.of();

  @Option(
      names = "--limit",
      paramLabel = "N",
      description = "With --general: the first N questions of each subject, task or language.")
  private Integer limit;

  @Option(
      names = "--questions",
      paramLabel = "N",
      description =
          "With --general: N questions of each benchmark, evenly from its subjects, tasks or languages.")
  private Integer questions;

  @Option(
      names = "--graft",
      paramLabel = "MODEL",
      description =
          "Replace the model's attention by that of this model, which must have the same shape.")
  private Path graft;

  @Option(
      names = "--graft-heads",
      paramLabel = "FILE",
      description = "With --graft: only of the heads selected in this importance/NN.csv.")
  private Path graftHeads;

  /** What is printed, and written as scores.json; attention null: the model's own. */
  private record Scores(
      String model,
      String backend,
      @JsonInclude(JsonInclude.Include.NON_NULL) String attention,
      List<Score> tasks) {}

  private record Score(String task, int samples, String metric, double score) {}

  @Override
  public void run() {
    if (general != null) {
      if (show != 0)
        throw new ParameterException(spec.commandLine(), "--show does not go with --general");
      if (graft != null || graftHeads != null)
        throw new ParameterException(spec.commandLine(), "--graft does not go with --general");
      new EvalGeneral(general(), spec.commandLine(), out, json).run();
      return;
    }
    if (!sets.isEmpty() || limit != null || questions != null)
      throw new ParameterException(
          spec.commandLine(), "--sets, --limit and --questions need --general");
    if (graftHeads != null && graft == null)
      throw new ParameterException(spec.commandLine(), "--graft-heads needs --graft");
    RunConfig config = Settings.read(arguments).requireEvaluable();
    List<Task> tasks = TaskSequence.loadTests(config.data());
    TaskMetrics.require(config.eval(), tasks.stream().map(Task::name).toList());
    try (Ops ops = Backends.open(config.run());
        var lm = LanguageModel.load(Path.of(config.model().path()), config.model().ignored(), ops);
        var grafting =
            graft == null
                ? null
                : Grafting.of(graft, graftHeads, lm, config.model().ignored(), ops)) {
      var encoder = lm.encoder(config.data());
      var model = grafting == null ? lm.model() : grafting.model();
      var evaluator = new Evaluator(model, lm.tokenizer(), encoder, lm.prompts(), config.eval());
      lm.beyond(tasks, encoder, config.eval().maxNewTokens()).ifPresent(this::note);
      if (out != null) Disk.makeFolder(out.resolve("predictions"));
      var rows = new ArrayList<Score>();
      for (Task task : tasks) {
        task.note().ifPresent(this::note);
        EncodedTask.testNote(task, encoder, config.data()).ifPresent(this::note);
        var result = evaluate(evaluator, task);
        rows.add(new Score(task.name(), task.test().size(), result.metric(), result.score()));
        if (out != null)
          Disk.publish(
              out.resolve("predictions").resolve(task.name() + ".jsonl"),
              Predictions.lines(result));
        if (!json) show(result);
      }
      String attention = grafting == null ? null : grafting.said();
      print(new Scores(config.model().path(), ops.description(), attention, rows));
    }
  }

  private void note(String line) {
    var commandLine = spec.commandLine();
    PrintWriter print = json ? commandLine.getErr() : commandLine.getOut();
    print.println(line);
    print.flush();
  }

  static Evaluator.Result evaluate(Evaluator evaluator, Task task) {
    var answering = evaluator.begin(task);
    try (var progress = new Progress("answers to " + task.name(), answering.batches(), 0)) {
      while (!answering.done()) {
        answering.next();
        progress.step(0, Map.of());
      }
    }
    return answering.result();
  }

  private void show(Evaluator.Result result) {
    PrintWriter print = spec.commandLine().getOut();
    int n = Math.clamp(show, 0, result.predictions().size());
    for (var p : result.predictions().subList(0, n)) {
      print.printf(
          "%s%n  expected %s%n  answered %s%n",
          p.prompt().strip(), String.join(" | ", p.answers()), p.prediction());
      if (!p.scored().equals(p.prediction())) print.printf("  scored   %s%n", p.scored());
    }
  }

  private void print(Scores scores) {
    PrintWriter print = spec.commandLine().getOut();
    if (out != null) Disk.publish(out.resolve("scores.json"), JsonOutput.text(scores));
    if (json) {
      JsonOutput.print(print, scores);
      return;
    }
    print.println("backend: " + scores.backend);
    if (scores.attention != null) print.println("attention: of " + scores.attention);
    var table = new Table("task", "samples", "metric", "score");
    for (Score s : scores.tasks)
      table.row(s.task, s.samples, s.metric, String.format(Locale.ROOT, "%.2f", s.score));
    print.print(table);
    print.flush();
  }

  /** MODEL, then settings as elsewhere; options win over these. */
  private RunConfig general() {
    if (arguments.isEmpty())
      throw new ParameterException(spec.commandLine(), "--general FOLDER needs a model's folder");
    var settings = new ArrayList<>(arguments.subList(1, arguments.size()));
    settings.add("model.path=" + arguments.getFirst());
    settings.add("eval.general.root=" + general);
    if (!sets.isEmpty()) settings.add("eval.general.sets=" + sets);
    if (limit != null) settings.add("eval.general.limit=" + limit);
    if (questions != null) settings.add("eval.general.questions=" + questions);
    return Settings.read(settings);
  }
}
