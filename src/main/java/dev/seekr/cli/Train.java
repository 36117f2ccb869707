package dev.seekr.cli;

import dev.seekr.config.RunConfig;
import dev.seekr.trainer.Trainer;
import java.io.PrintWriter;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Trains a model on a sequence of tasks and evaluates it after each. */
@Command(
    name = "train",
    description =
        "Learns a sequence of tasks one after another, and scores every task seen after each.",
    footer = {
      "",
      "Example: seekr train run.yaml presets/ewc.yaml train.lr=1e-4 run.out=runs/first",
      "'seekr info --config' prints every key with its default."
    })
final class Train implements Runnable {
  @Spec private CommandSpec spec;

  @Parameters(
      index = "0..*",
      paramLabel = "CONFIG|KEY=VALUE",
      description =
          "YAML files, a later one laid over those before it, then settings that override them.")
  private List<String> arguments = List.of();

  @Override
  public void run() {
    RunConfig config = Settings.read(arguments).requireTrainable();
    PrintWriter out = spec.commandLine().getOut();
    try (var trainer = new Trainer(config)) {
      out.println("backend: " + trainer.backend());
      out.flush();
      var outcome = trainer.run();
      out.println();
      Outcomes.print(out, config, outcome);
      out.flush();
    }
  }
}
