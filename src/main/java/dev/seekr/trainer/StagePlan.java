package dev.seekr.trainer;

import dev.seekr.config.RunConfig;
import dev.seekr.data.Batcher;
import dev.seekr.data.Interleave;
import dev.seekr.data.Sample;
import dev.seekr.method.Replayed;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * The optimiser steps of a stage: every epoch shuffles new and replayed samples apart, cuts both
 * into micro-batches, interleaves those evenly (paper appendix B) and groups them into steps. The
 * order of new data depends on seed, stage and epoch alone, so that it is the same for every
 * method.
 */
record StagePlan(RunConfig.Train settings, int stage, List<Sample> fresh, List<Replayed> replayed) {

  int stepsPerEpoch() {
    int units = batches(fresh.size()) + batches(replayed.size());
    return (units + settings.accumulate() - 1) / settings.accumulate();
  }

  int steps() {
    return settings.epochs() * stepsPerEpoch();
  }

  private int batches(int n) {
    return (n + settings.batch() - 1) / settings.batch();
  }

  /** Micro-batches of each step of an epoch, counted from 0. */
  List<List<Unit>> epoch(int epoch) {
    List<Unit> news = new ArrayList<>(), rehearsals = new ArrayList<>();
    for (var batch : Batcher.epoch(fresh, settings.batch(), random(epoch, 0)))
      news.add(new Unit.Fresh(batch));
    for (var batch : Batcher.epoch(replayed, settings.batch(), random(epoch, 1)))
      rehearsals.add(new Unit.Rehearsal(batch));
    List<Unit> units =
        Interleave.<Unit>of(news, rehearsals).stream().map(Interleave::item).toList();
    return Batcher.pack(units, unit -> 1, settings.accumulate());
  }

  private SplittableRandom random(int epoch, int kind) {
    return new SplittableRandom(((settings.seed() * 8191 + stage) * 8191 + epoch) * 2 + kind);
  }
}
