package dev.seekr.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.seekr.data.SampledQueries;
import dev.seekr.distributed.Collectives;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the released code keeps and distils otherwise than the paper's text. */
class ReleasedTest {
  /** float32 has 24 bits, 6e-8 of a number; squares are summed in double. */
  private static final double ROUNDING = 1e-6;

  @TempDir Path folder;
  private final ReferenceOps ops = new ReferenceOps(DType.F32);

  /**
   * The first ones, in their order, of as many as a share rounded down, one at least; of 8 samples.
   */
  @ParameterizedTest
  @CsvSource({"0.25, 2", "0.32, 2", "0.36, 2", "0.124, 1", "1, 8"})
  void theFirstAreKept(String share, int kept) {
    try (var run =
        new TwoTasks(
            folder,
            ops,
            1e-3,
            "method.name=replay",
            "method.replay_choice=first",
            "method.replay_ratio=" + share)) {
      run.learn(0, 1);
      assertThat(run.method.replay().stream().map(Replayed::sample))
          .isEqualTo(TwoTasks.samples(0).subList(0, kept));
    }
  }

  @Test
  void randomOnesAreOthers() {
    try (var run =
        new TwoTasks(folder, ops, 1e-3, "method.name=replay", "method.replay_samples=3")) {
      run.learn(0, 1);
      assertThat(run.method.replay().stream().map(Replayed::sample))
          .hasSize(3)
          .isNotEqualTo(TwoTasks.samples(0).subList(0, 3));
    }
  }

  /** Each row once, whatever a sample's length. */
  @Test
  void allRowsAreDistilled() {
    try (var memory = new Memory("test");
        var run =
            new TwoTasks(
                folder,
                ops,
                1e-3,
                "method.name=seekr",
                "method.seekr.variant=released",
                "method.seekr.queries=0",
                "method.replay_samples=5")) {
      run.learn(0, 1);
      var lengths = new ArrayList<Integer>();
      for (Replayed r : run.method.replay()) {
        var entry = r.read(memory);
        int n = entry.sample().length();
        assertThat(entry.queries().pos()).containsExactly(IntStream.range(0, n).toArray());
        assertThat(entry.queries().count()).containsOnly(1);
        lengths.add(n);
      }
      assertThat(lengths).hasSize(5);
      assertThat(lengths.stream().distinct().count()).isGreaterThan(1);
      var losses = run.learn(1, 1);
      assertThat(losses.means().get("attention")).isPositive().isFinite();
    }
  }

  /** Of all rows F is the mean square over the square of the padded width. */
  @Test
  void forgettabilityOfAllRows() {
    try (var run = new TwoTasks(folder, ops, 1e-2, "method.name=seqft");
        var memory = new Memory("test")) {
      var samples = TwoTasks.samples(0);
      var was = new dev.seekr.model.Weights(TwoTasks.SHAPE, ops, memory, "before");
      was.copyFrom(run.model.weights);
      run.learn(0, 2);
      List<SampledQueries> rows =
          samples.stream().map(s -> SampledQueries.all(s.length())).toList();
      try (var before = run.model.like(was)) {
        var scores =
            HeadImportance.scores(
                dev.seekr.config.SeekrSettings.Variant.released,
                run.model,
                before,
                samples,
                rows,
                true,
                1 << 20,
                Collectives.ALONE);
        double[][] whole =
            HeadImportance.change(run.model, before, samples, null, 1 << 20).square();
        int width = HeadImportance.paddedWidth(samples);
        for (int l = 0; l < whole.length; l++)
          for (int h = 0; h < whole[l].length; h++) {
            assertThat(whole[l][h]).isPositive();
            assertThat(scores.f()[l][h] * width * width)
                .isCloseTo(whole[l][h], within(ROUNDING * whole[l][h]));
          }
      }
    }
  }
}
