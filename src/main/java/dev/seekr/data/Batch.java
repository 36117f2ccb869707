package dev.seekr.data;

import java.util.List;

/** Samples packed end to end: no padding, positions restart in each sequence. */
public record Batch(List<Sample> samples) {
  public Batch {
    if (samples.isEmpty()) throw new IllegalArgumentException("an empty batch");
    samples = List.copyOf(samples);
  }

  public static Batch of(Sample... samples) {
    return new Batch(List.of(samples));
  }

  /** S, the number of sequences. */
  public int S() {
    return samples.size();
  }

  /** N, the number of packed tokens. */
  public int N() {
    return samples.stream().mapToInt(Sample::length).sum();
  }

  /** Target tokens of all samples. */
  public int targets() {
    return samples.stream().mapToInt(Sample::targets).sum();
  }

  /** [S+1] first row of each sequence, then N. */
  public int[] cuSeqlens() {
    int[] cu = new int[S() + 1];
    for (int s = 0; s < S(); s++) cu[s + 1] = cu[s] + samples.get(s).length();
    return cu;
  }

  /** [N] token ids. */
  public int[] tokens() {
    return samples.stream().flatMapToInt(s -> java.util.Arrays.stream(s.tokens())).toArray();
  }

  /** [N] position of each token in its own sequence. */
  public int[] positions() {
    return samples.stream()
        .flatMapToInt(s -> java.util.stream.IntStream.range(0, s.length()))
        .toArray();
  }
}
