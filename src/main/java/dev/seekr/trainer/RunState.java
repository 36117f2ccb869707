package dev.seekr.trainer;

import dev.seekr.Failure;
import dev.seekr.evaluation.ScoreMatrix;
import dev.seekr.method.Method;
import dev.seekr.model.Finite;
import dev.seekr.model.LlamaModel;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import dev.seekr.state.Stateful;
import java.util.List;
import java.util.Map;

/**
 * Where a run is, and everything it has come to. Random numbers and the order of samples need no
 * place here: they follow from the seed and from where the run is.
 */
final class RunState implements Stateful {
  /** What is done next in a stage. */
  enum Phase {
    /** Of the first stage alone, and where the initial model is asked or scored. */
    BEFORE,
    BEGIN,
    STEPS,
    END,
    MODEL,
    SCORES,
    GENERAL
  }

  /** The stage under way, from 0; as many as there are: the run is done. */
  int stage;

  Phase phase = Phase.BEGIN;

  /** Steps taken in the stage, and tasks scored where it is now. */
  int step, scored;

  /** The last step after which tasks were scored in the middle of the stage; 0: none. */
  int looked;

  /** Benchmarks of general ability that have been asked. */
  int asked;

  /** Of earlier attempts. */
  double seconds;

  long peakBytes;

  final ScoreMatrix scores;
  private final boolean before;
  private final LlamaModel model;
  private final Learner learner;
  private final Method method;
  private final Map<String, String> data;
  private final List<RunListener> listeners;

  /**
   * @param before whether anything is done with the initial model
   */
  RunState(
      boolean before,
      List<String> tasks,
      List<String> general,
      LlamaModel model,
      Learner learner,
      Method method,
      Map<String, String> data,
      List<RunListener> listeners) {
    this.before = before;
    if (before) phase = Phase.BEFORE;
    this.scores = new ScoreMatrix(tasks, general);
    this.model = model;
    this.learner = learner;
    this.method = method;
    this.data = data;
    this.listeners = listeners;
  }

  /** Throws Failure (78) where weights are not finite: nothing of that kind is saved. */
  void requireFinite() {
    var weights = Finite.exception(model.weights, model.ops());
    if (weights.isEmpty() && method.trained() != null)
      weights = Finite.exception(method.trained(), model.ops());
    weights.ifPresent(
        name -> {
          throw Failure.config(
              "after step %d, %s holds NaN or an infinity; a smaller train.lr may help",
              step, name);
        });
  }

  @Override
  public void save(StateWriter to) {
    requireFinite();
    to.put("stage", stage);
    to.put("phase", phase.name());
    to.put("step", step);
    to.put("scored", scored);
    if (asksGeneral()) to.put("asked", asked);
    if (looked > 0) to.put("looked", looked);
    to.put("seconds", seconds);
    to.put("peak_bytes", peakBytes);
    to.put("data", data);
    scores.save(to.section("scores"));
    var weights = to.section("weights");
    if (method.trained() != model.weights) weights.seldomChanges();
    weights.tensor("flat", model.weights.flat());
    method.setup().trainable().save(to.section("trainable"));
    method.save(to.section("method"));
    learner.save(to.section("optimizer"));
    for (RunListener listener : listeners)
      if (listener instanceof Stateful s) s.save(to.section(name(listener)));
  }

  @Override
  public void load(StateReader from) {
    int tasks = scores.tasks().size();
    stage = (int) from.whole("stage", 0, tasks);
    phase = from.get("phase", Phase.class);
    step = (int) from.whole("step", 0, Integer.MAX_VALUE);
    scored = (int) from.whole("scored", 0, tasks);
    if (asksGeneral()) asked = (int) from.whole("asked", 0, scores.general().sets().size());
    else if (phase == Phase.BEFORE && !before || phase == Phase.GENERAL)
      throw from.wrong("phase", "one without general ability");
    if (from.has("looked")) looked = (int) from.whole("looked", 0, step);
    seconds = from.get("seconds", Double.class);
    if (seconds < 0) throw from.wrong("seconds", "0 or more");
    peakBytes = from.whole("peak_bytes", 0, Long.MAX_VALUE);
    scores.load(from.section("scores"));
    from.section("weights").tensor("flat", model.weights.flat());
    method.setup().trainable().load(from.section("trainable"));
    method.load(from.section("method"));
    learner.load(from.section("optimizer"));
    for (RunListener listener : listeners)
      if (listener instanceof Stateful s) s.load(from.section(name(listener)));
  }

  private boolean asksGeneral() {
    return !scores.general().sets().isEmpty();
  }

  /** Throws Failure (78) where samples are not those that the run began with. */
  void requireSameData(StateReader from) {
    var before = from.section("data");
    data.forEach(
        (task, fingerprint) -> {
          if (!before.get(task, String.class).equals(fingerprint))
            throw Failure.config(
                "%s: its samples, or the tokenizer, are not those that the run began with; put them back, or begin anew with train --fresh",
                task);
        });
  }

  private static String name(RunListener listener) {
    return listener.getClass().getSimpleName();
  }
}
