package dev.seekr.cli;

import dev.seekr.Failure;
import dev.seekr.config.RunConfig;
import dev.seekr.disk.RunFolder;
import dev.seekr.run.Run;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Goes on with a run that was stopped. */
@Command(name = "resume", description = "Resumes a stopped run with the settings in its folder.")
final class Resume implements Runnable {
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "RUN", description = "Run folder.")
  private Path run;

  @Option(
      names = "--json",
      description = "Print the results as one JSON object, and all else on stderr.")
  private boolean json;

  @Override
  public void run() {
    if (!Files.exists(new RunFolder(run).config()))
      throw Failure.input("%s: holds no run: there is no config.yaml", run);
    RunConfig config = Run.settings(run);
    String goOn = Runs.program() + " resume " + Quoting.quoted(run.toString());
    new Runs(spec, json).train(Run::open, config, Main.stop(spec, config), goOn);
  }
}
