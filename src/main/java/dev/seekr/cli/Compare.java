package dev.seekr.cli;

import dev.seekr.Failure;
import dev.seekr.Stop;
import dev.seekr.cli.Comparison.Planned;
import dev.seekr.config.MethodName;
import dev.seekr.config.RunConfig;
import dev.seekr.disk.Attempt;
import dev.seekr.disk.Disk;
import dev.seekr.page.Results;
import dev.seekr.page.RunRecord;
import dev.seekr.report.ResidentMemory;
import dev.seekr.run.Damaged;
import dev.seekr.run.ProgressListener;
import dev.seekr.run.Run;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * Trains by several methods, seeds, task orders and values of settings, and puts the results side
 * by side.
 */
@Command(
    name = "compare",
    description =
        "Trains one run for each combination of methods, seeds, task orders and settings, and compares them. "
            + "Finished runs are kept: the same command again resumes.",
    footer = {
      "",
      "Example: seekr compare run.yaml --methods seqft,replay,seekr --seeds 1,2,3 --out runs/all",
      "A sweep: seekr compare run.yaml --methods seekr --set method.seekr.heads=32,64,128"
          + " --set method.replay_ratio=0.01,0.05 --out runs/sweep"
    })
final class Compare implements Runnable {
  @Spec private CommandSpec spec;

  @Parameters(
      index = "0..*",
      paramLabel = "CONFIG|KEY=VALUE",
      description =
          "YAML files, each overriding those before it, then single settings:"
              + " common to all runs.")
  private List<String> arguments = List.of();

  @Option(
      names = "--methods",
      split = ",",
      paramLabel = "METHOD",
      description = "Methods, separated by commas; default: all.")
  private List<MethodName> methods = List.of(MethodName.values());

  @Option(
      names = "--seeds",
      split = ",",
      paramLabel = "SEED",
      description = "Seeds, separated by commas; default 1.")
  private List<Long> seeds = List.of(1L);

  @Option(
      names = "--order",
      paramLabel = "TASK,…",
      description = "A task order, by task names; repeatable. Default: that of the settings.")
  private List<String> orders = List.of();

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE,…",
      converter = Swept.Reader.class,
      description =
          "Values of a setting to sweep; repeatable, all combinations are run. Commas in brackets or quotation marks belong to a value.")
  private List<Swept> swept = List.of();

  @Option(names = "--list", description = "Print one command per run, and run nothing.")
  private boolean list;

  @Option(
      names = "--only",
      paramLabel = "K",
      description =
          "Run only the K-th of --list, from 1; other processes may run others at the same time.")
  private Integer only;

  @Option(names = "--out", required = true, description = "Folder that contains the run folders.")
  private Path folder;

  @Option(names = "--csv", paramLabel = "FILE", description = "Also write the table as CSV.")
  private Path csv;

  @Option(names = "--latex", paramLabel = "FILE", description = "Also write the table for LaTeX.")
  private Path latex;

  @Option(
      names = "--json",
      description = "Print the table as one JSON object, and progress on stderr.")
  private boolean json;

  @Override
  public void run() {
    if (!list) Processes.requireOne("compare");
    requireApart();
    if (list && json)
      throw new ParameterException(
          spec.commandLine(), "--json prints results, and --list makes none; leave one out");
    var comparison =
        Comparison.of(
            new Comparison.Asked(arguments, methods, seeds, orders, List.copyOf(swept), folder));
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter print = json || list ? spec.commandLine().getErr() : out;
    comparison.notes().forEach(print::println);
    print.flush();
    List<Planned> plan = comparison.runs();
    if (only != null && (only < 1 || only > plan.size()))
      throw new ParameterException(
          spec.commandLine(),
          "--only %d: expected a number from 1 to %d, as --list has them"
              .formatted(only, plan.size()));
    plan.forEach(Planned::requireFiles);
    if (list) {
      selected(plan).forEach(i -> out.println(plan.get(i).command()));
      out.flush();
      return;
    }
    Stop stop = Main.stop(spec, plan.getFirst().config());
    if (Run.in(folder))
      throw Failure.config("%s: holds a run; --out names a folder for runs", folder);
    Disk.makeFolder(folder);
    // One run of a comparison holds its own folder alone, so that others may go on beside it.
    try (var _ = only == null ? Attempt.take(folder, 1) : null) {
      for (int i : selected(plan)) {
        var planned = plan.get(i);
        String title = "run %d/%d: %s".formatted(i + 1, plan.size(), planned.title());
        ResidentMemory.resetPeak();
        train(planned.config(), title, stop, print);
      }
      results(plan, out, print);
    }
  }

  /** Places of the runs that are to be made or listed, from 0. */
  private List<Integer> selected(List<Planned> plan) {
    if (only != null) return List.of(only - 1);
    return IntStream.range(0, plan.size()).boxed().toList();
  }

  /** The table of all that is finished, and what is not. */
  private void results(List<Planned> plan, PrintWriter out, PrintWriter print) {
    var missing = plan.stream().filter(p -> !p.finished()).toList();
    var results =
        Results.of(
            plan.stream()
                .filter(p -> !missing.contains(p))
                .map(p -> RunRecord.read(p.folder()))
                .toList(),
            swept.stream().map(Swept::key).toList());
    if (json) JsonOutput.print(out, results.json());
    else out.print(results.text());
    results.notes().forEach(print::println);
    for (Planned p : missing)
      print.println("missing, since it is not finished: run " + (plan.indexOf(p) + 1) + ": " + p);
    print.flush();
    out.flush();
    if (csv != null) Disk.publish(csv, results.csv());
    if (latex != null) Disk.publish(latex, results.latex());
  }

  /** Trains one run, unless it is finished; one that cannot go on is put aside and begun anew. */
  private void train(RunConfig config, String title, Stop stop, PrintWriter print) {
    try (var progress = new ProgressListener();
        var run = open(config, stop, progress, print)) {
      print.println(title + (run.finished() ? ", is finished" : ""));
      if (run.finished()) return;
      run.notes().forEach(print::println);
      print.flush();
      try {
        if (stop.requested()) stop.now();
        Outcomes.print(print, config, run.train());
        print.println();
      } catch (Stop.Stopped stopped) {
        throw new Failure(
            Failure.Exit.RETRY,
            "stopped at %s, %s%s; go on with: %s %s"
                .formatted(
                    title,
                    run.place(),
                    Runs.reason(stop),
                    Runs.program(),
                    Quoting.quoted(commandLine())));
      }
    }
  }

  private static Run open(
      RunConfig config, Stop stop, ProgressListener progress, PrintWriter print) {
    try {
      return Run.open(config, stop, List.of(progress));
    } catch (Damaged damaged) {
      Path aside = Run.aside(config).orElseThrow(() -> damaged);
      print.printf(
          "%s cannot go on (%s) and is now %s%n", config.run().out(), damaged.getMessage(), aside);
      return Run.open(config, stop, List.of(progress));
    }
  }

  private List<String> commandLine() {
    var parsed = spec.commandLine().getParent().getParseResult();
    return parsed.originalArgs();
  }

  /** What several options would set is a mistake. */
  private void requireApart() {
    var elsewhere = new LinkedHashMap<String, String>();
    elsewhere.put("run.out", "is set by --out here");
    elsewhere.put("method.name", "is set by --methods here");
    elsewhere.put("train.seed", "is set by --seeds here");
    for (Swept s : swept) {
      if (!orders.isEmpty() && s.key().equals("data.tasks"))
        throw new ParameterException(spec.commandLine(), "data.tasks is set by --order here");
      String by = elsewhere.putIfAbsent(s.key(), "is set by --set here");
      if (by != null) throw new ParameterException(spec.commandLine(), s.key() + " " + by);
    }
    for (String argument : arguments)
      elsewhere.forEach(
          (key, by) -> {
            if (argument.startsWith(key + "="))
              throw new ParameterException(spec.commandLine(), key + " " + by);
          });
    requireDistinct("--methods", methods);
    requireDistinct("--seeds", seeds);
    requireDistinct("--order", orders);
  }

  private void requireDistinct(String option, List<?> values) {
    if (new HashSet<>(values).size() < values.size())
      throw new ParameterException(
          spec.commandLine(), option + " names one twice: " + values + "; each makes one run");
  }
}
