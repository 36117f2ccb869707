package dev.seekr.trainer;

import dev.seekr.config.TrainSettings;
import dev.seekr.data.Batcher;
import dev.seekr.data.Interleave;
import dev.seekr.data.Sample;
import dev.seekr.method.Replayed;
import dev.seekr.state.Seeds;
import java.util.ArrayList;
import java.util.List;

/**
 * The optimiser steps of a stage: every epoch shuffles new and replayed samples apart, cuts both
 * into micro-batches, interleaves those evenly (paper appendix B) and groups them into steps. All
 * follows from seed, stage and epoch, so that any step can be taken up again; the order of new data
 * is the same for every method.
 */
public record StagePlan(
    TrainSettings settings, int stage, List<Sample> fresh, List<Replayed> replayed) {

  int stepsPerEpoch() {
    return stepsPerEpoch(settings, fresh.size(), replayed.size());
  }

  /** Of so many new and replayed samples. */
  public static int stepsPerEpoch(TrainSettings settings, int fresh, int replayed) {
    int batch = settings.batch();
    int units = Math.ceilDiv(fresh, batch) + Math.ceilDiv(replayed, batch);
    return Math.ceilDiv(units, settings.accumulate());
  }

  int steps() {
    return Math.multiplyExact(settings.epochs().of(stage), stepsPerEpoch());
  }

  /** Micro-batches of each step of an epoch, counted from 0. */
  List<List<Unit>> epoch(int epoch) {
    long seed = settings.seed();
    var order = Seeds.of(seed, Seeds.Purpose.ORDER, stage, epoch);
    var replayOrder = Seeds.of(seed, Seeds.Purpose.REPLAY_ORDER, stage, epoch);
    List<Unit> news = new ArrayList<>(), rehearsals = new ArrayList<>();
    for (var batch : Batcher.epoch(fresh, settings.batch(), order)) news.add(new Unit.Fresh(batch));
    for (var batch : Batcher.epoch(replayed, settings.batch(), replayOrder))
      rehearsals.add(new Unit.Rehearsal(batch));
    List<Unit> units =
        Interleave.<Unit>of(news, rehearsals).stream().map(Interleave::item).toList();
    return Batcher.pack(units, unit -> 1, settings.accumulate());
  }
}
