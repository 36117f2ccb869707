package dev.seekr.config;

import dev.seekr.Failure;
import dev.seekr.config.MethodName.Trait;
import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;

/**
 * Every knob of a run. Read from YAML with {@code key=value} overrides by {@link ConfigReader}. The
 * defaults are the paper's (appendix B and section 4) unless a setting says otherwise.
 */
public record RunConfig(
    ModelSettings model,
    DataSettings data,
    MethodSettings method,
    TrainSettings train,
    EvalSettings eval,
    DistSettings dist,
    RunSettings run) {

  public static final RunConfig DEFAULT = Records.defaults(RunConfig.class);

  /**
   * This, when it says what to train, on what, and where to; else a {@link Failure} that says all
   * that is missing.
   */
  public RunConfig requireTrainable() {
    return require(true);
  }

  /**
   * This, when it names a model and tasks; else a {@link Failure} that says all that is missing.
   */
  public RunConfig requireEvaluable() {
    return require(false);
  }

  /** A setting that is not the same in two runs, as texts. */
  public record Difference(String key, String here, String there) {
    @Override
    public String toString() {
      return "%s is %s, and was %s".formatted(key, here, there);
    }
  }

  /** Where this and another run are not of the same settings, free ones left out. */
  public List<Difference> differences(RunConfig other) {
    return differences(other, component -> !component.getAnnotation(Setting.class).free());
  }

  /** The same of all settings but {@code run.threads}. */
  public List<Difference> allDifferences(RunConfig other) {
    return differences(other, component -> !component.getName().equals("threads"));
  }

  private List<Difference> differences(RunConfig other, Predicate<RecordComponent> counts) {
    var there = new LinkedHashMap<String, Object>();
    Records.leaves(other, "", (key, component, value) -> there.put(key, value));
    var differences = new ArrayList<Difference>();
    Records.leaves(
        this,
        "",
        (key, component, value) -> {
          if (counts.test(component) && !Objects.equals(value, there.get(key)))
            differences.add(new Difference(key, "" + value, "" + there.get(key)));
        });
    return differences;
  }

  /** Every setting that results depend on, as text by its key. */
  public Map<String, String> texts() {
    var texts = new LinkedHashMap<String, String>();
    Records.leaves(
        this,
        "",
        (key, component, value) -> {
          if (!component.getAnnotation(Setting.class).free()) texts.put(key, "" + value);
        });
    return texts;
  }

  /** What a setting's number counts or is; empty where nothing is said of it. */
  public static String unit(String key) {
    var units = new ArrayList<String>();
    Records.leaves(
        DEFAULT,
        "",
        (path, component, _) -> {
          if (path.equals(key)) units.add(component.getAnnotation(Setting.class).unit());
        });
    return units.isEmpty() ? "" : units.getFirst();
  }

  /** Whether a setting does anything here: those of other methods do not. */
  public boolean uses(String key) {
    return KeysInUse.has(key, this);
  }

  /** Settings that are not as they are by default and do nothing here. */
  public List<String> idle() {
    var idle = new ArrayList<String>();
    var defaults = DEFAULT.texts();
    texts()
        .forEach(
            (key, text) -> {
              if (!text.equals(defaults.get(key)) && !uses(key)) idle.add(key);
            });
    return idle;
  }

  /** The same, computed otherwise. */
  public RunConfig computedBy(RunSettings other) {
    return new RunConfig(model, data, method, train, eval, dist, other);
  }

  /** The same with its folder elsewhere. */
  public RunConfig at(String out) {
    return new RunConfig(model, data, method, train, eval, dist, run.at(out));
  }

  /** The same with relative paths of model, data and benchmarks taken from a folder. */
  public RunConfig from(Path folder) {
    String path = model.path() == null ? null : folder.resolve(model.path()).toString();
    return new RunConfig(
        Records.with(model, "path", path),
        data.from(folder),
        method,
        train,
        eval.from(folder),
        dist,
        run);
  }

  /**
   * The same on some of its tasks, and what it has for each.
   *
   * @param names in training order
   * @param places of these tasks among all, counted from 0
   * @param all how many tasks there are
   */
  public RunConfig on(List<String> names, List<Integer> places, int all) {
    return new RunConfig(
        model,
        Records.with(data, "tasks", names, "order", 0),
        method,
        Records.with(train, "epochs", train.epochs().at(places, all)),
        eval,
        dist,
        run);
  }

  private RunConfig require(boolean out) {
    var missing = new ArrayList<String>();
    if (out && run.out() == null) {
      missing.add("run.out is not set: the folder to make for the run");
    }
    if (model.path() == null) {
      missing.add("model.path is not set: the folder of the model to train");
    }
    if (data.root() == null) {
      missing.add("data.root is not set: the folder that holds the tasks' folders");
    }
    if (data.tasks() == null && data.order() == 0) {
      missing.add(
          "data.tasks is not set, nor data.order: name the tasks in training order, or an order from 1 to 4");
    }
    if (data.tasks() != null && data.order() != 0) {
      missing.add("data.tasks and data.order are both set: give one of them");
    }
    if (data.holdout() > 0 && data.validation() == DataSettings.Validation.eval_json) {
      missing.add("data.holdout and data.validation=eval_json are both set: give one of them");
    }
    if (train.bestOf() == TrainSettings.BestOf.validation && !data.validated()) {
      missing.add(
          "train.best_of is validation, but nothing is validated on: set data.holdout, or data.validation=eval_json");
    }
    if (data.chats() && data.tokenize() == DataSettings.Tokenize.joint) {
      missing.add(
          "data.tokenize is joint, which is for plain text, but data.chat is not none: set one of them back");
    }
    if (data.chats() && method.name() == MethodName.lfpt5) {
      missing.add(
          "data.chat is not none, but method lfpt5 makes samples up as plain text: set data.chat=none");
    }
    if (data.general() != null && data.generalShare() == 0) {
      missing.add("data.general is set, but data.general_share is 0: expected a share above 0");
    }
    if (method.l2p().picks() > method.l2p().pool()) {
      missing.add(
          "method.l2p.picks is %d, but method.l2p.pool has %d prompts"
              .formatted(method.l2p().picks(), method.l2p().pool()));
    }
    if (eval.general().when() != GeneralSettings.When.never && eval.general().root() == null) {
      missing.add("eval.general.root is not set: the folder that holds the benchmarks' folders");
    }
    requireAdapters(missing);
    requireRecorded(missing);
    requireState(missing);
    if (method.name() == MethodName.seekr
        && method.seekr().choice() == SeekrSettings.HeadChoice.sensitivity
        && method.seekr().layers() != null) {
      missing.add(
          "method.seekr.layers is %d, but by method.seekr.choice sensitivity heads are chosen over all layers: set it to null"
              .formatted(method.seekr().layers()));
    }
    if (!missing.isEmpty()) {
      throw new Failure(Failure.Exit.CONFIG, String.join("\n", missing));
    }
    return this;
  }

  /** Whether heads are scored by the method itself. */
  boolean scoresHeads() {
    Double lambda2 = method.seekr().lambda2();
    return method.name() == MethodName.seekr
        && (lambda2 == null || lambda2 != 0)
        && method.seekr().choice() != SeekrSettings.HeadChoice.random;
  }

  /** Heads are recorded where something moves them, and nobody else does it. */
  private void requireRecorded(List<String> wrong) {
    if (!run.recordHeads()) return;
    if (method.name().has(Trait.PROMPTS))
      wrong.add(
          "run.record_heads is true, but method %s freezes all weights; leave it out"
              .formatted(method.name()));
    if (scoresHeads())
      wrong.add(
          "run.record_heads is true, but method seekr records S, F and I by itself; leave it out");
    if (method.replayRatio() == 0 && method.replaySamples() == 0)
      wrong.add(
          "run.record_heads is true, but there are no samples to measure on: set method.replay_ratio or method.replay_samples");
  }

  /**
   * This, where moments and weights can be held as train.state says; else a {@link Failure} that
   * says why not.
   */
  public RunConfig requireHeld() {
    var wrong = new ArrayList<String>();
    requireState(wrong);
    if (!wrong.isEmpty()) throw new Failure(Failure.Exit.CONFIG, String.join("\n", wrong));
    return this;
  }

  private void requireState(List<String> wrong) {
    var state = train.state();
    if (state == TrainSettings.State.f32 || !KeysInUse.trainsAllWeights(this)) return;
    boolean host = state == TrainSettings.State.host;
    if (host && run.backend() != RunSettings.Backend.cuda)
      wrong.add(
          "train.state is host, but run.backend=%s computes on the host, where moments and weights lie anyway; leave it out, or set it to bf16"
              .formatted(run.backend()));
    if (method.name().has(Trait.GRADIENTS) && (host || run.dtype() == RunSettings.Floats.bf16))
      wrong.add(
          "train.state is %s, but method %s changes gradients of all weights, for which they lie in f32 where the model does; set train.state=f32"
              .formatted(state, method.name()));
  }

  /** What methods ask of adapters. */
  private void requireAdapters(List<String> wrong) {
    MethodName name = method.name();
    boolean run = method.lora().per() == LoraSettings.Per.run;
    boolean adapters = train.parameters() == TrainSettings.Trained.lora;
    if (adapters && name.has(Trait.PROMPTS))
      wrong.add(
          "train.parameters=lora, but method %s trains soft prompts; leave it out".formatted(name));
    if (name == MethodName.ewc && adapters && !run)
      wrong.add(
          "method ewc holds adapters where they were, and with method.lora.per=task each task has new ones; set method.lora.per=run");
    if (name == MethodName.olora && run)
      wrong.add("method olora compares the adapters of tasks; set method.lora.per=task");
  }
}
