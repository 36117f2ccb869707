package dev.seekr.run;

import dev.seekr.backends.Backends;
import dev.seekr.config.ConfigReader;
import dev.seekr.config.ConfigWriter;
import dev.seekr.config.RunConfig;
import dev.seekr.data.Sample;
import dev.seekr.disk.RunFolder;
import dev.seekr.disk.Scratch;
import dev.seekr.distributed.Collectives;
import dev.seekr.distributed.Unconnected;
import dev.seekr.method.General;
import dev.seekr.method.HeadChanges;
import dev.seekr.method.Method;
import dev.seekr.method.Methods;
import dev.seekr.method.Setup;
import dev.seekr.model.LlamaConfig;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.Weights;
import dev.seekr.ops.DryOps;
import dev.seekr.tensor.DryPlace;
import dev.seekr.tensor.Memory;
import dev.seekr.trainer.Learner;
import dev.seekr.trainer.Unit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/**
 * The memory of a run, known before it begins: two of its stages are gone through with {@link
 * DryOps kernels that compute nothing}, so that what is counted is what training and the method
 * themselves allocate. Passes are as large as the settings let them be, their samples as long.
 *
 * @param bytes what a place must have for the tensors of all phases, one after the other, gaps
 *     included
 * @param host what the host must have for tensors that lie there and not in that place; 0 where
 *     that place is the host
 * @param beside what it holds besides, at most, by what it is for; see {@link Backends#beside}
 */
public record BytePlan(long bytes, long host, Map<String, Long> beside, List<Phase> phases) {

  /**
   * A part of a run.
   *
   * @param peak most bytes held at once
   * @param byTag most bytes of each kind, which need not come together
   */
  public record Phase(String name, long peak, Map<String, Long> byTag) {}

  public static BytePlan of(RunConfig run, LlamaConfig shape) {
    return of(run, shape, 1);
  }

  /** The same of the first of several processes, each with samples as large as it may have. */
  public static BytePlan of(RunConfig run, LlamaConfig shape, int ranks) {
    Collectives all = new Unconnected(ranks);
    List<Sample> samples = samples(run, shape);
    // All of them are kept, so that steps replay as many as they may.
    var config =
        ConfigReader.parse(
            ConfigWriter.write(run), "plan", List.of("method.replay_samples=" + samples.size()));
    var place = new DryPlace();
    var ops = new DryOps(Backends.type(run.run().dtype()), place, Backends.logitRows(run.run()));
    var phases = new ArrayList<Phase>();
    try (var memory = new Memory("model");
        var scratch = Scratch.create();
        var model =
            new LlamaModel(
                shape,
                new Weights(shape, ops, memory, "weights"),
                ops,
                config.train().recompute());
        Method method =
            Methods.of(new Setup(config, model, new RunFolder(scratch.folder()), all, true));
        var learner = new Learner(model, method, config.train())) {
      var general = General.of(method.setup(), run.data().general() == null ? List.of() : samples);
      if (general != null && general.bytes() > 0) {
        general.begin();
        phases.add(phase("what the initial model says", place));
      }
      Learner.requireDivisible(method);
      for (int stage = 0; stage < 2; stage++) {
        method.begin(new Method.Context(stage, "plan" + stage, samples, null));
        learner.train();
        learner.step(0, List.of(new Unit.Fresh(everyone(samples, ranks))), 1e-5);
        phases.add(phase(stage == 0 ? "a step on new samples" : "a step of a later task", place));
        if (!method.replay().isEmpty()) {
          learner.step(1, List.of(new Unit.Rehearsal(everyone(method.replay(), ranks))), 1e-5);
          phases.add(phase("a step on replayed samples", place));
        }
        if (general != null) {
          learner.step(2, List.of(new Unit.OfNoTask(general, everyone(samples, ranks))), 1e-5);
          phases.add(phase("a step on samples of no task", place));
        }
        if (stage > 0) break;
        var ends = new Method.Context(stage, "plan" + stage, samples, learner.weights());
        var changes = HeadChanges.of(method.setup());
        if (changes != null) changes.with(ends, method.model());
        method.end(ends);
        learner.train();
        phases.add(phase("the end of a task", place));
      }
    }
    long tokens = samples.stream().mapToLong(Sample::length).sum();
    var beside = Backends.beside(run.run(), tokens, shape.heads().NH(), shape.C());
    return new BytePlan(place.bytes(), place.host().bytes(), beside, phases);
  }

  /** What a place must have for all of it. */
  public long total() {
    return bytes + beside.values().stream().mapToLong(b -> b).sum();
  }

  /** As many of the longest samples as a pass takes, or one. */
  private static List<Sample> samples(RunConfig run, LlamaConfig shape) {
    var data = run.data();
    int T = Math.min(data.maxPrompt() + data.maxAnswer(), shape.maxPositions());
    int answer = Math.min(data.maxAnswer(), T - 1);
    int n = Math.clamp(run.train().microTokens() / T, 1, run.train().together());
    var samples = new ArrayList<Sample>();
    for (int i = 0; i < n; i++) samples.add(new Sample(new int[T], T - answer));
    return samples;
  }

  /** As many for each process. */
  private static <T> List<T> everyone(List<T> samples, int ranks) {
    return Collections.nCopies(ranks, samples).stream().flatMap(List::stream).toList();
  }

  private static Phase phase(String name, DryPlace place) {
    var ledger = place.ledger();
    var phase = new Phase(name, ledger.peak(), ledger.peakByTag());
    ledger.resetPeak();
    return phase;
  }
}
