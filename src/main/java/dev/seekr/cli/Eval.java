package dev.seekr.cli;

import dev.seekr.backends.Backends;
import dev.seekr.config.RunConfig;
import dev.seekr.data.Task;
import dev.seekr.data.TaskSequence;
import dev.seekr.evaluation.Evaluator;
import dev.seekr.evaluation.LanguageModel;
import dev.seekr.ops.Ops;
import dev.seekr.report.Table;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
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
        "Scores a model on test.json of tasks, or on benchmarks of general ability; nothing is trained.",
    footer = {
      "",
      "Example: seekr eval --general FOLDER SmolLM2-135M --sets mmlu,piqa --limit 20",
      "Example: seekr eval run.yaml model.path=runs/first/models/04-task875 data.tasks=[task363]"
    })
final class Eval implements Runnable {
  @Spec private CommandSpec spec;

  @Parameters(
      index = "0..*",
      paramLabel = "CONFIG|KEY=VALUE",
      description =
          "YAML files, a later one laid over those before it, then settings that override them.")
  private List<String> arguments = List.of();

  @Option(
      names = "--show",
      paramLabel = "N",
      description = "Print the first N answers of each task.")
  private int show;

  @Option(
      names = "--general",
      paramLabel = "FOLDER",
      description =
          "Ask the benchmarks in this folder instead; the first argument is then the model's folder.")
  private String general;

  @Option(
      names = "--sets",
      split = ",",
      paramLabel = "SET",
      description = "With --general: mmlu, gsm8k, bbh, tydiqa, boolq, piqa; default all.")
  private List<String> sets = List.of();

  @Option(
      names = "--limit",
      paramLabel = "N",
      description = "With --general: the first N questions of each subject, task or language.")
  private Integer limit;

  @Option(
      names = "--json",
      paramLabel = "FILE",
      description = "With --general: write what was given to each question here.")
  private Path json;

  @Override
  public void run() {
    if (general != null) {
      EvalGeneral.run(general(), spec.commandLine().getOut(), json);
      return;
    }
    if (!sets.isEmpty() || limit != null || json != null)
      throw new ParameterException(spec.commandLine(), "--sets, --limit and --json need --general");
    RunConfig config = Settings.read(arguments).requireEvaluable();
    PrintWriter out = spec.commandLine().getOut();
    List<Task> tasks = TaskSequence.loadTests(config.data());
    try (Ops ops = Backends.open(config.run());
        var lm =
            LanguageModel.load(Path.of(config.model().path()), config.model().ignored(), ops)) {
      out.println("backend: " + ops.description());
      var evaluator =
          new Evaluator(
              lm.model(), lm.tokenizer(), lm.encoder(config.data()), lm.prompts(), config.eval());
      lm.beyond(tasks, lm.encoder(config.data()), config.eval().maxNewTokens())
          .ifPresent(out::println);
      var table = new Table("task", "samples", "metric", "score");
      for (Task task : tasks) {
        var result = evaluator.evaluate(task);
        table.row(
            task.name(),
            task.test().size(),
            result.metric(),
            String.format(Locale.ROOT, "%.2f", result.score()));
        for (var p : result.predictions().subList(0, Math.min(show, result.predictions().size()))) {
          out.printf(
              "%s%n  expected %s%n  answered %s%n", p.prompt().strip(), p.answer(), p.prediction());
          if (!p.scored().equals(p.prediction())) out.printf("  scored   %s%n", p.scored());
        }
      }
      out.print(table);
      out.flush();
    }
  }

  /** MODEL, then settings as elsewhere; options win over these. */
  private RunConfig general() {
    if (arguments.isEmpty())
      throw new ParameterException(spec.commandLine(), "--general FOLDER needs a model's folder");
    var settings = new ArrayList<>(arguments.subList(1, arguments.size()));
    settings.add("model.path=" + arguments.getFirst());
    settings.add("eval.general.root=" + general);
    if (!sets.isEmpty()) settings.add("eval.general.sets=[" + String.join(",", sets) + "]");
    if (limit != null) settings.add("eval.general.limit=" + limit);
    return Settings.read(settings);
  }
}
