package dev.seekr.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ScoreMatrixTest {
  private static ScoreMatrix threeTasks() {
    ScoreMatrix matrix = new ScoreMatrix(List.of("a", "b", "c"));
    matrix.set(0, 0, 80);
    matrix.set(0, 1, 60);
    matrix.set(1, 1, 50);
    matrix.set(0, 2, 70);
    matrix.set(1, 2, 55);
    matrix.set(2, 2, 40);
    return matrix;
  }

  @Test
  void followsThePapersEquations() {
    ScoreMatrix matrix = threeTasks();
    assertThat(matrix.trained()).isEqualTo(3);
    assertThat(matrix.op().getAsDouble()).isCloseTo(55, within(1e-12));
    assertThat(matrix.bwt().getAsDouble()).isCloseTo(-2.5, within(1e-12));
    assertThat(matrix.bwtReleased().getAsDouble()).isCloseTo(-5 / 3.0, within(1e-12));
  }

  /** i = 1: 30 − 20; i = 2: 5 − 25. */
  @Test
  void forwardTransferIsBesideTheInitialModel() {
    ScoreMatrix matrix = threeTasks();
    assertThat(matrix.forwardTransfer()).isEmpty();
    matrix.set(1, 0, 30);
    matrix.set(2, 1, 5);
    assertThat(matrix.forwardTransfer()).as("the initial model is not scored").isEmpty();
    matrix.setInitial(1, 20);
    assertThat(matrix.forwardTransfer()).isEmpty();
    matrix.setInitial(2, 25);
    assertThat(matrix.forwardTransfer()).hasValue(-5);
    assertThat(matrix.initial(0)).isEmpty();
    assertThat(matrix.trained()).isEqualTo(3);
    assertThat(matrix.op()).as("other measures stay").isEqualTo(threeTasks().op());
    assertThat(matrix.bwt()).isEqualTo(threeTasks().bwt());
    assertThat(matrix.forgetting()).isEqualTo(threeTasks().forgetting());
    assertThat(matrix.average()).isEqualTo(threeTasks().average());
    assertThat(new ScoreMatrix(List.of("a")).forwardTransfer()).isEmpty();
    assertThatThrownBy(() -> matrix.setInitial(0, Double.NaN))
        .isInstanceOf(IllegalArgumentException.class);
  }

  /** (90 − 80 + 40 − 50 + 70 − 40) / 3. */
  @Test
  void intransigenceIsBelowLearningAllTogether() {
    var together = Map.of("c", 70.0, "a", 90.0, "b", 40.0);
    assertThat(threeTasks().intransigence(together)).hasValue(10);
    assertThat(threeTasks().intransigence(Map.of("a", 90.0, "b", 40.0))).isEmpty();
    assertThat(threeTasks().intransigence(Map.of())).isEmpty();
    assertThat(new ScoreMatrix(List.of("a")).intransigence(together)).isEmpty();
  }

  @Test
  void anUnfinishedRunIsJudgedByTheTasksTrained() {
    ScoreMatrix matrix = new ScoreMatrix(List.of("a", "b", "c"));
    assertThat(matrix.trained()).isZero();
    assertThat(matrix.op()).isEmpty();
    assertThat(matrix.bwt()).isEmpty();
    assertThat(matrix.bwtReleased()).isEmpty();
    matrix.set(0, 0, 80);
    assertThat(matrix.op()).hasValue(80);
    assertThat(matrix.bwt()).isEmpty();
    assertThat(matrix.bwtReleased()).isEmpty();
    matrix.set(0, 1, 60);
    assertThat(matrix.op()).as("task b not scored yet").isEmpty();
    matrix.set(1, 1, 50);
    assertThat(matrix.op()).hasValue(55);
    assertThat(matrix.bwt()).hasValue(-20);
    assertThat(matrix.bwtReleased()).hasValue(-10);
  }

  @Test
  void aSingleTaskHasNoBackwardTransfer() {
    ScoreMatrix matrix = new ScoreMatrix(List.of("a"));
    matrix.set(0, 0, 12.5);
    assertThat(matrix.op()).hasValue(12.5);
    assertThat(matrix.bwt()).isEmpty();
    assertThat(matrix.bwtReleased()).isEmpty();
  }

  @Test
  void jointTrainingHasOnlyTheLastRow() {
    ScoreMatrix matrix = new ScoreMatrix(List.of("a", "b", "c"));
    for (int i = 0; i < 3; i++) matrix.set(i, 2, 10 * (i + 1));
    assertThat(matrix.op()).hasValue(20);
    assertThat(matrix.bwt()).isEmpty();
    assertThat(matrix.bwtReleased()).isEmpty();
  }

  /** A score of 0 is a score; a blank is none. */
  @Test
  void zeroIsNotBlank() {
    ScoreMatrix matrix = new ScoreMatrix(List.of("a", "b"));
    assertThat(matrix.get(0, 0)).isEmpty();
    matrix.set(0, 0, 0);
    matrix.set(0, 1, 0);
    matrix.set(1, 1, 0);
    assertThat(matrix.get(0, 0)).hasValue(0);
    assertThat(matrix.op()).hasValue(0);
    assertThat(matrix.bwt()).hasValue(0);
  }

  @Test
  void backwardTransferNeedsTheDiagonalOnly() {
    ScoreMatrix matrix = new ScoreMatrix(List.of("a", "b", "c"));
    matrix.set(0, 0, 80);
    matrix.set(1, 1, 50);
    for (int i = 0; i < 3; i++) matrix.set(i, 2, 40);
    assertThat(matrix.bwt()).hasValue(-25);
  }

  @Test
  void scoresOfTasksToComeDoNotCount() {
    ScoreMatrix matrix = threeTasks();
    matrix.set(2, 0, 99);
    matrix.set(2, 1, 99);
    assertThat(matrix.op().getAsDouble()).isCloseTo(55, within(1e-12));
    assertThat(matrix.bwt().getAsDouble()).isCloseTo(-2.5, within(1e-12));
  }

  @Test
  void theTwoTransfersDifferByTheirDenominator() {
    Random random = new Random(5);
    for (int round = 0; round < 50; round++) {
      int t = 2 + random.nextInt(11);
      ScoreMatrix matrix = new ScoreMatrix(IntStream.range(0, t).mapToObj(i -> "t" + i).toList());
      double[] sums = new double[2];
      for (int i = 0; i < t; i++) {
        for (int j = i; j < t; j++) matrix.set(i, j, 100 * random.nextDouble());
        sums[0] += matrix.get(i, t - 1).getAsDouble();
        sums[1] += matrix.get(i, t - 1).getAsDouble() - matrix.get(i, i).getAsDouble();
      }
      assertThat(matrix.op().getAsDouble()).isCloseTo(sums[0] / t, within(1e-9));
      assertThat(matrix.bwt().getAsDouble()).isCloseTo(sums[1] / (t - 1), within(1e-9));
      assertThat(matrix.bwtReleased().getAsDouble()).isCloseTo(sums[1] / t, within(1e-9));
    }
  }

  @Test
  void refusesWhatIsNoScore() {
    ScoreMatrix matrix = new ScoreMatrix(List.of("a", "b"));
    assertThatThrownBy(() -> matrix.set(0, 1, Double.NaN))
        .hasMessageContaining("NaN on task a after task b");
    assertThatThrownBy(() -> matrix.set(0, 1, Double.POSITIVE_INFINITY))
        .hasMessageContaining("Infinity");
    assertThatThrownBy(() -> matrix.set(2, 0, 1)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> new ScoreMatrix(List.of())).hasMessageContaining("without tasks");
    assertThat(matrix.trained()).isZero();
  }

  /** By hand: the first task is best in between, which BWT does not see. */
  @Test
  void forgettingAndAverage() {
    var matrix = new ScoreMatrix(List.of("a", "b", "c"));
    double[][] a = {{60, 70, 40}, {Double.NaN, 50, 30}, {Double.NaN, Double.NaN, 90}};
    for (int i = 0; i < 3; i++) for (int j = i; j < 3; j++) matrix.set(i, j, a[i][j]);
    assertThat(matrix.bwt()).hasValue(-20);
    assertThat(matrix.forgetting()).hasValue(25); // (70 - 40 + 50 - 30) / 2
    assertThat(matrix.average().getAsDouble())
        .isCloseTo((60 + 60 + 160 / 3.0) / 3, org.assertj.core.api.Assertions.within(1e-12));
    var joint = new ScoreMatrix(List.of("a", "b"));
    joint.set(0, 1, 40);
    joint.set(1, 1, 60);
    assertThat(joint.forgetting()).isEmpty();
    assertThat(joint.average()).isEmpty();
    assertThat(new ScoreMatrix(List.of("a")).average()).isEmpty();
  }
}
