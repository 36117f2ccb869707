package dev.seekr.method;

import dev.seekr.config.MethodSettings;
import dev.seekr.config.MethodSettings.ReplayChoice;
import dev.seekr.data.Sample;
import dev.seekr.data.SampledQueries;
import dev.seekr.state.Seeds;
import java.util.Arrays;
import java.util.List;

/**
 * R_i of Algorithm 1: a random choice that depends on the seed and the stage only, or the first
 * ones, so that all methods keep the same.
 */
record KeptSamples(Setup setup) {
  private MethodSettings settings() {
    return setup.config().method();
  }

  private boolean first() {
    return settings().replayChoice() == ReplayChoice.first;
  }

  /** How many samples of a task of n are kept: at least one, where any share is. */
  int wanted(int n) {
    int wanted = settings().replaySamples();
    double share = settings().replayRatio() * n;
    if (wanted == 0 && share > 0)
      wanted = Math.max(1, (int) (first() ? Math.floor(share) : Math.round(share)));
    return Math.min(n, wanted);
  }

  /** Those of a stage. */
  List<Sample> of(Method.Context context) {
    int n = context.samples().size();
    if (first()) return context.samples().subList(0, wanted(n));
    var random = setup.random(Seeds.Purpose.REPLAY, context.index());
    int[] picks = SampledQueries.sample(n, wanted(n), random).pos();
    return Arrays.stream(picks).mapToObj(context.samples()::get).toList();
  }
}
