package dev.seekr.cli;

import dev.seekr.Failure;
import dev.seekr.disk.RunFolder;
import dev.seekr.page.Measure;
import dev.seekr.page.Paired;
import dev.seekr.page.Results;
import dev.seekr.page.RunRecord;
import dev.seekr.report.RunLog;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
        "Compares finished runs by method: OP, BWT, time and memory, with mean ± standard deviation over seeds.",
    footer = {"", "Example: seekr summary runs/all --columns op,bwt --against derpp --against mtl"})
final class Summary implements Runnable {
  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "RUN",
      arity = "1..*",
      description = "Folders of finished runs, or folders that contain such.")
  private List<Path> folders;

  @Option(
      names = "--columns",
      split = ",",
      paramLabel = "COLUMN",
      description = "Columns to show: ${COMPLETION-CANDIDATES}. Default: all that the runs have.")
  private List<Measure> columns = List.of(Measure.values());

  @Option(
      names = "--against",
      paramLabel = "METHOD|KEY=VALUE",
      description =
          "Also print each row's paired differences over seeds from this method's row, or from the row with this value of a setting and no other difference: means with 95 %% confidence intervals. Repeatable.")
  private List<String> against = List.of();

  @Option(names = "--json", description = "Print one JSON object; what is omitted, on stderr.")
  private boolean json;

  @Override
  public void run() {
    PrintWriter out = spec.commandLine().getOut();
    var found = FoundRuns.in(folders, spec);
    var unfinished = found.unfinished();
    var compared = found.all().stream().filter(run -> !unfinished.contains(run)).toList();
    compared.forEach(Summary::requireFinished);
    var runs = compared.stream().map(RunRecord::read).toList();
    var results = Results.of(runs).only(columns);
    var paired = against.stream().map(text -> paired(runs, text)).toList();
    if (json) JsonOutput.print(out, json(results, paired));
    else {
      out.print(results.text());
      paired.forEach(p -> out.print("\n" + p.text()));
    }
    PrintWriter notes = json ? spec.commandLine().getErr() : out;
    results.notes().forEach(notes::println);
    for (Path run : unfinished) notes.println("left out, since it is not finished: " + run);
    notes.flush();
    out.flush();
  }

  private Paired paired(List<RunRecord> runs, String text) {
    var others = Paired.Against.of(text);
    if (runs.stream().noneMatch(others::has))
      throw new ParameterException(
          spec.commandLine(),
          "--against %s: expected a method of these runs, or KEY=VALUE as a config.yaml of theirs has it"
              .formatted(text));
    return Paired.of(runs, others, columns);
  }

  private static Map<String, Object> json(Results results, List<Paired> paired) {
    var json = new LinkedHashMap<String, Object>(results.json());
    for (Paired p : paired) json.put("minus " + p.against(), p.json());
    return json;
  }

  static void requireFinished(Path run) {
    if (RunLog.last(RunLog.read(new RunFolder(run).log()), "end").isEmpty())
      throw Failure.data("%s: the run is not finished", run);
  }
}
