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
    assertThat(new HeadBudget(2, 3).select(IMPORTANCE).heads())
        .isDeepEqualTo(new int[][] {{}, {0, 1}, {}, {2}});
    assertThat(new HeadBudget(3, 3).select(IMPORTANCE).heads())
        .isDeepEqualTo(new int[][] {{1}, {0}, {}, {2}});
  }

  /** The best head of all may lie in a layer that is not chosen. */
  @Test
  void aHeadCountsOnlyInAChosenLayer() {
    assertThat(new HeadBudget(1, 2).select(IMPORTANCE).heads())
        .isDeepEqualTo(new int[][] {{}, {0, 1}, {}, {}});
  }

  @Test
  void tiesGoToTheLowerLayerAndHead() {
    assertThat(new HeadBudget(2, 3).select(new double[4][2]).heads())
        .isDeepEqualTo(new int[][] {{0, 1}, {0}, {}, {}});
  }

  @Test
  void budgetsBeyondTheModelTakeAll() {
    assertThat(new HeadBudget(9, 99).select(IMPORTANCE).heads())
        .isDeepEqualTo(new int[][] {{0, 1, 2}, {0, 1, 2}, {0, 1, 2}, {0, 1, 2}});
  }

  @Test
  void tiesAreSaidWhereTheyDecide() {
    assertThat(new HeadBudget(2, 3).select(new double[4][2]).ties())
        .containsExactly(
            "of 4 layers of the same importance the 2 lowest",
            "of 4 heads of the same importance the 3 lowest");
    double[][] importance = {{0.5, 0.5}, {0.25, 0.25}, {0.25, 0.25}};
    assertThat(new HeadBudget(1, 2).select(importance).ties()).as("none is left out").isEmpty();
    assertThat(new HeadBudget(1, 1).select(importance).ties())
        .containsExactly("of 2 heads of the same importance the 1 lowest");
    assertThat(new HeadBudget(2, 2).select(importance).ties())
        .containsExactly("of 2 layers of the same importance the 1 lowest");
    assertThat(new HeadBudget(3, 3).select(importance).ties())
        .containsExactly("of 4 heads of the same importance the 1 lowest");
    assertThat(new HeadBudget(3, 6).select(importance).ties()).isEmpty();
    assertThat(new HeadBudget(3, 3).select(IMPORTANCE).ties())
        .containsExactly("of 3 heads of the same importance the 1 lowest");
  }

  @Test
  void thePapersBudgets() {
    assertThat(HeadBudget.of(32, 32, false, false)).isEqualTo(new HeadBudget(24, 128));
    assertThat(HeadBudget.of(32, 32, false, true)).isEqualTo(new HeadBudget(8, 128));
    assertThat(HeadBudget.of(40, 40, true, false)).isEqualTo(new HeadBudget(8, 128));
    assertThat(HeadBudget.of(40, 40, true, true)).isEqualTo(new HeadBudget(8, 128));
  }

  @Test
  void scaleWithTheModel() {
    assertThat(HeadBudget.of(4, 8, false, false)).isEqualTo(new HeadBudget(3, 4));
    assertThat(HeadBudget.of(4, 8, false, true)).isEqualTo(new HeadBudget(1, 4));
    assertThat(HeadBudget.of(80, 64, true, false)).isEqualTo(new HeadBudget(16, 410));
    assertThat(HeadBudget.of(1, 1, false, true)).isEqualTo(new HeadBudget(1, 1));
  }

  @Test
  void whatIsGivenStands() {
    var usual = new HeadBudget(24, 128);
    assertThat(usual.or(5, 6)).isEqualTo(new HeadBudget(5, 6));
    assertThat(usual.or(null, 6)).isEqualTo(new HeadBudget(24, 6));
    assertThat(usual.or(5, null)).isEqualTo(new HeadBudget(5, 128));
    assertThat(usual.or(null, null)).isEqualTo(usual);
  }
}
