package dev.seekr.cli;

import dev.seekr.Failure;
import dev.seekr.config.ConfigWriter;
import dev.seekr.config.RunConfig;
import dev.seekr.config.RunConfig.MethodName;
import dev.seekr.report.ResidentMemory;
import dev.seekr.trainer.Trainer;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
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
  private Path out;

  @Option(names = "--csv", paramLabel = "FILE", description = "Also write the table as CSV.")
  private Path csv;

  @Option(names = "--latex", paramLabel = "FILE", description = "Also write the table for LaTeX.")
  private Path latex;

  /** A run of the comparison: its settings say all, its folder included. */
  private record Planned(String title, RunConfig config) {
    Path folder() {
      return Path.of(config.run().out());
    }
  }

  @Override
  public void run() {
    List<Planned> plan = plan();
    PrintWriter print = spec.commandLine().getOut();
    for (int i = 0; i < plan.size(); i++) {
      var planned = plan.get(i);
      boolean done = finished(planned);
      print.printf(
          "run %d/%d: %s%s%n", i + 1, plan.size(), planned.title, done ? ", is finished" : "");
      print.flush();
      if (done) continue;
      delete(planned.folder());
      ResidentMemory.resetPeak();
      try (var trainer = new Trainer(planned.config)) {
        Outcomes.print(print, planned.config, trainer.run());
        print.println();
      }
    }
    var comparison = Comparison.of(plan.stream().map(Planned::folder).toList());
    print.print(comparison.text());
    print.flush();
    if (csv != null) write(csv, comparison.csv());
    if (latex != null) write(latex, comparison.latex());
  }

  private List<Planned> plan() {
    var plan = new ArrayList<Planned>();
    for (MethodName method : methods) {
      for (int order = 0; order < Math.max(1, orders.size()); order++) {
        for (long seed : seeds) {
          String name = method + "-" + seed + (orders.size() > 1 ? "-order" + (order + 1) : "");
          var settings = new ArrayList<>(arguments);
          settings.add("method.name=" + method);
          settings.add("train.seed=" + seed);
          settings.add("run.out=" + out.resolve(name));
          if (!orders.isEmpty()) settings.add("data.tasks=[" + orders.get(order) + "]");
          String title =
              method + ", seed " + seed + (orders.size() > 1 ? ", order " + (order + 1) : "");
          plan.add(new Planned(title, Settings.read(settings).requireTrainable()));
        }
      }
    }
    return plan;
  }

  /**
   * Whether the run is there and at its end. Throws Failure (78) when it is of other settings: it
   * would not be comparable, and is not deleted unasked.
   */
  private static boolean finished(Planned planned) {
    Path config = planned.folder().resolve("config.yaml");
    if (!Files.exists(config)) return false;
    List<String> wanted = ConfigWriter.write(planned.config).lines().toList();
    List<String> found = lines(config);
    for (int i = 0; i < Math.max(wanted.size(), found.size()); i++) {
      String was = i < found.size() ? found.get(i).strip() : "nothing";
      String is = i < wanted.size() ? wanted.get(i).strip() : "nothing";
      if (!was.equals(is)) {
        throw Failure.config(
            "%s: line %d has '%s', this comparison '%s'; choose another --out, or delete the run",
            config, i + 1, was, is);
      }
    }
    return Comparison.event(planned.folder(), "end").isPresent();
  }

  private static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file);
    } catch (IOException e) {
      throw Failure.input("%s: cannot be read: %s", file, e);
    }
  }

  /** A run that was stopped begins anew. Only what {@link #finished} has recognised is deleted. */
  private static void delete(Path run) {
    if (!Files.exists(run.resolve("config.yaml"))) return;
    try (var files = Files.walk(run)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(file);
    } catch (IOException e) {
      throw new Failure(Failure.Exit.IO, run + ": cannot be deleted: " + e, e);
    }
  }

  private static void write(Path file, String text) {
    try {
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new Failure(Failure.Exit.CREATE, file + ": cannot be written: " + e, e);
    }
  }
}
