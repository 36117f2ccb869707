package dev.seekr.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.seekr.config.ConfigReader;
import dev.seekr.config.RunConfig;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LearningRateTest {
  private static double[] rates(String schedule, int warmup, int steps) {
    RunConfig config =
        ConfigReader.read(
            List.of(),
            List.of(
                "train.lr=2",
                "train.schedule=" + schedule,
                "train.warmup=" + warmup,
                "train.min_lr=0.1"));
    var rate = new LearningRate(config.train(), steps);
    return IntStream.range(0, steps).mapToDouble(rate::at).toArray();
  }

  @Test
  void constantStays() {
    assertThat(rates("constant", 0, 4)).containsExactly(2, 2, 2, 2);
  }

  @Test
  void warmupRisesInEqualSteps() {
    assertThat(rates("constant", 4, 6)).containsExactly(0.5, 1, 1.5, 2, 2, 2);
  }

  /** 2 (0.1 + 0.9 (1 - i/4)). */
  @Test
  void linearFallsTowardsItsEnd() {
    assertThat(rates("linear", 0, 4))
        .containsExactly(new double[] {2, 1.55, 1.1, 0.65}, within(1e-12));
  }

  /** 2 (0.1 + 0.9 (1 + cos(pi i/4)) / 2), after two steps of warm-up. */
  @Test
  void cosineFallsTowardsItsEnd() {
    double h = Math.sqrt(0.5);
    assertThat(rates("cosine", 2, 6))
        .containsExactly(
            new double[] {1, 2, 2, 0.2 + 0.9 * (1 + h), 1.1, 0.2 + 0.9 * (1 - h)}, within(1e-12));
  }

  @Test
  void warmupLongerThanTheTaskReachesTheRate() {
    assertThat(rates("cosine", 100, 2)).containsExactly(1, 2);
  }
}
