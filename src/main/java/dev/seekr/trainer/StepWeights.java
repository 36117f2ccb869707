package dev.seekr.trainer;

import dev.seekr.config.Reduction;
import dev.seekr.data.Sample;
import dev.seekr.method.Step;
import java.util.ArrayList;
import java.util.List;

/**
 * What tokens and samples of a step weigh, from how many there are of each kind, whichever process
 * takes them.
 *
 * @param units micro-batches of the step
 */
record StepWeights(Reduction reduction, long units, Kind fresh, Kind replayed, Kind general) {
  /** New, replayed or general samples, and their target tokens. */
  private record Kind(long samples, long targets) {
    static Kind of(List<Sample> samples) {
      return new Kind(samples.size(), samples.stream().mapToLong(Sample::targets).sum());
    }

    Kind plus(Kind o) {
      return new Kind(samples + o.samples, targets + o.targets);
    }

    /** Of {@code n} samples in all: the kind's share of them, over its own tokens. */
    double token(long n) {
      return samples == 0 ? 0 : (double) samples / n / targets;
    }
  }

  static StepWeights of(Reduction reduction, List<Unit> units) {
    Kind fresh = new Kind(0, 0), replayed = fresh, general = fresh;
    for (Unit unit : units) {
      Kind one = Kind.of(unit.samples());
      switch (unit) {
        case Unit.Fresh _ -> fresh = fresh.plus(one);
        case Unit.Rehearsal _ -> replayed = replayed.plus(one);
        case Unit.OfNoTask _ -> general = general.plus(one);
      }
    }
    return new StepWeights(reduction, units.size(), fresh, replayed, general);
  }

  /** Of the whole step; tokens weigh by kind. */
  Step step(int number, List<Unit> units) {
    long n = fresh.samples + replayed.samples + general.samples;
    var weighted = new ArrayList<Step.Fresh>();
    for (Unit unit : units)
      if (unit instanceof Unit.Fresh)
        for (Sample sample : unit.samples()) weighted.add(new Step.Fresh(sample, sample(unit, n)));
    double each = n == 0 ? 0 : 1.0 / n;
    return new Step(number, weighted, fresh.token(n), replayed.token(n), each, general.token(n));
  }

  private double sample(Unit unit, long n) {
    return 1.0 / (reduction == Reduction.by_kind ? n : units * unit.samples().size());
  }

  /** As one micro-batch sees it: the step itself, or a mean of its own. */
  Step step(int number, Unit unit, Step whole) {
    if (reduction == Reduction.by_kind) return whole;
    Kind one = Kind.of(unit.samples());
    double token = 1.0 / units / one.targets, each = 1.0 / units / one.samples;
    var weighted =
        unit instanceof Unit.Fresh
            ? unit.samples().stream().map(s -> new Step.Fresh(s, each)).toList()
            : List.<Step.Fresh>of();
    return new Step(number, weighted, token, token, each, token);
  }
}
