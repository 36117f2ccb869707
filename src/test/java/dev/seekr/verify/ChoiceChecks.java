package dev.seekr.verify;

import dev.seekr.config.ConfigReader;
import dev.seekr.config.TrainSettings.Recompute;
import dev.seekr.data.Interleave;
import dev.seekr.data.ReplayBuffer;
import dev.seekr.data.Sample;
import dev.seekr.disk.RunFolder;
import dev.seekr.disk.Scratch;
import dev.seekr.method.HeadBudget;
import dev.seekr.method.Losses;
import dev.seekr.method.Method;
import dev.seekr.method.Methods;
import dev.seekr.method.Replay;
import dev.seekr.method.Setup;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.TinyModel;
import dev.seekr.ops.Ops;
import dev.seekr.tensor.Memory;
import dev.seekr.trainer.Learner;
import dev.seekr.trainer.Unit;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What references pin or happen not to show: that the samples kept, their rows, and heads by chance
 * are drawn, each as likely as any, anew for each stage; that all methods keep the same; heads of
 * scores for which layers and heads disagree; and the order of new and replayed micro-batches. How
 * often something is drawn over many seeds is compared with how often it must be; {@link #SIGMAS}
 * standard deviations are the bound.
 */
public final class ChoiceChecks implements AutoCloseable {
  /** Stands among the cases of a reference folder. */
  static final String CASE = "choices";

  private static final int SEEDS = 80, SAMPLES = 8, KEPT = 2, LENGTH = 10, ROWS = 3, HEADS = 4;
  private static final double SIGMAS = 4.5;

  private final Checks checks = new Checks();
  private final Scratch scratch = Scratch.create();
  private final Memory memory = new Memory("drawn");
  private final LlamaModel model;
  private final List<Sample> samples = new ArrayList<>();
  private int runs;

  private ChoiceChecks(Ops ops) {
    model = TinyModel.random(TinyModel.config(), ops, memory, 3, Recompute.none);
    for (int i = 0; i < SAMPLES; i++) {
      int first = 3 + i;
      samples.add(new Sample(IntStream.range(first, first + LENGTH).toArray(), LENGTH - 2));
    }
  }

  public static Checks verify(Ops ops) {
    try (var all = new ChoiceChecks(ops)) {
      all.kept();
      all.sameForAll();
      all.reference();
      all.budget();
      all.order();
      return all.checks;
    }
  }

  private Method method(int seed, String... settings) {
    var all =
        new ArrayList<>(
            List.of(
                "train.seed=" + seed,
                "method.replay_ratio=" + (double) KEPT / SAMPLES,
                "method.seekr={choice: random, lambda2: 1, layers: 2, queries: %d, heads: %d}"
                    .formatted(ROWS, HEADS)));
    all.addAll(List.of(settings));
    Path folder = scratch.folder().resolve("run" + runs++);
    var setup = new Setup(ConfigReader.read(List.of(), all), model, new RunFolder(folder));
    return Methods.of(setup);
  }

  private Method.Context context(int stage) {
    return new Method.Context(stage, "task" + stage, samples, model.weights);
  }

  private void kept() {
    int[] kept = new int[SAMPLES], rows = new int[LENGTH];
    int NH = model.config.heads().NH();
    int[] heads = new int[NH], layers = new int[model.config.L()];
    int many = 0, same = 0;
    for (int seed = 0; seed < SEEDS; seed++) {
      try (var method = method(seed, "method.name=seekr");
          var read = new Memory("read")) {
        for (int stage = 0; stage < 2; stage++) method.end(context(stage));
        var stored = method.replay();
        many += stored.size();
        int[] drawn = stored.stream().mapToInt(r -> samples.indexOf(r.sample())).toArray();
        for (int s : drawn) kept[s]++;
        if (Arrays.equals(
            Arrays.copyOf(drawn, KEPT), Arrays.copyOfRange(drawn, KEPT, drawn.length))) same++;
        for (var each : stored) for (int row : each.read(read).queries().pos()) rows[row]++;
        int[][] chosen = stored.getFirst().buffer().heads();
        for (int l = 0; l < chosen.length; l++) {
          if (chosen[l].length > 0) layers[l]++;
          for (int h : chosen[l]) heads[h]++;
        }
      }
    }
    checks.same("choices.kept", new int[] {many}, new int[] {2 * SEEDS * KEPT});
    even("choices.kept.sample", kept, 2 * SEEDS * KEPT);
    even("choices.rows.row", rows, 2 * SEEDS * KEPT * ROWS);
    even("choices.heads.head", heads, SEEDS * HEADS);
    // Of 28 pairs two are the same by chance in one of 28 runs.
    often("choices.kept.in both stages", same, SEEDS, 1.0 / 28);
  }

  /** Each of so many things is as likely as any. */
  private void even(String name, int[] counts, int draws) {
    for (int i = 0; i < counts.length; i++) often(name + i, counts[i], draws, 1.0 / counts.length);
  }

  private void often(String name, int count, int draws, double p) {
    checks.add(name, Math.abs(count - draws * p) / Math.sqrt(draws * p * (1 - p)), SIGMAS);
  }

  /** Each method keeps what replay keeps. */
  private void sameForAll() {
    int[] of = kept("replay");
    for (String name : List.of("agem", "derpp", "seekr"))
      checks.same("choices." + name + ".kept as replay", kept(name), of);
  }

  private int[] kept(String name) {
    try (var method = method(5, "method.name=" + name)) {
      method.end(context(3));
      // A-GEM gives out none to be trained on: they are what it has on disk.
      Path buffer = method.setup().folder().buffer(3);
      var stored = ReplayBuffer.open(buffer);
      return IntStream.range(0, stored.size())
          .map(i -> samples.indexOf(stored.sample(i)))
          .toArray();
    }
  }

  /** A-GEM looks at other stored samples in each step. */
  private void reference() {
    try (var method = method(7, "method.name=agem", "method.agem.samples=2");
        var learner = new Learner(model, method, method.setup().config().train())) {
      method.begin(context(0));
      ((Replay) method).remember(context(0), samples);
      method.begin(context(1));
      double before = Double.NaN;
      int same = 0;
      for (int step = 0; step < SEEDS; step++) {
        var losses = new Losses();
        learner.gradients(step, List.of(new Unit.Fresh(samples.subList(0, 1))), losses);
        double now = losses.means().get("reference");
        if (now == before) same++;
        before = now;
      }
      often("choices.agem.as in the step before", same, SEEDS, 1.0 / 28);
    }
  }

  /** The best head of all lies in a layer that is not among the best two. */
  private void budget() {
    double[][] scores = {{9, 1, 0}, {4, 4, 4}, {5, 3, 3}};
    int[][] heads = new HeadBudget(2, 4).select(scores).heads();
    int[] expected = {1, 0, 1, 1, 1, 2, 2, 0};
    checks.same("choices.heads of two layers", MethodKept.pairs(heads), expected);
  }

  /** Replayed one i of r stands before new one floor((i + 1) n / r) - 1 of n. */
  private void order() {
    int wrong = 0;
    for (int n = 1; n <= 12; n++) {
      for (int r = 0; r <= 15; r++) {
        var fresh = IntStream.range(0, n).boxed().toList();
        var order = Interleave.of(fresh, IntStream.range(0, r).boxed().toList());
        int news = 0, replayed = 0;
        for (var each : order) {
          if (!each.replay()) {
            if (each.item() != news++) wrong++;
          } else {
            int i = replayed++;
            int before = Math.max(0, (i + 1) * n / r - 1);
            if (each.item() != i || news != before) wrong++;
          }
        }
        wrong += Math.abs(n - news) + Math.abs(r - replayed);
      }
    }
    checks.same("choices.order", new int[wrong], new int[0]);
  }

  @Override
  public void close() {
    model.close();
    memory.close();
    scratch.close();
  }
}
