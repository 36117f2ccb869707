package dev.seekr.method;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class HeadBudgetTest {
  private static final double[][] IMPORTANCE = {
    {0.1, 0.9, 0.0}, // sum 1.0
    {0.5, 0.5, 0.5}, // sum 1.5
    {0.8, 0.0, 0.0}, // sum 0.8
    {0.2, 0.4, 0.6} // sum 1.2
  };

  @Test
  void layersBySumThenHeadsAmongThem() {
    assertThat(new HeadBudget(2, 3).select(IMPORTANCE))
        .isDeepEqualTo(new int[][] {{}, {0, 1}, {}, {2}});
    assertThat(new HeadBudget(3, 3).select(IMPORTANCE))
        .isDeepEqualTo(new int[][] {{1}, {0}, {}, {2}});
  }

  /** The best head of all may lie in a layer that is not chosen. */
  @Test
  void aHeadCountsOnlyInAChosenLayer() {
    assertThat(new HeadBudget(1, 2).select(IMPORTANCE))
        .isDeepEqualTo(new int[][] {{}, {0, 1}, {}, {}});
  }

  @Test
  void tiesGoToTheLowerLayerAndHead() {
    assertThat(new HeadBudget(2, 3).select(new double[4][2]))
        .isDeepEqualTo(new int[][] {{0, 1}, {0}, {}, {}});
  }

  @Test
  void budgetsBeyondTheModelTakeAll() {
    assertThat(new HeadBudget(9, 99).select(IMPORTANCE))
        .isDeepEqualTo(new int[][] {{0, 1, 2}, {0, 1, 2}, {0, 1, 2}, {0, 1, 2}});
  }

  @Test
  void thePapersBudgetsScaleWithTheModel() {
    assertThat(HeadBudget.of(null, null, 32, 32)).isEqualTo(new HeadBudget(24, 128));
    assertThat(HeadBudget.of(null, null, 4, 8)).isEqualTo(new HeadBudget(3, 4));
    assertThat(HeadBudget.of(null, null, 1, 1)).isEqualTo(new HeadBudget(1, 1));
    assertThat(HeadBudget.of(5, 6, 32, 32)).isEqualTo(new HeadBudget(5, 6));
  }
}
