package dev.seekr.trainer;

import dev.seekr.Failure;
import dev.seekr.config.DistSettings;
import dev.seekr.config.Reduction;
import dev.seekr.config.RunConfig;
import dev.seekr.config.TrainSettings;
import dev.seekr.config.TrainSettings.State;
import dev.seekr.data.Sample;
import dev.seekr.distributed.Collectives;
import dev.seekr.method.Gradients;
import dev.seekr.method.Losses;
import dev.seekr.method.Method;
import dev.seekr.method.Objective;
import dev.seekr.method.Step;
import dev.seekr.model.DividedGradients;
import dev.seekr.model.Finite;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.Parameters;
import dev.seekr.model.SharedGradients;
import dev.seekr.model.StreamedGradients;
import dev.seekr.model.Weights;
import dev.seekr.ops.Ops;
import dev.seekr.safetensors.Safetensors;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import dev.seekr.state.Stateful;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Place;
import dev.seekr.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Optimiser steps: passes over micro-batches that add up a gradient, then one AdamW update. A step
 * that is given up at one of its passes has changed nothing.
 */
public final class Learner implements Stateful, AutoCloseable {
  private final LlamaModel model;
  private final Method method;
  private final TrainSettings settings;
  private final Collectives all;
  private Memory memory;
  private Parameters trained, grads;
  private Ops gradOps; // where gradients lie when they have been summed
  private AdamW optimizer;
  private boolean divided; // whether each process steps its part

  /**
   * What a step did: losses before the update, global gradient norm before clipping, packed tokens.
   */
  public record Result(Losses losses, double gradNorm, int tokens) {}

  /**
   * A step whose loss or gradient is not finite: weights and moments are as they were before it.
   */
  public static final class NotFinite extends RuntimeException {
    public final transient Result result;

    NotFinite(Result result, String what) {
      super(what);
      this.result = result;
    }
  }

  public Learner(LlamaModel model, Method method, TrainSettings settings) {
    this.model = model;
    this.method = method;
    this.settings = settings;
    this.all = method.setup().all();
  }

  /** What is trained, as the optimizer holds it; null before the first step. */
  public Parameters weights() {
    return optimizer == null ? null : optimizer.weights();
  }

  /** Gradients of the last step; null before the first. */
  public Parameters grads() {
    return grads;
  }

  /**
   * Trains what the method now says, which may have set it anew. Moments go on as long as it is the
   * same. To be called when a stage has begun or ended.
   */
  public void train() {
    Parameters wanted = method.trained();
    if (wanted == trained) {
      if (optimizer != null) optimizer.takeOver();
      return;
    }
    close();
    trained = wanted;
    if (wanted == null) return;
    memory = new Memory("learner");
    var state = AdamW.state(wanted, settings);
    gradOps = state == State.host ? model.ops().host() : model.ops();
    var config = method.setup().config();
    var shard = config.dist().shard();
    divided = divides(config, all) && wanted instanceof Weights;
    grads = divided && shard == DistSettings.Shard.gradients ? parts() : whole(wanted, state);
    optimizer = new AdamW(wanted, model.ops(), settings, memory, all, divided);
  }

  private Parameters parts() {
    return new DividedGradients(model.config, model.ops(), all, memory, "gradients");
  }

  private Parameters whole(Parameters wanted, State state) {
    var own =
        switch (state) {
          case f32 -> wanted.like(model.ops(), memory, "gradients");
          case bf16 -> Weights.narrowGradients(model.config, model.ops(), memory, "gradients");
          case host -> new StreamedGradients(model.config, model.ops(), memory, "gradients");
        };
    return all.ranks() > 1 && own instanceof Weights w
        ? new SharedGradients(w, divided, all::summing)
        : own;
  }

  /**
   * One step over the micro-batches.
   *
   * @param number of the step in its stage, from 0
   * @throws NotFinite naming what was not finite first
   */
  public Result step(int number, List<Unit> units, double lr) {
    var losses = new Losses();
    int tokens = gradients(number, units, losses);
    List<Tensor> stepped =
        grads instanceof DividedGradients own ? own.parts() : optimizer.parts(grads);
    double norm = Math.sqrt(squares(divided ? stepped : grads.vectors()));
    var result = new Result(losses, norm, tokens);
    if (!Double.isFinite(losses.total()) || !Double.isFinite(norm))
      throw new NotFinite(result, whatIsNotFinite(losses));
    optimizer.step(stepped, norm, lr);
    return result;
  }

  /** Of the whole gradient, of which each process perhaps has a part. */
  private double squares(List<Tensor> gradient) {
    double own = 0;
    for (Tensor g : gradient) if (g.size() > 0) own += gradOps.sumSquares(g);
    if (!divided) return own;
    double mine = own, sum = 0;
    for (double[] of : all.each(all.ranks(), _ -> new double[] {mine})) sum += of[0];
    return sum;
  }

  private String whatIsNotFinite(Losses losses) {
    var ops = model.ops();
    var weights = Finite.exception(model.weights, ops).or(() -> Finite.exception(trained, ops));
    if (weights.isPresent()) return "weights: " + weights.get();
    for (var term : losses.means().entrySet())
      if (!Double.isFinite(term.getValue())) return "loss: " + term.getKey();
    return Finite.exception(grads, gradOps)
        .map(name -> "gradient: " + name)
        .orElse("gradient norm");
  }

  /**
   * Losses and their gradients, which replace those of the step before. Returns the number of
   * packed tokens.
   */
  public int gradients(int number, List<Unit> microBatches, Losses losses) {
    if (trained == null) train();
    var reduction = settings.reduction();
    var units = reduction == Reduction.by_kind ? Unit.byKind(microBatches) : microBatches;
    var weights = StepWeights.of(reduction, units);
    Step step = weights.step(number, units);
    method.beforeStep(step);
    var passes = new ArrayList<Prepared>();
    var mine = Share.of(units, all.rank(), all.ranks());
    for (int u = 0; u < units.size(); u++) {
      Step own = weights.step(number, units.get(u), step);
      for (Unit.Pass pass : mine.get(u).passes(settings.microTokens()))
        passes.add(new Prepared(pass, own));
    }
    var next = new Next(passes);
    for (int i = 0; i < passes.size(); i++) {
      if (grads instanceof SharedGradients shared) shared.last(i == passes.size() - 1);
      try (var objective = next.take()) {
        var pass = method.learning(step).forward(objective.batch());
        next.prepare();
        var tapped = pass.backward(objective.output(), objective.tap(), grads, i > 0);
        objective.booking().book(tapped, losses);
      }
    }
    sum(passes.size(), units);
    losses.sum(all);
    method.addTo(new Gradients(optimizer.weights(), grads, step, losses));
    return units.stream().flatMap(u -> u.samples().stream()).mapToInt(Sample::length).sum();
  }

  /** What gradients lack when this process has gone through its own passes of a step. */
  private void sum(int passes, List<Unit> units) {
    if (grads instanceof DividedGradients parts) {
      for (int i = passes; i < Share.mostPasses(units, all.ranks(), settings.microTokens()); i++)
        parts.nothing(i > 0);
      return;
    }
    if (grads instanceof SharedGradients shared) {
      if (passes == 0) shared.nothing(gradOps);
      shared.join(this::gather);
      return;
    }
    if (passes == 0) for (Tensor g : grads.vectors()) gradOps.zero(g);
    for (Tensor g : grads.vectors()) all.sum(g);
  }

  /** All of a sum, where not each process steps its part. */
  private void gather(Tensor summed) {
    if (!divided) all.gatherParts(summed);
  }

  /** A pass, and the weights of what it takes. */
  private record Prepared(Unit.Pass pass, Step step) {}

  /** The objective of the pass to come, so that a device can be given it while it computes. */
  private final class Next {
    private final Iterator<Prepared> passes;
    private Objective objective;
    private Place.Ahead ahead;

    Next(List<Prepared> passes) {
      this.passes = passes.iterator();
      prepare();
    }

    void prepare() {
      if (!passes.hasNext()) return;
      Prepared next = passes.next();
      ahead =
          model.ops().place().ahead(() -> objective = next.pass().objective(method, next.step()));
    }

    Objective take() {
      ahead.join();
      return objective;
    }
  }

  /** What is trained, as the model reads it and, where that is another, as it is stepped. */
  Map<String, Tensor> trained() {
    var tensors = new LinkedHashMap<String, Tensor>();
    tensors.put("trained", trained.flat());
    if (weights() != trained) tensors.put("stepped", weights().flat());
    return tensors;
  }

  /** Makes it what it was when a file of {@link #trained} was written; moments stay. */
  void restore(Path file) {
    try (var tensors = Safetensors.open(file)) {
      trained().forEach(tensors::read);
    }
  }

  /** Whether processes hold parts of the optimizer, so that each saves its own. */
  public static boolean divides(RunConfig config, Collectives all) {
    return all.ranks() > 1 && config.dist().shard() != DistSettings.Shard.none;
  }

  /**
   * Throws Failure (78) where the processes of a run cannot divide what {@code dist.shard} says, or
   * one process would have it all.
   */
  public static void requireDivisible(Method method) {
    var config = method.setup().config();
    if (config.dist().shard() == DistSettings.Shard.none) return;
    String why = method.undivided();
    if (why == null && config.train().state() == State.host)
      why = "train.state=host keeps the optimizer elsewhere";
    if (why != null)
      throw Failure.config(
          "dist.shard=%s: %s of %s is not divided: %s; leave it out",
          config.dist().shard(), "the optimizer", config.method().name(), why);
  }

  /** Whether a section of a saved state is for this process alone to save. */
  public static boolean own(String section, Collectives all) {
    return Shard.own(section, all);
  }

  /** What is trained, unless it is the model's weights, and the optimizer. */
  @Override
  public void save(StateWriter to) {
    to.put("training", optimizer != null);
    if (optimizer == null) return;
    if (trained != model.weights) to.tensor("trained", trained.flat());
    optimizer.save(to);
  }

  /** The method has been loaded. */
  @Override
  public void load(StateReader from) {
    if (!from.get("training", Boolean.class)) return;
    train();
    if (trained != model.weights) from.tensor("trained", trained.flat());
    optimizer.load(from);
  }

  @Override
  public void close() {
    if (memory != null) memory.close();
    memory = null;
    trained = grads = null;
    optimizer = null;
  }
}
