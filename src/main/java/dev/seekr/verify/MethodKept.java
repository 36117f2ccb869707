package dev.seekr.verify;

import dev.seekr.config.SeekrSettings.HeadChoice;
import dev.seekr.config.SeekrSettings.Variant;
import dev.seekr.data.ReplayBuffer;
import dev.seekr.method.Ewc;
import dev.seekr.method.HeadBudget;
import dev.seekr.method.HeadImportance;
import dev.seekr.method.Importance;
import dev.seekr.method.L2p;
import dev.seekr.method.Lfpt5;
import dev.seekr.method.LowRank;
import dev.seekr.method.Method;
import dev.seekr.method.ProgressivePrompts;
import dev.seekr.method.Replayed;
import dev.seekr.method.Seekr;
import dev.seekr.model.Parameters;
import dev.seekr.model.PromptParameters;
import dev.seekr.tensor.Memory;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What a method has of a finished task beside what it trained, compared by the references' names:
 * Fisher information and anchor, merged weights, the prompt, counts of choices, head scores and
 * selected heads, and what is stored with kept samples.
 */
final class MethodKept {
  private final Expectation expected;
  private final MethodPlan plan;
  private Importance sums; // after the task before; null in the first
  private Importance both; // sums of scores with I of both, whatever the case chooses heads by

  MethodKept(Expectation expected, MethodPlan plan) {
    this.expected = expected;
    this.plan = plan;
  }

  /** To be called when the method has ended task k. */
  void compare(Method method, int k) {
    String task = "task" + k + ".";
    switch (method) {
      case Ewc ewc -> {
        weights(task + "fisher.", task + "fisher.", ewc.fisher());
        weights(task + "anchor.", task, ewc.anchor());
      }
      case L2p l2p ->
          expected.choice(
              task + "chosen", Arrays.stream(l2p.chosen()).mapToInt(Math::toIntExact).toArray());
      case ProgressivePrompts pp -> {
        var newest = (PromptParameters) pp.trained();
        var rows = pp.prompts().table().rows(newest.first, newest.first + newest.rows().dim(0));
        expected.tensor(task + "P", rows.toDoubles());
      }
      case Seekr seekr -> scores(seekr, task);
      default -> {}
    }
    if (method.setup().trainable() instanceof LowRank)
      weights(task + "merged.", task + "merged.", method.setup().model().weights);
    List<Replayed> stored = method.replay();
    int n = plan.kept(k).size();
    if (stored.size() < n) return;
    String name = task + (method instanceof Lfpt5 ? "pseudo" : "kept");
    for (int j = 0; j < n; j++)
      entry(name + j + ".", stored.get(stored.size() - n + j), plan.rows(k, j));
  }

  private void weights(String name, String of, Parameters held) {
    held.byName().forEach((path, t) -> expected.tensor(name + path, of + path, t.toDoubles()));
  }

  /** s and f of the task, S, F and I of all so far, and what was selected by them. */
  private void scores(Seekr seekr, String task) {
    var settings = seekr.setup().config().method().seekr();
    Importance now = seekr.scores();
    int L = now.i().length, NH = now.i()[0].length;
    if (sums == null) sums = both = Importance.none(L, NH);
    var own = new HeadImportance.Scores(minus(now.s(), sums.s()), minus(now.f(), sums.f()));
    both = both.plus(own, settings.variant() == Variant.paper, HeadChoice.both);
    sums = now;
    expected.tensor(task + "s", flat(own.s()));
    expected.tensor(task + "f", flat(own.f()));
    expected.tensor(task + "S", flat(now.s()));
    expected.tensor(task + "F", flat(now.f()));
    expected.tensor(task + "I", flat(both.i()));
    expected.tensor(task + "choice", task + by(settings.choice()), flat(now.i()));
    HeadBudget budget = seekr.budget(true);
    expected.choice("budgets", budget.layers(), budget.heads());
    if (!seekr.replay().isEmpty())
      expected.choice(task + "heads", pairs(seekr.replay().getLast().buffer().heads()));
  }

  /** The reference's name of what heads are chosen by. */
  private static String by(HeadChoice choice) {
    return switch (choice) {
      case sensitivity -> "S";
      case forgettability -> "F";
      case both, random -> "I";
    };
  }

  private static double[][] minus(double[][] a, double[][] b) {
    double[][] out = new double[a.length][];
    for (int l = 0; l < a.length; l++) {
      int layer = l;
      out[l] =
          IntStream.range(0, a[l].length).mapToDouble(h -> a[layer][h] - b[layer][h]).toArray();
    }
    return out;
  }

  private static double[] flat(double[][] scores) {
    return Arrays.stream(scores).flatMapToDouble(Arrays::stream).toArray();
  }

  /** Layer and head of each selected one. */
  static int[] pairs(int[][] heads) {
    return IntStream.range(0, heads.length)
        .boxed()
        .flatMapToInt(l -> Arrays.stream(heads[l]).flatMap(h -> IntStream.of(l, h)))
        .toArray();
  }

  /** Logits, and attention rows of each layer, of one stored sample. */
  private void entry(String name, Replayed stored, int[] drawn) {
    try (var memory = new Memory("kept")) {
      ReplayBuffer.Entry entry = stored.read(memory);
      if (entry.logits() != null) expected.tensor(name + "logits", entry.logits().toDoubles());
      int[][] heads = stored.buffer().heads();
      for (int l = 0; l < heads.length; l++)
        if (heads[l].length > 0)
          expected.tensor(name + "rows.layer" + l, rows(entry, l, heads[l].length, drawn));
    }
  }

  /** [H, drawn rows, length] with zeros where a row cannot look; NaN for a row that is not kept. */
  private static double[] rows(ReplayBuffer.Entry entry, int l, int H, int[] drawn) {
    double[] kept = entry.rows()[l].toDoubles();
    int n = entry.sample().length(), R = drawn.length;
    double[] out = new double[H * R * n];
    for (int r = 0; r < R; r++) {
      int from = 0, at = 0;
      int[] pos = entry.queries().pos();
      while (at < pos.length && pos[at] != drawn[r]) from += H * (pos[at++] + 1);
      for (int h = 0; h < H; h++) {
        int to = (h * R + r) * n;
        if (at == pos.length) Arrays.fill(out, to, to + n, Double.NaN);
        else System.arraycopy(kept, from + h * (drawn[r] + 1), out, to, drawn[r] + 1);
      }
    }
    return out;
  }
}
