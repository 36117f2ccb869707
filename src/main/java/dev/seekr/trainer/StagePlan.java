package dev.seekr.trainer;

import dev.seekr.config.TrainSettings;
import dev.seekr.data.Batcher;
import dev.seekr.data.Interleave;
import dev.seekr.data.Sample;
import dev.seekr.method.General;
import dev.seekr.method.Replayed;
import dev.seekr.state.Seeds;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * The optimiser steps of a stage: every epoch shuffles new and replayed samples apart, cuts both
 * into micro-batches, interleaves those (evenly, paper appendix B, or as the released code does)
 * and groups them into steps. Samples of no task stand evenly among both. All follows from seed,
 * stage and epoch, so that any step can be taken up again; the order of new data is the same for
 * every method.
 */
public record StagePlan(
    TrainSettings settings,
    int stage,
    List<Sample> fresh,
    List<Replayed> replayed,
    General general) {
  /** Without samples of no task. */
  StagePlan(TrainSettings settings, int stage, List<Sample> fresh, List<Replayed> replayed) {
    this(settings, stage, fresh, replayed, null);
  }

  int stepsPerEpoch() {
    return stepsPerEpoch(settings, fresh.size(), replayed.size(), generals());
  }

  /** Of so many new, replayed and general samples. */
  public static int stepsPerEpoch(TrainSettings settings, int fresh, int replayed, int general) {
    int n = batches(settings, fresh), r = batches(settings, replayed);
    int units = n + (cycles(settings) ? Interleave.cycled(n, r) : r) + batches(settings, general);
    return Math.ceilDiv(units, settings.accumulate());
  }

  /** Of these, the steps that replay. */
  public static int replayingPerEpoch(
      TrainSettings settings, int fresh, int replayed, int general) {
    var news = Collections.nCopies(batches(settings, fresh), false);
    var rehearsals = Collections.nCopies(batches(settings, replayed), true);
    var generals = Collections.nCopies(batches(settings, general), false);
    var steps = StagePlan.<Boolean>grouped(settings, news, rehearsals, generals);
    return (int) steps.stream().filter(step -> step.contains(true)).count();
  }

  int steps() {
    return Math.multiplyExact(settings.epochs().of(stage), stepsPerEpoch());
  }

  private int generals() {
    return general == null ? 0 : general.count(fresh.size());
  }

  private static boolean cycles(TrainSettings settings) {
    return settings.interleave() == TrainSettings.Order.cycle;
  }

  private static int batches(TrainSettings settings, int n) {
    return Math.ceilDiv(n, settings.batch());
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
    List<Unit> generals = new ArrayList<>();
    if (general != null)
      for (var batch : Batcher.chunks(general.draw(generals(), stage, epoch), settings.batch()))
        generals.add(new Unit.OfNoTask(general, batch));
    return grouped(settings, news, rehearsals, generals);
  }

  /** Micro-batches in the order of an epoch, by steps. */
  private static <T> List<List<T>> grouped(
      TrainSettings settings, List<T> news, List<T> rehearsals, List<T> generals) {
    List<Interleave<T>> mixed =
        cycles(settings) ? Interleave.cycle(news, rehearsals) : Interleave.of(news, rehearsals);
    List<T> tasks = mixed.stream().map(Interleave::item).toList();
    List<Interleave<T>> all = Interleave.of(tasks, generals);
    return Batcher.chunks(all.stream().map(Interleave::item).toList(), settings.accumulate());
  }
}
