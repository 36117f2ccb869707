package dev.seekr.trainer;

import dev.seekr.config.ConfigReader;
import dev.seekr.config.ConfigWriter;
import dev.seekr.config.RunConfig;
import dev.seekr.data.Queries;
import dev.seekr.data.Sample;
import dev.seekr.data.Scratch;
import dev.seekr.method.HeadImportance;
import dev.seekr.method.Method;
import dev.seekr.method.Methods;
import dev.seekr.method.Replay;
import dev.seekr.method.Seekr;
import dev.seekr.model.LlamaConfig;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.Weights;
import dev.seekr.ops.Backends;
import dev.seekr.ops.DryOps;
import dev.seekr.tensor.DryPlace;
import dev.seekr.tensor.Memory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The memory of a run, known before it begins: its steps are taken with {@link DryOps kernels that
 * compute nothing}, so that what is counted is what training itself allocates. Passes are as large
 * as the settings let them be, their samples as long.
 *
 * @param bytes what a place must have for all phases, one after the other, gaps included
 */
public record BytePlan(long bytes, List<Phase> phases) {

  /**
   * A part of a run.
   *
   * @param peak most bytes held at once
   * @param byTag most bytes of each kind, which need not come together
   */
  public record Phase(String name, long peak, Map<String, Long> byTag) {}

  /**
   * Steps on new and on replayed samples, and the scoring of heads, as far as the method has them.
   */
  public static BytePlan of(RunConfig run, LlamaConfig shape) {
    // Heads chosen at random are as many as others, and no model need be written to disk.
    var config =
        ConfigReader.parse(ConfigWriter.write(run), "plan", List.of("method.seekr.choice=random"));
    var place = new DryPlace();
    var ops = DryOps.of(Backends.type(run.run().dtype()), place);
    var phases = new ArrayList<Phase>();
    List<Sample> samples = samples(run, shape);
    try (var memory = new Memory("model");
        var scratch = Scratch.create();
        var model =
            new LlamaModel(
                shape,
                new Weights(shape, ops, memory, "weights"),
                ops,
                config.train().recompute());
        Method method = Methods.of(config, shape, ops);
        var learner = new Learner(model, method, config.train())) {
      var context = new Method.Context(0, "plan", samples, model, scratch.folder());
      method.begin(context);
      learner.step(List.of(new Unit.Fresh(samples)), 1e-5);
      phases.add(phase("a step on new samples", place));
      if (method instanceof Seekr && run.method().seekr().choice() != RunConfig.HeadChoice.random) {
        score(run, model, samples);
        phases.add(phase("scoring of heads", place));
      }
      if (method instanceof Replay replay) {
        replay.remember(context, samples);
        learner.step(List.of(new Unit.Rehearsal(replay.replay())), 1e-5);
        phases.add(phase("a step on replayed samples", place));
      }
    }
    return new BytePlan(place.bytes(), phases);
  }

  /** As many of the longest samples as a pass takes, or one. */
  private static List<Sample> samples(RunConfig run, LlamaConfig shape) {
    var data = run.data();
    int T = Math.min(data.maxPrompt() + data.maxAnswer(), shape.maxPositions());
    int answer = Math.min(data.maxAnswer(), T - 1);
    int n = Math.clamp(run.train().microTokens() / T, 1, run.train().batch());
    var samples = new ArrayList<Sample>();
    for (int i = 0; i < n; i++) samples.add(new Sample(new int[T], T - answer));
    return samples;
  }

  /** As {@link Seekr} does at the end of a task, with the model from before it as a second one. */
  private static void score(RunConfig run, LlamaModel after, List<Sample> samples) {
    var settings = run.method().seekr();
    int micro = run.train().microTokens();
    var queries = new ArrayList<Queries>();
    for (Sample s : samples)
      queries.add(
          Queries.of(
              java.util.stream.IntStream.range(0, Math.min(s.length(), settings.queries()))
                  .toArray()));
    try (var memory = new Memory("previous model")) {
      var weights = new Weights(after.config, after.ops(), memory, "previous weights");
      try (var before = new LlamaModel(after.config, weights, after.ops(), false)) {
        HeadImportance.scores(settings.variant(), after, before, samples, queries, micro);
      }
    }
  }

  private static Phase phase(String name, DryPlace place) {
    var ledger = place.ledger();
    var phase = new Phase(name, ledger.peak(), ledger.peakByTag());
    ledger.resetPeak();
    return phase;
  }
}
