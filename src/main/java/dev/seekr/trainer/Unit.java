package dev.seekr.trainer;

import dev.seekr.data.Batch;
import dev.seekr.data.Batcher;
import dev.seekr.data.Sample;
import dev.seekr.method.General;
import dev.seekr.method.Method;
import dev.seekr.method.Objective;
import dev.seekr.method.Replayed;
import dev.seekr.method.Step;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;

/** A micro-batch: new samples of the stage, replayed ones of earlier tasks, or some of no task. */
public sealed interface Unit {
  List<Sample> samples();

  /** Some of its samples, by their places; perhaps none. */
  Unit only(int[] places);

  /**
   * The forward passes it takes, each of at most microTokens packed tokens (a longer sequence
   * alone).
   */
  List<Pass> passes(int microTokens);

  /** One forward and backward pass. */
  interface Pass {
    Objective objective(Method method, Step step);
  }

  /**
   * All micro-batches of a kind as one, in the order in which the kinds come. Where tokens weigh by
   * kind, the step is the same and takes fewer passes.
   */
  static List<Unit> byKind(List<Unit> units) {
    var kinds = new LinkedHashMap<Class<?>, List<Unit>>();
    for (Unit unit : units)
      kinds.computeIfAbsent(unit.getClass(), _ -> new ArrayList<>()).add(unit);
    return kinds.values().stream().map(Unit::joined).toList();
  }

  private static Unit joined(List<Unit> ofOneKind) {
    var samples = ofOneKind.stream().flatMap(u -> u.samples().stream()).toList();
    return switch (ofOneKind.getFirst()) {
      case Fresh _ -> new Fresh(samples);
      case Rehearsal _ ->
          new Rehearsal(
              ofOneKind.stream().flatMap(u -> ((Rehearsal) u).replayed().stream()).toList());
      case OfNoTask first -> new OfNoTask(first.general(), samples);
    };
  }

  private static <T> List<T> some(List<T> of, int[] places) {
    return Arrays.stream(places).mapToObj(of::get).toList();
  }

  record Fresh(List<Sample> samples) implements Unit {
    @Override
    public Unit only(int[] places) {
      return new Fresh(some(samples, places));
    }

    @Override
    public List<Pass> passes(int microTokens) {
      var passes = new ArrayList<Pass>();
      for (List<Sample> chunk : Batcher.pack(samples, Sample::length, microTokens))
        passes.add(new Learn(new Batch(chunk)));
      return passes;
    }
  }

  record Rehearsal(List<Replayed> replayed) implements Unit {
    @Override
    public Unit only(int[] places) {
      return new Rehearsal(some(replayed, places));
    }

    @Override
    public List<Sample> samples() {
      return replayed.stream().map(Replayed::sample).toList();
    }

    /** Samples of one buffer go together: its heads are those of its own time. */
    @Override
    public List<Pass> passes(int microTokens) {
      var byBuffer = new LinkedHashMap<Object, List<Replayed>>();
      for (Replayed r : replayed)
        byBuffer.computeIfAbsent(r.buffer(), b -> new ArrayList<>()).add(r);
      var passes = new ArrayList<Pass>();
      for (var group : byBuffer.values()) {
        for (var chunk : Batcher.pack(group, r -> r.sample().length(), microTokens))
          passes.add(new Rehearse(chunk));
      }
      return passes;
    }
  }

  record OfNoTask(General general, List<Sample> samples) implements Unit {
    @Override
    public Unit only(int[] places) {
      return new OfNoTask(general, some(samples, places));
    }

    @Override
    public List<Pass> passes(int microTokens) {
      var passes = new ArrayList<Pass>();
      for (List<Sample> chunk : Batcher.pack(samples, Sample::length, microTokens)) {
        var batch = new Batch(chunk);
        passes.add((method, step) -> general.objective(method, batch, step));
      }
      return passes;
    }
  }

  record Learn(Batch batch) implements Pass {
    @Override
    public Objective objective(Method method, Step step) {
      return method.learn(batch, step);
    }
  }

  record Rehearse(List<Replayed> replayed) implements Pass {
    @Override
    public Objective objective(Method method, Step step) {
      return method.rehearse(replayed, step);
    }
  }
}
