package dev.seekr.cli;

import dev.seekr.Failure;
import dev.seekr.disk.Reading;
import dev.seekr.disk.RunFolder;
import dev.seekr.run.Run;
import java.io.IOException;
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

/** Puts finished runs side by side. */
@Command(
    name = "summary",
    description =
        "Compares finished runs: OP, BWT, time and memory by method; several seeds as mean ± standard deviation.")
final class Summary implements Runnable {
  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "RUN",
      arity = "1..*",
      description = "Folders of finished runs, or of comparisons: all finished runs in them.")
  private List<Path> folders;

  @Option(names = "--json", description = "Print one JSON object; what is left out, on stderr.")
  private boolean json;

  @Override
  public void run() {
    PrintWriter out = spec.commandLine().getOut();
    var runs = new ArrayList<Path>();
    var unfinished = new ArrayList<Path>();
    for (Path folder : folders) {
      if (isRun(folder)) runs.add(folder);
      else inside(folder, runs, unfinished);
    }
    requireDistinct(runs);
    var comparison = Comparison.of(runs);
    if (json) JsonOutput.print(out, comparison);
    else out.print(comparison.text());
    PrintWriter notes = json ? spec.commandLine().getErr() : out;
    for (Path run : unfinished) notes.println("left out, since it is not finished: " + run);
    notes.flush();
    out.flush();
  }

  private static boolean isRun(Path folder) {
    return Files.exists(new RunFolder(folder).log());
  }

  /** The runs of a comparison. */
  private static void inside(Path folder, List<Path> runs, List<Path> unfinished) {
    int before = runs.size() + unfinished.size();
    for (Path run : Reading.list(folder)) {
      if (!isRun(run) || run.getFileName().toString().contains(".aside-")) continue;
      (Run.finished(run) ? runs : unfinished).add(run);
    }
    if (runs.size() + unfinished.size() == before)
      throw Failure.input("%s: expected a run or a comparison, found no log.jsonl", folder);
  }

  private void requireDistinct(List<Path> runs) {
    var seen = new HashSet<Path>();
    for (Path run : runs) {
      if (!seen.add(real(run)))
        throw new ParameterException(
            spec.commandLine(), run + " is named twice; a run counts once");
    }
  }

  private static Path real(Path run) {
    try {
      return run.toRealPath();
    } catch (IOException e) {
      return run.toAbsolutePath().normalize();
    }
  }
}
