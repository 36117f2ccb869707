package dev.seekr.run;

import dev.seekr.Failure;
import dev.seekr.Stop;
import dev.seekr.config.ConfigReader;
import dev.seekr.config.RunConfig;
import dev.seekr.disk.Disk;
import dev.seekr.disk.Injection;
import dev.seekr.disk.Injection.Mode;
import dev.seekr.disk.Scratch;
import dev.seekr.tensor.Exhaustion;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.IntUnaryOperator;

/**
 * Faults of the disk and of memory, one a run: each must end it with a message that names a file,
 * and the same run begun again must come to the bits of one that met no fault.
 *
 * <pre>
 *   FaultSweep          every n-th operation of every kind, over a whole short run
 *   FaultSweep K SEED   of each kind, K of them at random
 * </pre>
 */
public final class FaultSweep {
  private final Path folder;
  private final Path expected;
  private final List<String> faults = new ArrayList<>(); // what went wrong
  private int runs, trials;

  FaultSweep(Path folder) {
    this.folder = folder;
    expected = Path.of(config().run().out());
    train(Path.of(config(expected).run().out()));
  }

  public static void main(String[] args) {
    int each = args.length > 0 ? Integer.parseInt(args[0]) : Integer.MAX_VALUE;
    long seed = args.length > 1 ? Long.parseLong(args[1]) : 1;
    try (var scratch = Scratch.create()) {
      var sweep = new FaultSweep(scratch.folder());
      sweep.all(each, seed, true);
      System.out.printf(
          "%d faults, %d not survived (seed %d)%n", sweep.trials, sweep.faults.size(), seed);
      sweep.faults.forEach(System.out::println);
      System.exit(sweep.faults.isEmpty() ? 0 : 1);
    }
  }

  /** Tries {@code each} of every kind, or all; returns what was not survived. */
  List<String> all(int each, long seed, boolean print) {
    var random = new SplittableRandom(seed);
    for (String op : Injection.OPS) {
      for (Mode mode : Mode.values()) {
        if (mode == Mode.SHORT && !op.equals("WRITE")) continue;
        int before = faults.size();
        int tried = some(each, random, n -> disk(op, mode, n));
        if (print)
          System.out.printf(
              "%s %s: %d, %d not survived%n", op, mode, tried, faults.size() - before);
      }
    }
    int before = faults.size();
    int tried = some(each, random, this::memory);
    if (print)
      System.out.printf("allocations: %d, %d not survived%n", tried, faults.size() - before);
    return faults;
  }

  int trials() {
    return trials;
  }

  /**
   * Tries n = 1, 2, ... until there is no n-th, or some of them at random.
   *
   * @param trial makes the n-th fail; 0: there was none
   */
  private int some(int each, SplittableRandom random, IntUnaryOperator trial) {
    int tried = 0;
    if (each == Integer.MAX_VALUE) {
      for (int n = 1; trial.applyAsInt(n) > 0; n++) tried++;
      return tried;
    }
    int most = 1; // doubled until there are not as many
    while (trial.applyAsInt(most) > 0) {
      tried++;
      most *= 2;
    }
    for (int i = 0; i < each; i++) tried += trial.applyAsInt(random.nextInt(1, most));
    return tried;
  }

  private int disk(String op, Mode mode, int n) {
    Path run = folder.resolve("run" + runs++);
    String what = op + " " + mode + " " + n;
    try (var injection = new Injection(run, op, mode, n)) {
      String message = attempt(run);
      if (!injection.happened()) {
        Disk.delete(run);
        return 0;
      }
      // Nothing is said where only the lock could not be given back: the run is finished.
      if (message != null && !message.contains(run.toString())) faults.add(what + ": " + message);
    }
    return again(run, what);
  }

  private int memory(int n) {
    Path run = folder.resolve("run" + runs++);
    try (var exhaustion = new Exhaustion(n)) {
      attempt(run);
      if (!exhaustion.happened()) {
        Disk.delete(run);
        return 0;
      }
    }
    return again(run, "allocation " + n);
  }

  /** The message it ends with; null where it comes to its end. */
  private String attempt(Path run) {
    try {
      train(run);
      return null;
    } catch (Failure e) {
      boolean io = e.exit == Failure.Exit.CREATE || e.exit == Failure.Exit.IO;
      boolean oneLine = e.getMessage().lines().count() == 1;
      return io && oneLine ? e.getMessage() : "exit " + e.exit.code + ": " + e.getMessage();
    } catch (OutOfMemoryError e) {
      return "out of memory";
    }
  }

  private int again(Path run, String what) {
    trials++;
    try {
      train(run);
      SameRun.assertSame(expected, run);
    } catch (RuntimeException | AssertionError e) {
      faults.add(what + ": " + e.toString().lines().limit(40).toList());
    }
    Disk.delete(run);
    return 1;
  }

  private void train(Path run) {
    try (var r = Run.open(config(run), Stop.NEVER, List.of())) {
      if (!r.finished()) r.train();
    }
  }

  private RunConfig config() {
    return config(folder.resolve("expected"));
  }

  private static RunConfig config(Path out) {
    return ConfigReader.parse(
        "",
        "sweep",
        List.of(
            "model.path=examples/nano",
            "data.root=examples/superni",
            "data.tasks=[task363, task1687]",
            "data.max_prompt=32",
            "data.train_limit=4",
            "data.test_limit=2",
            "method.name=seekr",
            "method.replay_samples=2",
            "method.seekr.queries=7",
            "train.epochs=1",
            "train.batch=4",
            "train.lr=1e-3",
            "eval.max_new_tokens=2",
            "run.checkpoint.steps=1",
            "run.out=" + out));
  }
}
