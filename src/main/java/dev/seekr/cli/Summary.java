package dev.seekr.cli;

import dev.seekr.Failure;
import dev.seekr.disk.RunFolder;
import dev.seekr.page.Results;
import dev.seekr.page.RunRecord;
import dev.seekr.report.RunLog;
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
    compared.forEach(Summary::requireFinished);
    var results = Results.of(compared.stream().map(RunRecord::read).toList());
    if (json) JsonOutput.print(out, results.json());
    else out.print(results.text());
    PrintWriter notes = json ? spec.commandLine().getErr() : out;
    results.notes().forEach(notes::println);
    for (Path run : unfinished) notes.println("left out, since it is not finished: " + run);
    notes.flush();
    out.flush();
  }

  private static void requireFinished(Path run) {
    if (RunLog.last(RunLog.read(new RunFolder(run).log()), "end").isEmpty())
      throw Failure.data("%s: the run is not finished", run);
  }
}
