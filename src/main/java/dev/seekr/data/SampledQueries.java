package dev.seekr.data;

import java.util.Arrays;
import java.util.random.RandomGenerator;

/**
 * The query rows T of one sample whose attention is captured and distilled (paper section 3.3).
 *
 * @param pos [R] distinct positions, ascending
 * @param count [R] how often each was drawn; more than once only where the sample has fewer rows
 *     than the budget
 */
public record SampledQueries(int[] pos, int[] count) {
  public SampledQueries {
    pos = pos.clone();
    count = count.clone();
  }

  /** A copy. */
  @Override
  public int[] pos() {
    return pos.clone();
  }

  /** A copy. */
  @Override
  public int[] count() {
    return count.clone();
  }

  /** The budget B_T: how many rows were drawn. */
  public int budget() {
    return Arrays.stream(count).sum();
  }

  /**
   * {@code budget} rows of a sequence of n tokens: without replacement when it is long enough, else
   * with.
   */
  public static SampledQueries sample(int n, int budget, RandomGenerator random) {
    int[] drawn = new int[budget];
    if (n >= budget) {
      int[] all = new int[n];
      Arrays.setAll(all, i -> i);
      for (int i = 0; i < budget; i++) {
        int j = random.nextInt(i, n);
        drawn[i] = all[j];
        all[j] = all[i];
      }
    } else {
      Arrays.setAll(drawn, i -> random.nextInt(n));
    }
    return of(drawn);
  }

  /** All rows of a sequence of n tokens, each once. */
  public static SampledQueries all(int n) {
    int[] rows = new int[n];
    Arrays.setAll(rows, i -> i);
    return of(rows);
  }

  /** Rows as drawn: any order, repeats counted. */
  public static SampledQueries of(int... drawn) {
    int[] sorted = drawn.clone();
    Arrays.sort(sorted);
    int[] pos = Arrays.stream(sorted).distinct().toArray();
    int[] count = new int[pos.length];
    for (int i = 0, r = 0; i < sorted.length; i++) {
      if (sorted[i] != pos[r]) r++;
      count[r]++;
    }
    return new SampledQueries(pos, count);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof SampledQueries q
        && Arrays.equals(pos, q.pos)
        && Arrays.equals(count, q.count);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(pos) + Arrays.hashCode(count);
  }

  /** Entries of all causal prefixes: sum of pos + 1. */
  public long entries() {
    return Arrays.stream(pos).mapToLong(p -> p + 1L).sum();
  }
}
