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
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Scores a model on the test samples of tasks. */
@Command(
    name = "eval",
    description = "Scores a model on the test samples of tasks; nothing is trained.",
    footer = {
      "",
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

  @Override
  public void run() {
    RunConfig config = Settings.read(arguments).requireEvaluable();
    PrintWriter out = spec.commandLine().getOut();
    List<Task> tasks = TaskSequence.load(config.data());
    try (Ops ops = Backends.open(config.run());
        var lm = LanguageModel.load(Path.of(config.model().path()), ops)) {
      out.println("backend: " + ops.description());
      var evaluator =
          new Evaluator(
              lm.model(), lm.tokenizer(), lm.encoder(config.data()), lm.prompts(), config.eval());
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
              "%s%n  expected %s%n  answered %s%n",
              p.prompt().strip(), String.join(" | ", p.answers()), p.prediction());
        }
      }
      out.print(table);
      out.flush();
    }
  }
}
