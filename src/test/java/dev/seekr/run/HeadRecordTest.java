package dev.seekr.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.seekr.Failure;
import dev.seekr.Stop;
import dev.seekr.backends.Backends;
import dev.seekr.config.ConfigReader;
import dev.seekr.config.RunConfig;
import dev.seekr.data.ReplayBuffer;
import dev.seekr.data.Sample;
import dev.seekr.disk.RunFolder;
import dev.seekr.evaluation.LanguageModel;
import dev.seekr.method.HeadBudget;
import dev.seekr.method.HeadImportance;
import dev.seekr.method.HeadScores;
import dev.seekr.ops.Ops;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What whole runs write of their heads. */
class HeadRecordTest {
  /** Of sums in double. */
  private static final double OF_DOUBLES = 1e-9;

  /**
   * Of a change between two models in float32, which has 24 bits: the difference of outputs that
   * are some thousand times as large.
   */
  private static final double OF_CHANGES = 1e-3;

  private static final List<String> TASKS = List.of("task363", "task1687");
  private static final Path NANO = Path.of("examples/nano");

  @TempDir Path folder;

  private RunConfig config(String name, String... more) {
    var settings =
        new ArrayList<>(
            List.of(
                "model.path=" + NANO,
                "data.root=examples/superni",
                "data.tasks=[task363, task1687]",
                "data.max_prompt=24",
                "data.train_limit=6",
                "data.test_limit=1",
                "method.replay_samples=3",
                "train.epochs=1",
                "train.batch=2",
                "train.lr=1e-2",
                "method.lora.lr=1e-2",
                "eval.max_new_tokens=1",
                "run.out=" + folder.resolve(name)));
    settings.addAll(List.of(more));
    return ConfigReader.parse("", "test", settings).requireTrainable();
  }

  private RunFolder train(RunConfig config) {
    try (var run = Run.open(config, Stop.NEVER, List.of())) {
      run.train();
      return run.folder();
    }
  }

  /** The samples that replay keeps of a stage, from its buffer. */
  private static List<Sample> kept(RunFolder replay, int stage) {
    var buffer = ReplayBuffer.open(replay.buffer(stage));
    return IntStream.range(0, buffer.size()).mapToObj(buffer::sample).toList();
  }

  /** Sum over stages, from saved models alone. */
  private double[][] change(RunFolder run, RunFolder replay, Ops ops, int stages) {
    double[][] sum = null;
    for (int k = 0; k < stages; k++) {
      Path before = k == 0 ? NANO : run.model(k - 1, TASKS.get(k - 1));
      try (var then = LanguageModel.load(before, Set.of(), ops);
          var now = LanguageModel.load(run.model(k, TASKS.get(k)), Set.of(), ops)) {
        double[][] change =
            HeadImportance.change(now.model(), then.model(), kept(replay, k), null, 1 << 20).norm();
        if (sum == null) sum = change;
        else
          for (int l = 0; l < sum.length; l++)
            for (int h = 0; h < sum[l].length; h++) sum[l][h] += change[l][h];
      }
    }
    return sum;
  }

  private static void assertClose(double[][] actual, double[][] expected) {
    assertThat(actual).hasDimensions(expected.length, expected[0].length);
    for (int l = 0; l < expected.length; l++)
      for (int h = 0; h < expected[l].length; h++) {
        assertThat(expected[l][h]).isPositive();
        assertThat(actual[l][h])
            .as("layer %d, head %d", l, h)
            .isCloseTo(expected[l][h], within(OF_CHANGES * expected[l][h]));
      }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "method.name=seqft",
        "method.name=lora",
        "method.name=ewc train.parameters=lora method.lora.per=run",
        "method.name=lwf method.lwf.cache=none",
        "method.name=replay",
        "method.name=seekr method.seekr.choice=random"
      })
  void cumulativeChangeIsThatOfTheSavedModels(String method) {
    var settings = new ArrayList<>(List.of(method.split(" ")));
    settings.add("run.record_heads=true");
    RunFolder run = train(config("run", settings.toArray(String[]::new)));
    RunFolder replay = train(config("replay", "method.name=replay"));
    assertThat(replay.importanceCsv(0)).doesNotExist();
    assertThat(run.previous(0)).doesNotExist();
    try (Ops ops = Backends.open(config("x").run())) {
      for (int stage = 0; stage < 2; stage++) {
        var scores = HeadScores.read(run.importanceCsv(stage));
        assertThat(scores.s()).isNull();
        assertClose(scores.f(), change(run, replay, ops, stage + 1));
        assertThat(scores.selected() != null).isEqualTo(method.contains("seekr"));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"paper", "released"})
  void seekrWritesWhatItSelectsBy(String variant) {
    RunFolder run =
        train(
            config(
                "run",
                "method.name=seekr",
                "method.seekr.variant=" + variant,
                "method.seekr.heads=3",
                "method.seekr.layers=2"));
    boolean paper = variant.equals("paper");
    double[][] product = null;
    double[][] s = null, f = null;
    for (int stage = 0; stage < 2; stage++) {
      var scores = HeadScores.read(run.importanceCsv(stage));
      assertThat(scores.byName()).containsOnlyKeys("S", "F", "I");
      for (double[] layer : scores.s())
        assertThat(Arrays.stream(layer).sum()).isCloseTo(stage + 1, within(OF_DOUBLES));
      int L = scores.L(), NH = scores.NH();
      double[][] i = new double[L][NH];
      for (int l = 0; l < L; l++)
        for (int h = 0; h < NH; h++) {
          double S = scores.s()[l][h], F = scores.f()[l][h];
          if (paper) i[l][h] = S * F;
          else i[l][h] = stage == 0 ? S * F : product[l][h] + (S - s[l][h]) * (F - f[l][h]);
          assertThat(scores.i()[l][h]).isCloseTo(i[l][h], within(OF_DOUBLES * (1e-9 + i[l][h])));
        }
      assertThat(scores.selected()).isDeepEqualTo(mask(scores, run, stage));
      product = scores.i();
      s = scores.s();
      f = scores.f();
    }
    if (!paper) return;
    try (Ops ops = Backends.open(config("x").run())) {
      assertClose(f, change(run, run, ops, 2));
    }
  }

  /** Selected by the importance that was written; the buffer says the same. */
  private static boolean[][] mask(HeadScores scores, RunFolder run, int stage) {
    int[][] heads = new HeadBudget(2, 3).select(scores.i()).heads();
    assertThat(ReplayBuffer.open(run.buffer(stage)).heads()).isDeepEqualTo(heads);
    var mask = new boolean[scores.L()][scores.NH()];
    for (int l = 0; l < heads.length; l++) for (int h : heads[l]) mask[l][h] = true;
    return mask;
  }

  @Test
  void nothingIsWrittenWhereNothingIsKnown() {
    RunFolder run = train(config("run", "method.name=seekr", "method.seekr.lambda2=0"));
    assertThat(Files.exists(run.path().resolve("importance"))).isFalse();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          method.name=pp                          | method pp freezes all weights
          method.name=l2p                         | method l2p freezes all weights
          method.name=lfpt5                       | method lfpt5 freezes all weights
          method.name=seekr                       | seekr records S, F and I by itself
          method.replay_samples=0 method.replay_ratio=0 | no samples to measure on
          """)
  void whereItDoesNothingItIsRefused(String settings, String message) {
    var all = new ArrayList<>(List.of(settings.split(" ")));
    all.add("run.record_heads=true");
    assertThatThrownBy(() -> config("run", all.toArray(String[]::new)))
        .isInstanceOf(Failure.class)
        .hasMessageContaining(message)
        .extracting(e -> ((Failure) e).exit)
        .isEqualTo(Failure.Exit.CONFIG);
  }
}
