package dev.seekr.run;

import dev.seekr.config.MethodName;
import dev.seekr.disk.Disk;
import dev.seekr.disk.Scratch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * Kills runs at random moments, as {@code kill -9} does, and lets them go on, over all methods;
 * each must come to the bits of a run that nobody killed.
 *
 * <pre>
 *   Soak KILLS SEED     a third of the runs are killed more than once before they come to their end
 * </pre>
 */
public final class Soak {
  private final Path folder;
  private final SplittableRandom random;
  private final TreeMap<String, Reference> references = new TreeMap<>();
  private final List<String> faults = new ArrayList<>();
  private int kills, ran;

  /** A run that nobody killed, and what it took. */
  private record Reference(Path run, long millis) {}

  private Soak(Path folder, long seed) {
    this.folder = folder;
    this.random = new SplittableRandom(seed);
  }

  public static void main(String[] args) throws IOException, InterruptedException {
    int wanted = Integer.parseInt(args[0]);
    long seed = args.length > 1 ? Long.parseLong(args[1]) : 1;
    try (var scratch = Scratch.create()) {
      var soak = new Soak(scratch.folder(), seed);
      while (soak.kills < wanted) soak.run();
      System.out.printf(
          "%d kills of %d runs, %d did not come to the same bits (seed %d)%n",
          soak.kills, soak.ran, soak.faults.size(), seed);
      soak.faults.forEach(System.out::println);
      System.exit(soak.faults.isEmpty() ? 0 : 1);
    }
  }

  /** One run, killed at least once unless it is too fast. */
  private void run() throws IOException, InterruptedException {
    MethodName[] names = MethodName.values();
    String method = "method.name=" + names[ran++ % names.length];
    if (method.endsWith("seekr") && random.nextBoolean())
      method += " method.seekr.variant=released";
    if (method.endsWith("lwf") && random.nextBoolean()) method += " method.lwf.cache=none";
    if (random.nextInt(3) == 0) method += " data.holdout=0.2 train.best_of=validation";
    if (!references.containsKey(method)) references.put(method, reference(method));
    var reference = references.get(method);
    Path run = folder.resolve("run" + ran);
    String often = "run.checkpoint.steps=" + random.nextInt(3);
    int killed = 0, most = random.nextInt(3) == 0 ? 3 : 1;
    int status;
    do {
      long after = killed < most ? random.nextLong(reference.millis) : Long.MAX_VALUE;
      status = train(method + " " + often, run, after);
      if (status == KILLED) killed++;
    } while (status == KILLED);
    kills += killed;
    String what = "%s (%s), killed %d times".formatted(method, often, killed);
    if (status != 0) faults.add(what + ": exit " + status);
    else compare(what, reference.run, run);
    Disk.delete(run);
    System.out.printf("%d: %s%n", kills, what);
  }

  private void compare(String what, Path expected, Path run) {
    try {
      SameRun.assertSame(expected, run);
    } catch (RuntimeException | AssertionError e) {
      faults.add(what + ": " + e.toString().lines().limit(20).toList());
    }
  }

  private Reference reference(String method) throws IOException, InterruptedException {
    Path run = folder.resolve("reference" + references.size());
    long start = System.nanoTime();
    int status = train(method, run, Long.MAX_VALUE);
    if (status != 0) throw new IllegalStateException(method + ": exit " + status);
    return new Reference(run, (System.nanoTime() - start) / 1_000_000);
  }

  private static final int KILLED = 137;

  /** Runs as a user would; kills it after some time. Returns its exit status. */
  private static int train(String settings, Path run, long millis)
      throws IOException, InterruptedException {
    var command = new ArrayList<>(List.of("./seekr", "train", "examples/demo.yaml"));
    command.addAll(List.of(settings.split(" ")));
    command.addAll(
        List.of(
            "data.tasks=[task363, task1687, task875]",
            "data.train_limit=24",
            "data.test_limit=4",
            "data.max_prompt=64",
            "method.replay_samples=3",
            "method.seekr.queries=9",
            "method.lfpt5.top_k=3",
            "train.epochs=2",
            "eval.batch=2",
            "eval.max_new_tokens=4",
            "run.save_models=true",
            "run.out=" + run));
    var process =
        new ProcessBuilder(command)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    if (process.waitFor(millis, TimeUnit.MILLISECONDS)) return process.exitValue();
    process.destroyForcibly();
    process.waitFor();
    return KILLED;
  }
}
