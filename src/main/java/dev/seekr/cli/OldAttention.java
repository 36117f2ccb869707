package dev.seekr.cli;

import dev.seekr.Failure;
import dev.seekr.backends.Backends;
import dev.seekr.config.RunConfig;
import dev.seekr.data.Task;
import dev.seekr.data.TaskSequence;
import dev.seekr.disk.Disk;
import dev.seekr.disk.RunFolder;
import dev.seekr.evaluation.Evaluator;
import dev.seekr.evaluation.GraftedScores;
import dev.seekr.evaluation.LanguageModel;
import dev.seekr.evaluation.ScoreFiles;
import dev.seekr.evaluation.ScoreMatrix;
import dev.seekr.ops.Ops;
import dev.seekr.report.Table;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** How much of what a run forgot lies in its attention: the paper's Figure 1. */
@Command(
    name = "graft",
    description = {
      "Scores earlier tasks of a finished run with its final model, in which the softmax attention",
      "is that of the model after the task. What this restores was forgotten in the attention.",
      "Writes grafted.json into the run; summary and report then show the mean gain."
    },
    footer = {"", "Example: seekr graft runs/first      (trained with run.save_models=true)"})
final class OldAttention implements Runnable {
  @Spec private CommandSpec spec;

  @Parameters(index = "0", paramLabel = "RUN", description = "Folder of a finished run.")
  private Path run;

  @Parameters(
      index = "1..*",
      arity = "0..*",
      paramLabel = "KEY=VALUE",
      description = "Settings of run, such as run.threads=2: where and how it is computed.")
  private List<String> settings = List.of();

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  /** Scores by task, in percent, and the mean change from the end to grafted. */
  private record Printed(
      Map<String, Double> learnt,
      Map<String, Double> end,
      Map<String, Double> grafted,
      double gain) {}

  @Override
  public void run() {
    Summary.requireFinished(run);
    var folder = new RunFolder(run);
    ScoreMatrix a = ScoreFiles.loadJson(folder.scoresJson());
    List<Path> models = models(folder, a);
    var grafted = new GraftedScores(scores(config(folder, models.getLast()), models, a));
    Disk.publish(folder.graftedJson(), grafted.json());
    print(a, grafted);
  }

  /** One a task. */
  private static List<Path> models(RunFolder folder, ScoreMatrix a) {
    if (a.trained() < 2 || a.get(0, 0).isEmpty())
      throw Failure.config(
          "%s: has one model; grafting needs a run of several tasks in turn", folder.path());
    var models = new ArrayList<Path>();
    for (int i = 0; i < a.trained(); i++) {
      models.add(folder.model(i, a.tasks().get(i)));
      if (!Files.isDirectory(models.getLast()))
        throw Failure.input(
            "%s: is missing; grafting needs the models that run.save_models=true keeps",
            models.getLast());
    }
    return models;
  }

  /** That of the run, for its last model. */
  private RunConfig config(RunFolder folder, Path last) {
    for (String setting : settings)
      if (!setting.startsWith("run."))
        throw new ParameterException(
            spec.commandLine(),
            "%s: expected settings of run alone, as run.threads=2: scores are compared with the run's own"
                .formatted(setting));
    var all = new ArrayList<>(List.of(folder.config().toString(), "model.path=" + last));
    all.addAll(settings);
    return Settings.read(all).requireEvaluable();
  }

  private static Map<String, Double> scores(RunConfig config, List<Path> models, ScoreMatrix a) {
    var scores = new LinkedHashMap<String, Double>();
    List<Task> tasks = TaskSequence.loadTests(config.data());
    try (Ops ops = Backends.open(config.run());
        var lm = LanguageModel.load(models.getLast(), config.model().ignored(), ops)) {
      var encoder = lm.encoder(config.data());
      for (int i = 0; i < models.size() - 1; i++) {
        String name = a.tasks().get(i);
        Task task = tasks.stream().filter(t -> t.name().equals(name)).findFirst().orElseThrow();
        try (var old = Grafting.of(models.get(i), null, lm, config.model().ignored(), ops)) {
          var evaluator =
              new Evaluator(old.model(), lm.tokenizer(), encoder, lm.prompts(), config.eval());
          scores.put(name, Eval.evaluate(evaluator, task).score());
        }
      }
    }
    return scores;
  }

  private void print(ScoreMatrix a, GraftedScores grafted) {
    PrintWriter print = spec.commandLine().getOut();
    var learnt = new LinkedHashMap<String, Double>();
    var end = new LinkedHashMap<String, Double>();
    var table = new Table("task", "when learnt", "at the end", "with old attention");
    for (int i = 0; i < a.trained() - 1; i++) {
      String task = a.tasks().get(i);
      learnt.put(task, JsonOutput.number(a.get(i, i)));
      end.put(task, JsonOutput.number(a.get(i, a.trained() - 1)));
      Double with = grafted.scores().get(task);
      table.row(task, text(learnt.get(task)), text(end.get(task)), text(with));
    }
    double gain = grafted.gain(a).orElse(Double.NaN);
    if (json) {
      JsonOutput.print(print, new Printed(learnt, end, grafted.scores(), gain));
      return;
    }
    print.print(table);
    print.printf(Locale.ROOT, "mean gain: %.2f%n", gain);
    print.flush();
  }

  private static String text(Double score) {
    return score == null ? "" : String.format(Locale.ROOT, "%.2f", score);
  }
}
