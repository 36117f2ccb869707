package dev.seekr.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
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
    var found = FoundRuns.in(folders, spec);
    var unfinished = found.unfinished();
    var compared = found.all().stream().filter(run -> !unfinished.contains(run)).toList();
    var comparison = Comparison.of(compared);
    if (json) JsonOutput.print(out, comparison);
    else out.print(comparison.text());
    PrintWriter notes = json ? spec.commandLine().getErr() : out;
    for (Path run : unfinished) notes.println("left out, since it is not finished: " + run);
    notes.flush();
    out.flush();
  }
}
