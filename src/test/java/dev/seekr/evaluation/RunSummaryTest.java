package dev.seekr.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.seekr.Failure;
import java.util.List;
import org.junit.jupiter.api.Test;

class RunSummaryTest {
  private static ScoreMatrix run(double first, double firstLater, double second) {
    ScoreMatrix matrix = new ScoreMatrix(List.of("a", "b"));
    matrix.set(0, 0, first);
    matrix.set(0, 1, firstLater);
    matrix.set(1, 1, second);
    return matrix;
  }

  @Test
  void meanAndSampleDeviation() {
    RunSummary summary = RunSummary.of(List.of(run(60, 50, 70), run(60, 60, 80), run(60, 70, 90)));
    assertThat(summary.op().orElseThrow().mean()).isCloseTo(70, within(1e-12));
    assertThat(summary.op().orElseThrow().sd().getAsDouble()).isCloseTo(10, within(1e-12));
    assertThat(summary.op().orElseThrow().runs()).isEqualTo(3);
    assertThat(summary.bwt().orElseThrow().mean()).isCloseTo(0, within(1e-12));
    assertThat(summary.bwt().orElseThrow().sd().getAsDouble()).isCloseTo(10, within(1e-12));
    assertThat(summary.bwtReleased().orElseThrow().sd().getAsDouble()).isCloseTo(5, within(1e-12));
    assertThat(summary.op().orElseThrow()).hasToString("70.00 ± 10.00 (n=3)");
  }

  @Test
  void oneRunHasNoDeviation() {
    RunSummary summary = RunSummary.of(List.of(run(60, 50, 70)));
    assertThat(summary.op().orElseThrow().sd()).isEmpty();
    assertThat(summary.op().orElseThrow()).hasToString("60.00");
    assertThat(summary.bwt().orElseThrow()).hasToString("-10.00");
  }

  @Test
  void whatNoRunHasIsBlank() {
    ScoreMatrix joint = new ScoreMatrix(List.of("b", "a"));
    joint.set(0, 1, 40);
    joint.set(1, 1, 60);
    RunSummary alone = RunSummary.of(List.of(joint));
    assertThat(alone.op().orElseThrow().mean()).isEqualTo(50);
    assertThat(alone.bwt()).isEmpty();
    assertThat(alone.bwtReleased()).isEmpty();
    RunSummary mixed = RunSummary.of(List.of(joint, run(60, 50, 70)));
    assertThat(mixed.op().orElseThrow().runs()).isEqualTo(2);
    assertThat(mixed.bwt().orElseThrow().runs()).isEqualTo(1);
    assertThat(mixed.bwt().orElseThrow().sd()).isEmpty();
  }

  @Test
  void refusesRunsThatHaveNoCommonMean() {
    assertThatThrownBy(() -> RunSummary.of(List.of())).hasMessageContaining("no runs");
    ScoreMatrix other = new ScoreMatrix(List.of("a", "c"));
    assertThatThrownBy(() -> RunSummary.of(List.of(run(1, 2, 3), other)))
        .isInstanceOf(Failure.class)
        .hasMessageContainingAll("run 2 is over tasks [a, c]", "[a, b]");
    ScoreMatrix half = new ScoreMatrix(List.of("a", "b"));
    half.set(0, 0, 50);
    assertThatThrownBy(() -> RunSummary.of(List.of(run(1, 2, 3), half)))
        .isInstanceOf(Failure.class)
        .hasMessageContaining("run 2 has trained 1 tasks, run 1 2");
  }
}
