package dev.seekr.method;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.config.SeekrSettings.HeadChoice;
import dev.seekr.config.SeekrSettings.Variant;
import dev.seekr.config.TrainSettings.Recompute;
import dev.seekr.data.Sample;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.TinyModel;
import dev.seekr.ops.Ops;
import dev.seekr.tensor.Memory;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What SEEKR chooses heads by. */
class HeadChoiceTest {
  private static final int LAYERS = 2, HEADS = 3;
  private static final int NH = TwoTasks.SHAPE.heads().NH();

  @TempDir Path folder;
  private int runs;

  private record Chosen(int[][] heads, double[][] importance, HeadImportance.Scores scores) {}

  /** Heads after one task, and scores computed apart. */
  private Chosen choose(HeadChoice choice, int seed) {
    try (Ops ops = TinyModel.cpu();
        var memory = new Memory("test");
        LlamaModel before = TinyModel.random(TwoTasks.SHAPE, ops, memory, 5, Recompute.none);
        var run =
            new TwoTasks(
                folder.resolve("run" + runs++),
                ops,
                1e-2,
                "method.name=seekr",
                "method.replay_samples=8",
                "method.seekr.choice=" + choice,
                "method.seekr.layers=" + LAYERS,
                "method.seekr.heads=" + HEADS,
                "train.seed=" + seed)) {
      run.learn(0, 1);
      List<Sample> samples = run.context(0).samples();
      var scores = HeadImportance.scores(Variant.paper, run.model, before, samples, null, 1 << 20);
      var seekr = (Seekr) run.method;
      return new Chosen(seekr.replay().getFirst().buffer().heads(), seekr.importance(), scores);
    }
  }

  private static void assertHeads(Chosen chosen, int layers, double[][] importance) {
    assertThat(chosen.heads())
        .isDeepEqualTo(new HeadBudget(layers, HEADS).select(importance).heads());
  }

  @Test
  void eachScoreAloneAndTheirProduct() {
    Chosen s = choose(HeadChoice.sensitivity, 1);
    // Its sum is the same in each layer, so there is none to choose by it.
    assertHeads(s, TwoTasks.SHAPE.L(), s.scores().s());
    Chosen f = choose(HeadChoice.forgettability, 1);
    assertHeads(f, LAYERS, f.scores().f());
    Chosen both = choose(HeadChoice.both, 1);
    double[][] product = new double[TwoTasks.SHAPE.L()][NH];
    for (int l = 0; l < product.length; l++)
      for (int h = 0; h < NH; h++)
        product[l][h] = both.scores().s()[l][h] * both.scores().f()[l][h];
    assertHeads(both, LAYERS, product);
    assertThat(s.importance()).isNotEqualTo(f.importance());
  }

  @Test
  void chanceKeepsTheBudgetsAndFollowsTheSeed() {
    Chosen one = choose(HeadChoice.random, 1), again = choose(HeadChoice.random, 1);
    assertThat(again.heads()).isDeepEqualTo(one.heads());
    assertThat(again.importance()).isDeepEqualTo(one.importance());
    boolean differs = false;
    for (int seed = 1; seed < 6; seed++) {
      int[][] heads = choose(HeadChoice.random, seed).heads();
      assertThat(Arrays.stream(heads).mapToInt(h -> h.length).sum()).isEqualTo(HEADS);
      assertThat(Distillation.layers(heads)).isBetween(1, LAYERS);
      differs |= !Arrays.deepEquals(heads, one.heads());
    }
    assertThat(differs).isTrue();
    assertThat(folder.resolve("run0/previous.safetensors")).doesNotExist();
  }
}
