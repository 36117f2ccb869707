package dev.seekr.bench;

import dev.seekr.config.RunConfig;
import dev.seekr.data.Sample;
import dev.seekr.disk.RunFolder;
import dev.seekr.distributed.Collectives;
import dev.seekr.distributed.WireCollectives;
import dev.seekr.method.HeadImportance;
import dev.seekr.method.LowRank;
import dev.seekr.method.Method;
import dev.seekr.method.ProgressivePrompts;
import dev.seekr.method.Seekr;
import dev.seekr.method.SeqFT;
import dev.seekr.method.Setup;
import dev.seekr.method.Trainable;
import dev.seekr.model.LlamaModel;
import dev.seekr.tensor.Ledger;
import dev.seekr.trainer.Learner;
import dev.seekr.trainer.Unit;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.apache.commons.math3.stat.StatUtils;

/**
 * Times one kind of step on random tokens, the last quarter of each sequence its answer: a plain
 * optimiser step; one of SEEKR on replayed samples, with stored logits and attention rows; the pass
 * that scores all heads' sensitivity; or a step that trains adapters or a soft prompt alone.
 */
public final class StepBench implements AutoCloseable {
  /** What is timed. */
  public enum Mode {
    plain,
    seekr,
    importance,
    lora,
    prompt;

    /** Whether all weights are stepped. */
    public boolean ofAllWeights() {
      return this == plain || this == seekr;
    }
  }

  /** S sequences of T tokens. */
  public record Shape(int S, int T) {
    int answer() {
      return T - T * 3 / 4;
    }
  }

  /**
   * What came out.
   *
   * @param seconds of each repeat
   * @param flops of a step
   * @param byOp seconds of a step in each kernel, mean over repeats
   * @param peak bytes by tag
   * @param cost of what several processes did together in all repeats
   */
  public record Result(
      double[] seconds,
      double flops,
      Map<String, Double> byOp,
      Map<String, Long> peak,
      WireCollectives.Cost cost) {
    public double median() {
      return StatUtils.percentile(seconds, 50);
    }

    /** Mean over repeats. */
    public double mean() {
      return StatUtils.mean(seconds);
    }

    /** Share of the time that is spent outside kernels. */
    public double outside() {
      return 1 - byOp.values().stream().mapToDouble(s -> s).sum() / mean();
    }
  }

  private final RunConfig config;
  private final LlamaModel model;
  private final TimedOps timed;
  private final Shape shape;
  private final Path folder;
  private final Collectives all;

  /**
   * @param model computes with the ops of {@code timed}
   * @param folder where a SEEKR step keeps its replay samples
   */
  public StepBench(RunConfig config, LlamaModel model, TimedOps timed, Shape shape, Path folder) {
    this(config, model, timed, shape, folder, Collectives.ALONE);
  }

  /**
   * The same in one of several processes, which share the sequences.
   *
   * @param folder that all of them see
   */
  public StepBench(
      RunConfig config,
      LlamaModel model,
      TimedOps timed,
      Shape shape,
      Path folder,
      Collectives all) {
    this.all = all;
    this.config = config;
    this.model = model;
    this.timed = timed;
    this.shape = shape;
    this.folder = folder;
  }

  /** Times {@code mode} after as many untimed repeats as {@code warmup}. */
  public Result run(Mode mode, int warmup, int repeats) {
    List<Sample> samples = samples();
    var flops = StepFlops.of(model.config, shape.S, shape.T, shape.answer());
    if (mode == Mode.importance) {
      Runnable pass = () -> HeadImportance.sensitivity(model, samples, shape.S * shape.T);
      return time(pass, flops.forward() + flops.inputs(), warmup, repeats);
    }
    boolean frozen = mode == Mode.lora || mode == Mode.prompt;
    var place = new RunFolder(folder);
    Trainable trainable =
        mode == Mode.lora
            ? new LowRank(config, model, place, Collectives.ALONE)
            : new Trainable.AllWeights(model);
    var setup = new Setup(config, model, place, all, false, trainable);
    try (Method method =
            switch (mode) {
              case seekr -> new Seekr(setup);
              case prompt -> new ProgressivePrompts(setup);
              default -> new SeqFT(setup);
            };
        var learner = new Learner(model, method, config.train())) {
      var context = new Method.Context(0, "bench", samples, null);
      method.begin(context);
      if (method instanceof Seekr seekr) seekr.remember(context, samples);
      Unit unit =
          mode == Mode.seekr ? new Unit.Rehearsal(method.replay()) : new Unit.Fresh(samples);
      double counted = frozen ? flops.forward() + flops.inputs() : flops.total();
      return time(() -> learner.step(0, List.of(unit), 1e-5), counted, warmup, repeats);
    }
  }

  private List<Sample> samples() {
    var random = new SplittableRandom(1);
    var samples = new ArrayList<Sample>();
    for (int s = 0; s < shape.S; s++) {
      int[] tokens = random.ints(shape.T, 0, model.config.V()).toArray();
      samples.add(new Sample(tokens, shape.T - shape.answer()));
    }
    return samples;
  }

  private Result time(Runnable step, double flops, int warmup, int repeats) {
    for (int i = 0; i < warmup; i++) step.run();
    var before = cost();
    Ledger.PROCESS.resetPeak();
    timed.reset();
    var seconds = new double[repeats];
    for (int i = 0; i < repeats; i++) seconds[i] = timed.clock().seconds(step);
    var byOp = new TreeMap<String, Double>();
    timed.seconds().forEach((op, sum) -> byOp.put(op, sum / repeats));
    timed.reset();
    return new Result(seconds, flops, byOp, Ledger.PROCESS.peakByTag(), cost().since(before));
  }

  private WireCollectives.Cost cost() {
    return all instanceof WireCollectives together
        ? together.cost()
        : new WireCollectives.Cost(0, 0, 0);
  }

  @Override
  public void close() {
    model.close();
  }
}
