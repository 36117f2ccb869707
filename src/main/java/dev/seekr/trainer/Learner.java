package dev.seekr.trainer;

import dev.seekr.Failure;
import dev.seekr.config.RunConfig;
import dev.seekr.method.Losses;
import dev.seekr.method.Method;
import dev.seekr.method.Objective;
import dev.seekr.method.Step;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.Parameters;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Place;
import java.util.Iterator;
import java.util.List;

/** Optimiser steps: passes over micro-batches that add up a gradient, then one AdamW update. */
public final class Learner implements AutoCloseable {
  private final LlamaModel model;
  private final Method method;
  private final RunConfig.Train settings;
  private Memory memory;
  private Parameters trained, grads;
  private AdamW optimizer;

  /**
   * What a step did: losses before the update, global gradient norm before clipping, packed tokens.
   */
  public record Result(Losses losses, double gradNorm, int tokens) {}

  public Learner(LlamaModel model, Method method, RunConfig.Train settings) {
    this.model = model;
    this.method = method;
    this.settings = settings;
  }

  /** What is trained, as the optimizer holds it; null before the first step. */
  public Parameters weights() {
    return optimizer == null ? null : optimizer.weights();
  }

  /**
   * To be called before the first step of a stage: the method may have set anew what is trained.
   */
  void begin() {
    if (optimizer != null) optimizer.takeOver();
  }

  /** Gradients of the last step; null before the first. */
  public Parameters grads() {
    return grads;
  }

  /** Moments go on from task to task as long as the same parameters are trained. */
  private void prepare() {
    Parameters wanted = method.trained(model);
    if (wanted == trained) return;
    close();
    memory = new Memory("learner");
    trained = wanted;
    grads = wanted.like(model.ops(), memory, "gradients");
    optimizer = new AdamW(wanted, model.ops(), settings, memory);
  }

  /**
   * One step over the micro-batches.
   *
   * @throws Failure (78) when the loss or a gradient is not finite; weights and moments are then as
   *     before the step
   */
  public Result step(List<Unit> units, double lr) {
    var losses = new Losses();
    int tokens = gradients(units, losses);
    double squares = method.regularize(model, optimizer.weights(), grads, losses);
    if (!Double.isFinite(losses.total())) {
      throw Failure.config(
          "the loss is %s (%s); a smaller train.lr may help", losses.total(), losses.means());
    }
    double norm = optimizer.step(grads, squares, lr);
    if (!Double.isFinite(norm)) {
      throw Failure.config(
          "the gradient norm is %s at a loss of %s; a smaller train.lr may help",
          norm, losses.total());
    }
    return new Result(losses, norm, tokens);
  }

  /**
   * Losses and their gradients, which replace those of the step before. Returns the number of
   * packed tokens.
   */
  public int gradients(List<Unit> units, Losses losses) {
    prepare();
    int targets = 0, samples = 0, tokens = 0;
    for (Unit unit : units) {
      for (var sample : unit.samples()) {
        targets += sample.targets();
        tokens += sample.length();
        samples++;
      }
    }
    var step = new Step(targets, samples);
    var passes = units.stream().flatMap(u -> u.passes(settings.microTokens()).stream()).toList();
    if (passes.isEmpty()) model.ops().zero(grads.flat());
    var next = new Next(passes, step);
    for (int i = 0; i < passes.size(); i++) {
      try (var objective = next.take()) {
        model.forward(objective.batch());
        next.prepare();
        var result = model.backward(objective.output(), objective.tap(), grads, i > 0);
        objective.booking().book(result, objective.tap(), losses);
      }
    }
    return tokens;
  }

  /** The objective of the pass to come, so that a device can be given it while it computes. */
  private final class Next {
    private final Iterator<Unit.Pass> passes;
    private final Step step;
    private Objective objective;
    private Place.Ahead ahead;

    Next(List<Unit.Pass> passes, Step step) {
      this.passes = passes.iterator();
      this.step = step;
      prepare();
    }

    void prepare() {
      if (!passes.hasNext()) return;
      Unit.Pass pass = passes.next();
      ahead = model.ops().place().ahead(() -> objective = pass.objective(method, step));
    }

    Objective take() {
      ahead.join();
      return objective;
    }
  }

  @Override
  public void close() {
    if (memory != null) memory.close();
  }
}
