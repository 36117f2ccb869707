package dev.seekr.method;

import dev.seekr.data.Sample;
import java.util.List;

/**
 * What an optimiser step comprises in all its micro-batches and on all processes: token losses are
 * divided by {@code targets} and sample losses by {@code samples}, once, however the step is cut
 * into passes.
 *
 * @param number of the step in its stage, from 0
 * @param fresh the new samples of this process
 */
public record Step(int number, int targets, int samples, List<Sample> fresh) {
  /** A step of new samples alone, in one process. */
  public static Step of(List<Sample> fresh) {
    return new Step(0, fresh.stream().mapToInt(Sample::targets).sum(), fresh.size(), fresh);
  }
}
