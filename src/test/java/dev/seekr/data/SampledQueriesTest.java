package dev.seekr.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SampledQueriesTest {
  @ParameterizedTest
  @CsvSource({"1,1", "7,7", "100,99", "2048,100"})
  void longSequencesAreDrawnWithoutReplacement(int n, int budget) {
    var queries = SampledQueries.sample(n, budget, new SplittableRandom(1));
    assertThat(queries.pos()).hasSize(budget).doesNotHaveDuplicates().isSorted();
    assertThat(Arrays.stream(queries.pos())).allMatch(p -> p >= 0 && p < n);
    assertThat(queries.count()).containsOnly(1);
    assertThat(queries.budget()).isEqualTo(budget);
  }

  @ParameterizedTest
  @CsvSource({"1,100", "3,4", "64,100"})
  void shortSequencesAreDrawnWithReplacementAndNoDrawIsLost(int n, int budget) {
    var queries = SampledQueries.sample(n, budget, new SplittableRandom(2));
    assertThat(queries.pos()).doesNotHaveDuplicates().isSorted().hasSizeLessThanOrEqualTo(n);
    assertThat(Arrays.stream(queries.count())).allMatch(c -> c > 0);
    assertThat(queries.budget()).isEqualTo(budget);
  }

  /** Binomial(4000, 3/10) has mean 1200 and standard deviation 29: five of these to each side. */
  @Test
  void everyPositionIsAsLikelyAsAnother() {
    var random = new SplittableRandom(3);
    int[] hits = new int[10];
    for (int i = 0; i < 4000; i++)
      for (int p : SampledQueries.sample(10, 3, random).pos()) hits[p]++;
    assertThat(Arrays.stream(hits)).allMatch(h -> Math.abs(h - 1200) < 145);
  }

  @Test
  void repeatsAreCountedAndEntriesArePrefixes() {
    var queries = SampledQueries.of(4, 0, 4, 2, 4);
    assertThat(queries.pos()).containsExactly(0, 2, 4);
    assertThat(queries.count()).containsExactly(1, 1, 3);
    assertThat(queries.budget()).isEqualTo(5);
    assertThat(queries.entries()).isEqualTo(1 + 3 + 5);
  }
}
