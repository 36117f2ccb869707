package dev.seekr.cli;

import dev.seekr.config.RunConfig;
import dev.seekr.run.Run;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Trains a model on a sequence of tasks and evaluates it after each. */
@Command(
    name = "train",
    description =
        "Trains on a sequence of tasks, and after each scores all tasks seen so far. "
            + "The same command resumes a stopped run.",
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
      description = "YAML files, each overriding those before it, then single settings.")
  private List<String> arguments = List.of();

  @Option(
      names = "--fresh",
      description = "Start over; an existing run is renamed to NAME.aside-1.")
  private boolean fresh;

  @Option(
      names = "--json",
      description = "Print the results as one JSON object, and all else on stderr.")
  private boolean json;

  @Override
  public void run() {
    RunConfig config = Settings.read(arguments).requireTrainable();
    String goOn = Runs.program() + " resume " + Quoting.quoted(config.run().out());
    var how = new Runs(spec, json);
    how.train(fresh ? Run::anew : Run::open, config, Main.stop(spec, config), goOn);
  }
}
