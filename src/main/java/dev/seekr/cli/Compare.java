package dev.seekr.cli;

import dev.seekr.Failure;
import dev.seekr.Stop;
import dev.seekr.config.MethodName;
import dev.seekr.config.RunConfig;
import dev.seekr.disk.Attempt;
import dev.seekr.disk.Disk;
import dev.seekr.report.ResidentMemory;
import dev.seekr.run.Damaged;
import dev.seekr.run.ProgressListener;
import dev.seekr.run.Run;
import java.io.PrintWriter;
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

/** Trains by several methods, seeds and task orders, and puts the results side by side. */
@Command(
    name = "compare",
    description =
        "Trains by several methods, seeds and task orders, one run after another, and compares them. "
            + "Finished runs are kept, so that the same command goes on where it was stopped.",
    footer = {
      "",
      "Example: seekr compare run.yaml --methods seqft,replay,seekr --seeds 1,2,3 --out runs/all"
    })
final class Compare implements Runnable {
  @Spec private CommandSpec spec;

  @Parameters(
      index = "0..*",
      paramLabel = "CONFIG|KEY=VALUE",
      description =
          "YAML files, a later one laid over those before it, then settings that override them:"
              + " the same for all runs.")
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
      description =
          "A task order, by names; again for each further one. Default: the settings' own.")
  private List<String> orders = List.of();

  @Option(names = "--out", required = true, description = "Folder for the runs' folders.")
  private Path folder;

  @Option(names = "--csv", paramLabel = "FILE", description = "Also write the table as CSV.")
  private Path csv;

  @Option(names = "--latex", paramLabel = "FILE", description = "Also write the table for LaTeX.")
  private Path latex;

  @Option(
      names = "--json",
      description = "Print the table as one JSON object, and what is trained on stderr.")
  private boolean json;

  /** A run of the comparison: its settings say all, its folder included. */
  private record Planned(String title, RunConfig config) {
    Path folder() {
      return Path.of(config.run().out());
    }
  }

  @Override
  public void run() {
    List<Planned> plan = plan();
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter print = json ? spec.commandLine().getErr() : out;
    Stop stop = Seekr.stop(spec, plan.getFirst().config);
    if (Run.in(folder))
      throw Failure.config("%s: holds a run; --out names a folder for runs", folder);
    Disk.makeFolder(folder);
    try (var _ = Attempt.take(folder, 1)) {
      for (int i = 0; i < plan.size(); i++) {
        var planned = plan.get(i);
        String title = "run %d/%d: %s".formatted(i + 1, plan.size(), planned.title);
        ResidentMemory.resetPeak();
        train(planned.config, title, stop, print);
      }
      var comparison = Comparison.of(plan.stream().map(Planned::folder).toList());
      if (json) JsonOutput.print(out, comparison);
      else out.print(comparison.text());
      out.flush();
      if (csv != null) Disk.publish(csv, comparison.csv());
      if (latex != null) Disk.publish(latex, comparison.latex());
    }
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

  private List<Planned> plan() {
    for (String argument : arguments)
      for (String key : List.of("run.out", "method.name", "train.seed"))
        if (argument.startsWith(key + "="))
          throw new ParameterException(
              spec.commandLine(), key + " is set by --out, --methods or --seeds here");
    requireDistinct("--methods", methods);
    requireDistinct("--seeds", seeds);
    requireDistinct("--order", orders);
    var plan = new ArrayList<Planned>();
    for (MethodName method : methods) {
      for (int order = 0; order < Math.max(1, orders.size()); order++) {
        for (long seed : seeds) {
          String name = method + "-" + seed + (orders.size() > 1 ? "-order" + (order + 1) : "");
          var settings = new ArrayList<>(arguments);
          settings.add("method.name=" + method);
          settings.add("train.seed=" + seed);
          if (!orders.isEmpty()) settings.add("data.tasks=" + Quoting.yaml(orders.get(order)));
          String title =
              method + ", seed " + seed + (orders.size() > 1 ? ", order " + (order + 1) : "");
          var config = Settings.read(settings).at(folder.resolve(name).toString());
          plan.add(new Planned(title, config.requireTrainable()));
        }
      }
    }
    return plan;
  }

  private void requireDistinct(String option, List<?> values) {
    if (new HashSet<>(values).size() < values.size())
      throw new ParameterException(
          spec.commandLine(), option + " names one twice: " + values + "; each makes one run");
  }
}
