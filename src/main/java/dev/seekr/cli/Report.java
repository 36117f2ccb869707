package dev.seekr.cli;

import dev.seekr.disk.Disk;
import dev.seekr.page.Page;
import dev.seekr.page.RunRecord;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Runs as a page to look at. */
@Command(
    name = "report",
    description =
        "Writes one self-contained HTML page about runs: results, scores, curves, answers lost and gained, settings.",
    footer = {"", "Example: seekr report runs/all -o report.html"})
final class Report implements Runnable {
  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "RUN",
      arity = "1..*",
      description = "Folders of runs, or folders that contain runs.")
  private List<Path> folders;

  @Option(
      names = {"-o", "--out"},
      paramLabel = "FILE",
      description = "File to write; default: ${DEFAULT-VALUE}.")
  private Path file = Path.of("report.html");

  @Option(names = "--no-examples", description = "Omit answers, which contain text of the data.")
  private boolean noExamples;

  @Option(names = "--json", description = "Print what was written as one JSON object.")
  private boolean json;

  /** What --json prints. */
  private record Written(WrittenFile page, List<String> runs) {}

  @Override
  public void run() {
    var found = FoundRuns.in(folders, spec);
    var page = new Page(found.all().stream().map(RunRecord::read).toList(), !noExamples);
    Disk.publish(file, page.html());
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      var runs = found.all().stream().map(Path::toString).toList();
      JsonOutput.print(out, new Written(WrittenFile.of(file), runs));
    } else out.printf("%s: %d runs%n", file, found.all().size());
    out.flush();
  }
}
