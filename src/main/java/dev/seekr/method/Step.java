package dev.seekr.method;

import dev.seekr.config.Reduction;
import dev.seekr.data.Sample;
import java.util.List;

/**
 * What an optimiser step comprises in all its micro-batches and on all processes, as weights: what
 * a token's or a sample's loss is multiplied by, once, however the step is cut into passes. New and
 * replayed data are two expectations (paper Eq. 13), general data a third, each in the share it has
 * of the step's samples (Algorithm 1); {@link Reduction} says how they are taken.
 *
 * @param number of the step in its stage, from 0
 * @param fresh all new samples of the step, on every process
 * @param freshToken weight of a target token of a new sample
 * @param replayedToken weight of a target token of a replayed sample
 * @param replayedSample weight of a replayed sample
 * @param generalToken weight of a target token of a sample of no task
 */
public record Step(
    int number,
    List<Fresh> fresh,
    double freshToken,
    double replayedToken,
    double replayedSample,
    double generalToken) {

  /** A new sample and its weight. */
  public record Fresh(Sample sample, double weight) {}

  /** A step of new samples alone, in one process. */
  public static Step of(List<Sample> samples) {
    double token = 1.0 / samples.stream().mapToInt(Sample::targets).sum();
    double each = 1.0 / samples.size();
    var fresh = samples.stream().map(s -> new Fresh(s, each)).toList();
    return new Step(0, fresh, token, token, each, token);
  }

  /** Weight of a new sample; for steps and micro-batches in which all weigh the same. */
  public double freshSample() {
    return fresh.isEmpty() ? 0 : fresh.getFirst().weight();
  }
}
