package dev.seekr.cli;

import dev.seekr.Failure;
import dev.seekr.config.ConfigReader;
import dev.seekr.config.ConfigWriter;
import dev.seekr.disk.Disk;
import dev.seekr.disk.Reading;
import dev.seekr.disk.RunFolder;
import dev.seekr.report.ThinLog;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Copies of runs that are small enough to be kept beside a text or in a repository. */
@Command(
    name = "thin",
    description =
        "Copies settings in use, scores and a thinned log of finished runs. "
            + "summary and report can read the copies; they contain no weights, samples or answers.",
    footer = {"", "Example: seekr thin runs/all --out results/all"})
final class Thin implements Runnable {
  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "RUN",
      arity = "1..*",
      description = "Folders of finished runs, or folders that contain such.")
  private List<Path> folders;

  @Option(
      names = "--out",
      required = true,
      description = "Folder for the copies, which keep the runs' names.")
  private Path out;

  @Option(
      names = "--steps",
      paramLabel = "N",
      description = "Steps per task to keep in the log; default: ${DEFAULT-VALUE}.")
  private int steps = 4;

  @Option(names = "--json", description = "Print what was written as one JSON object.")
  private boolean json;

  /** What --json prints. */
  private record Written(List<WrittenFile> files) {}

  @Override
  public void run() {
    if (steps < 0)
      throw new ParameterException(
          spec.commandLine(), "--steps %d: expected a number from 0".formatted(steps));
    var found = FoundRuns.in(folders, spec);
    var unfinished = found.unfinished();
    var runs = found.all().stream().filter(run -> !unfinished.contains(run)).toList();
    runs.forEach(Summary::requireFinished);
    requireApart(runs);
    var files = runs.stream().flatMap(run -> copy(run).stream()).map(WrittenFile::of).toList();
    PrintWriter print = spec.commandLine().getOut();
    if (json) JsonOutput.print(print, new Written(files));
    else
      print.printf(
          "%s: %d runs, %d bytes%n",
          out, runs.size(), files.stream().mapToLong(WrittenFile::bytes).sum());
    PrintWriter notes = json ? spec.commandLine().getErr() : print;
    for (Path run : unfinished) notes.println("left out, since it is not finished: " + run);
    notes.flush();
    print.flush();
  }

  /** Copies have the names of the runs, and are not written over these. */
  private void requireApart(List<Path> runs) {
    var names = new HashSet<Path>();
    for (Path run : runs) {
      if (!names.add(to(run)))
        throw new ParameterException(
            spec.commandLine(), run + ": another run has the same name; copy it to another --out");
      if (Reading.real(to(run)).equals(Reading.real(run)))
        throw Failure.config("%s: would be written over; choose another --out", run);
    }
  }

  private Path to(Path run) {
    return out.resolve(run.toAbsolutePath().normalize().getFileName());
  }

  private List<Path> copy(Path run) {
    var from = new RunFolder(run);
    var to = new RunFolder(to(run));
    Disk.makeFolder(out);
    Disk.makeFolder(to.path());
    var config = ConfigReader.recorded(Reading.text(from.config()), from.config().toString());
    Disk.publish(to.config(), ConfigWriter.inUse(config));
    Disk.publish(to.scoresJson(), Reading.text(from.scoresJson()));
    Disk.publish(to.log(), ThinLog.of(from.log(), steps));
    var files = new ArrayList<>(List.of(to.config(), to.scoresJson(), to.log()));
    if (Files.exists(from.graftedJson())) {
      Disk.publish(to.graftedJson(), Reading.text(from.graftedJson()));
      files.add(to.graftedJson());
    }
    return files;
  }
}
