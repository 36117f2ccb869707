package dev.seekr.cli;

import dev.seekr.Failure;
import dev.seekr.backends.Backends;
import dev.seekr.config.RunConfig;
import dev.seekr.config.RunSettings;
import dev.seekr.config.RunSettings.Floats;
import dev.seekr.config.TrainSettings.Recompute;
import dev.seekr.distributed.Collectives;
import dev.seekr.ops.Ops;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.verify.Checks;
import dev.seekr.verify.GeneralCheck;
import dev.seekr.verify.Golden;
import dev.seekr.verify.StepsCheck;
import dev.seekr.verify.Yardstick;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Compares the kernels, losses, scores and a whole run with reference numbers. */
@Command(
    name = "verify",
    description =
        "Compares models, losses, gradients, head scores and whole runs with reference folders; exits 1 on any miss.")
final class Verify implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "DIR",
      arity = "1..*",
      description =
          "Folders with config.json; prev, teacher, student, batch and expected.safetensors; and a trace, if any.")
  private List<Path> folders;

  @Option(
      names = "--steps",
      paramLabel = "FILE",
      description =
          "Train each DIR, a model, on the batch of this file and compare losses and gradient norms; made by scripts/steps_reference.py.")
  private Path steps;

  @Option(
      names = "--general",
      paramLabel = "FILE",
      description =
          "Ask each DIR, a model, the questions of this file and compare its answers; made by scripts/general_reference.py.")
  private Path general;

  @Option(
      names = "--data",
      paramLabel = "FOLDER",
      description = "With --general: the folder that contains the benchmarks.")
  private Path data;

  @Mixin private BackendOptions backend;

  @Option(
      names = "--recompute",
      arity = "0..1",
      fallbackValue = "layers",
      paramLabel = "WHAT",
      description = "Activations to recompute in the backward pass: ${COMPLETION-CANDIDATES}.")
  private Recompute recompute = Recompute.none;

  @Option(names = "--misses", description = "Print misses only.")
  private boolean missesOnly;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  /** What --json prints; an error that is no number is text. */
  private record Json(
      String backend, int folders, long quantities, long missed, List<Quantity> checks) {}

  private record Quantity(String of, String quantity, Object error, double bound, boolean passed) {}

  private final List<Quantity> quantities = new ArrayList<>();
  private long checked, missed;

  @Override
  public Integer call() {
    Processes.run((Faults) spec.commandLine().getExecutionExceptionHandler(), this::verify);
    return missed == 0 ? 0 : 1;
  }

  private void verify(Collectives all) {
    for (Path folder : folders) {
      if (!Files.isDirectory(folder)) throw Failure.input("%s: no such folder", folder);
    }
    if ((general == null) != (data == null))
      throw new ParameterException(spec.commandLine(), "--general and --data go together");
    if (!all.first()) spec.commandLine().setOut(new PrintWriter(Writer.nullWriter()));
    PrintWriter out = spec.commandLine().getOut();
    String description;
    RunSettings run = backend.apply(RunConfig.DEFAULT.run());
    try (Ops ops = Backends.open(run, all.localRank());
        var _ = Backends.connect(ops, all)) {
      description = ops.description();
      if (!json) {
        out.println("backend: " + description);
        if (all.ranks() > 1) out.println(all.ranks() + " processes");
      }
      if (general != null) {
        for (Path folder : folders)
          print(general + " by " + folder, GeneralCheck.verify(general, data, folder, ops));
      } else if (steps != null) {
        for (Path folder : folders)
          print(steps + " by " + folder, StepsCheck.verify(steps, folder, ops, recompute));
      } else if (run.dtype() == Floats.f32) {
        for (Path folder : folders)
          print(folder.toString(), Golden.verify(folder, ops, recompute, all));
      } else {
        byYardstick(ops, new ReferenceOps(ops.dtype()), all);
      }
    }
    if (json)
      JsonOutput.print(out, new Json(description, folders.size(), checked, missed, quantities));
    else out.printf("%d folders, %d quantities, %d missed%n", folders.size(), checked, missed);
    out.flush();
  }

  private void byYardstick(Ops ops, Ops plain, Collectives all) {
    folders.forEach(Golden::requireNarrow);
    List<Checks> actual = new ArrayList<>(), yard = new ArrayList<>();
    for (Path folder : folders) {
      actual.add(Golden.verify(folder, ops, recompute, all));
      yard.add(Golden.verify(folder, plain, recompute, all));
    }
    List<Checks> judged = Yardstick.judge(actual, yard);
    for (int i = 0; i < folders.size(); i++) print(folders.get(i).toString(), judged.get(i));
    print("all folders together, beside " + plain.description(), judged.getLast());
  }

  private void print(String name, Checks checks) {
    PrintWriter out = spec.commandLine().getOut();
    if (!json) out.println(name);
    for (var check : checks.all()) {
      if (missesOnly && check.passed()) continue;
      double error = check.error();
      Object number = Double.isFinite(error) ? (Object) error : String.valueOf(error);
      if (json)
        quantities.add(new Quantity(name, check.quantity(), number, check.bound(), check.passed()));
      else out.println("  " + check);
    }
    if (!json) {
      checks.notes().forEach(note -> out.println("  note " + note));
      out.printf("  %d quantities, %d missed%n", checks.all().size(), checks.missed());
    }
    out.flush();
    checked += checks.all().size();
    missed += checks.missed();
  }
}
