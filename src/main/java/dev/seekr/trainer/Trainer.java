package dev.seekr.trainer;

import dev.seekr.Failure;
import dev.seekr.Stop;
import dev.seekr.config.RunConfig;
import dev.seekr.config.TrainSettings;
import dev.seekr.data.Task;
import dev.seekr.distributed.Collectives;
import dev.seekr.evaluation.Answering;
import dev.seekr.evaluation.Evaluator;
import dev.seekr.evaluation.LanguageModel;
import dev.seekr.general.Asker;
import dev.seekr.general.Asking;
import dev.seekr.general.GeneralQuestions;
import dev.seekr.method.General;
import dev.seekr.method.HeadChanges;
import dev.seekr.method.Method;
import dev.seekr.method.Step;
import dev.seekr.model.NotFinite;
import dev.seekr.report.ResidentMemory;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import dev.seekr.state.Stateful;
import dev.seekr.trainer.RunState.Phase;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.ObjIntConsumer;
import java.util.stream.IntStream;

/**
 * A run: stage after stage of a task sequence, evaluated after each on all tasks seen. It trains
 * whatever {@link Method} asks for and knows none by name, and can be saved and loaded between any
 * two steps. What is shown or written of it is up to listeners.
 */
public final class Trainer implements Stateful, AutoCloseable {
  private final RunConfig config;
  private final List<Task> tasks;
  private final LanguageModel lm;
  private final Encoded encoded;
  private final GeneralQuestions questions;
  private final Method method;
  private final Learner learner;
  private final Validation validation; // null: none
  private final General general; // null: none
  private final HeadChanges changes; // null: not recorded
  private final List<Method.Stage> stages;
  private final RunState state;
  private final List<RunListener> listeners;
  private final Keeper keeper;
  private final Stop stop;
  private final Collectives all;
  private final long start = System.nanoTime();
  private Answering answering; // of the task being scored; null: none is
  private Asking asking; // of the benchmark being asked; null: none is
  private boolean loaded;

  public Trainer(
      RunConfig config,
      List<Task> tasks,
      LanguageModel lm,
      Encoded encoded,
      GeneralQuestions questions,
      Method method,
      List<RunListener> listeners,
      Keeper keeper,
      Stop stop) {
    this.config = config;
    this.tasks = tasks;
    this.lm = lm;
    this.encoded = encoded;
    this.questions = questions;
    this.method = method;
    this.listeners = listeners;
    this.keeper = keeper;
    this.stop = stop;
    this.all = method.setup().all();
    // One of several processes may not leave the others alone within a step.
    lm.model().stop(all.ranks() == 1 ? stop : Stop.NEVER);
    stages = method.stages(tasks);
    config.train().epochs().require(stages.size());
    learner = new Learner(lm.model(), method, config.train());
    boolean keepsBest = config.train().bestOf() == TrainSettings.BestOf.validation;
    validation = config.data().validated() ? new Validation(method, keepsBest) : null;
    general = General.of(method.setup(), encoded.general());
    changes = HeadChanges.of(method.setup());
    List<String> names = tasks.stream().map(Task::name).toList();
    state =
        new RunState(
            !questions.sets().isEmpty() || !ahead().isEmpty(),
            names,
            questions.names(),
            lm.model(),
            learner,
            method,
            fingerprints(),
            listeners);
  }

  /**
   * Runs to the end.
   *
   * @throws Stop.Stopped when it is told to stop; {@link #place} says where, and all is saved
   */
  public RunListener.Outcome run() {
    if (loaded) tell(l -> l.goesOn(place()));
    else tell(l -> l.begins(state.scores.tasks(), lm.model().config.parameters()));
    try {
      while (state.stage < stages.size()) {
        switch (state.phase) {
          case BEFORE -> before();
          case BEGIN -> begin();
          case STEPS -> steps();
          case END -> end();
          case MODEL -> model();
          case SCORES -> scores();
          case GENERAL -> ability();
        }
      }
    } catch (Stop.Stopped stopped) {
      tell(l -> l.stopped(place()));
      keeper.save(this);
      throw stopped;
    }
    var outcome =
        new RunListener.Outcome(state.scores, seconds(), peakBytes(), method.storedBytes());
    tell(l -> l.ends(outcome));
    return outcome;
  }

  private void begin() {
    if (general != null) general.begin();
    if (changes != null) changes.begin(context());
    method.begin(context());
    learner.train();
    if (validation != null) validation.begin(state.stage);
    state.step = state.looked = 0;
    to(Phase.STEPS);
  }

  private void steps() {
    var plan = plan();
    var rate = new LearningRate(config.train(), plan.steps());
    var stage = stage();
    tell(l -> l.stageBegins(stage, plan.steps(), state.step));
    int planned = -1; // the epoch whose steps these are
    List<List<Unit>> steps = List.of();
    while (true) {
      validate(stage, plan);
      if (state.step == plan.steps()) break;
      look(stage);
      int epoch = state.step / plan.stepsPerEpoch();
      if (epoch != planned) steps = plan.epoch(planned = epoch);
      step(stage, epoch, steps.get(state.step % plan.stepsPerEpoch()), rate);
      between(false);
    }
    if (validation != null) {
      validation.restore(learner);
      validation.begin(state.stage);
    }
    state.requireFinite();
    to(Phase.END);
  }

  /** Where an epoch is over and has not been validated. */
  private void validate(RunListener.Stage stage, StagePlan plan) {
    int epochs = state.step / plan.stepsPerEpoch();
    if (validation == null || state.step % plan.stepsPerEpoch() > 0 || !validation.due(epochs))
      return;
    var samples = encoded.validation(stages.get(state.stage).tasks());
    if (samples.isEmpty()) return;
    double loss = validation.validate(epochs, stage.name(), samples, learner);
    tell(l -> l.validated(stage, epochs, loss, validation.best()));
    between(false);
  }

  /** Scores every few steps, which changes nothing; after the last step all are scored anyway. */
  private void look(RunListener.Stage stage) {
    int every = config.eval().every();
    if (every == 0 || state.step == state.looked || state.step % every > 0) return;
    method.beforeStep(Step.of(encoded.of(stages.get(state.stage).tasks())));
    int step = state.step;
    score(
        "at step %d of %s".formatted(step, stage.name()),
        (result, _) -> tell(l -> l.evaluatedAt(stage, step, result)));
    state.scored = 0;
    state.looked = step;
    tell(l -> l.stageBegins(stage, plan().steps(), step));
  }

  private void step(RunListener.Stage stage, int epoch, List<Unit> units, LearningRate rate) {
    long before = System.nanoTime();
    int number = state.step;
    double lr = rate.at(number) * method.lrScale();
    try {
      var result = learner.step(number, units, lr);
      state.step++;
      var report = report(stage, epoch, lr, result, before);
      tell(l -> l.step(report));
    } catch (Learner.NotFinite e) {
      state.step++;
      var report = report(stage, epoch, lr, e.result, before);
      tell(l -> l.notFinite(report, e.getMessage()));
      throw Failure.config(
          "%s: not finite: %s (loss %s, gradient norm %s); a smaller train.lr may help",
          place(), e.getMessage(), e.result.losses().means(), e.result.gradNorm());
    }
  }

  private RunListener.Step report(
      RunListener.Stage stage, int epoch, double lr, Learner.Result result, long before) {
    double seconds = (System.nanoTime() - before) / 1e9;
    return new RunListener.Step(stage, epoch + 1, state.step, lr, result, seconds);
  }

  private void end() {
    tell(l -> l.scoring(stage()));
    var context = context();
    double[][] changed = changes == null ? null : changes.with(context, method.model());
    method.end(context);
    if (changes != null) changes.keep(changed);
    learner.train();
    var used = method.used(context);
    tell(l -> l.used(stage(), used));
    var own = method.heads(context);
    var heads = changes == null ? own : changes.beside(own);
    if (heads != null) tell(l -> l.heads(stage(), heads));
    to(Phase.MODEL);
  }

  private void model() {
    tell(l -> l.stageEnds(stage(), method.model(), method.prompts()));
    state.scored = 0;
    to(Phase.SCORES);
  }

  private void answer(Runnable next, String to) {
    try {
      next.run();
    } catch (NotFinite e) {
      throw Failure.config(
          "%s: logits are not finite in answers to %s; a smaller train.lr may help", place(), to);
    }
  }

  /** One row of the score matrix: every task seen so far and, to score ahead, the next one. */
  private void scores() {
    int after = stages.get(state.stage).seen() - 1;
    score(
        "after " + stage().name(),
        (result, i) -> {
          state.scores.set(i, after, result.score());
          tell(l -> l.evaluated(stage(), result, state.scores));
        });
    boolean asks = config.eval().general().after(state.stage, stages.size());
    if (asks) to(Phase.GENERAL);
    else next();
  }

  /** Tasks, counted from 0, that are scored where the run is now. */
  private List<Integer> scored() {
    if (state.phase == Phase.BEFORE) return ahead();
    int seen = stages.get(state.stage).seen();
    boolean next = state.phase == Phase.SCORES && ahead().contains(seen);
    return IntStream.range(0, next ? seen + 1 : seen).boxed().toList();
  }

  /** Tasks that are scored before they are learnt: the first of each stage but the first. */
  private List<Integer> ahead() {
    if (!config.eval().ahead()) return List.of();
    return stages.subList(0, stages.size() - 1).stream().map(Method.Stage::seen).toList();
  }

  /** Scores the tasks that are not scored yet, one after another. */
  private void score(String when, ObjIntConsumer<Evaluator.Result> then) {
    var which = scored();
    if (which.isEmpty()) return;
    var evaluator = evaluator();
    tell(l -> l.evaluates(when, which.size(), state.scored));
    while (state.scored < which.size()) {
      int i = which.get(state.scored);
      if (answering == null) answering = evaluator.begin(tasks.get(i));
      while (!answering.done()) {
        answer(() -> answering.next(all), tasks.get(i).name());
        between(false);
      }
      var result = answering.result();
      answering = null;
      state.scored++;
      then.accept(result, i);
    }
  }

  private void next() {
    state.stage++;
    state.phase = Phase.BEGIN;
    state.step = state.scored = state.asked = 0;
    between(true);
  }

  private void before() {
    score(
        "before the first task",
        (result, i) -> {
          state.scores.setInitial(i, result.score());
          tell(l -> l.evaluatedBefore(result, state.scores));
        });
    ask();
    state.asked = state.scored = 0;
    to(Phase.BEGIN);
  }

  private void ability() {
    ask();
    next();
  }

  /** One row of general ability: every benchmark. */
  private void ask() {
    boolean before = state.phase == Phase.BEFORE;
    int row = before ? 0 : stages.get(state.stage).seen();
    String after = before ? "" : stages.get(state.stage).name();
    while (state.asked < questions.sets().size()) {
      var set = questions.sets().get(state.asked);
      tell(l -> l.asks(after, set));
      if (asking == null) asking = asker().begin(set);
      while (!asking.done()) {
        answer(() -> asking.next(all), set.name());
        int asked = asking.asked();
        tell(l -> l.answered(asked));
        between(false);
      }
      var result = asking.result();
      asking = null;
      state.scores.general().set(row, set.name(), result.score());
      state.asked++;
      tell(l -> l.asked(row, after, result, state.scores));
    }
    lm.model().release(); // passes over questions may be longer than those of training
  }

  /** Of the model as it is; before the first task that is the one the run begins with. */
  private Asker asker() {
    boolean before = state.phase == Phase.BEFORE;
    return new Asker(
        before ? lm.model() : method.model(),
        lm.tokenizer(),
        before ? null : method.prompts(),
        config.eval().general());
  }

  private Evaluator evaluator() {
    boolean before = state.phase == Phase.BEFORE;
    return new Evaluator(
        before ? lm.model() : method.model(),
        lm.tokenizer(),
        lm.encoder(config.data()),
        before ? null : method.prompts(),
        config.eval());
  }

  private void to(Phase phase) {
    state.phase = phase;
    between(false);
  }

  /** The run could be saved here, or stop. It is saved when all is done, before its end is told. */
  private void between(boolean stageEnds) {
    if (state.stage == stages.size()) {
      keeper.save(this);
      return;
    }
    if (all.any(stop.requested())) stop.now();
    keeper.between(this, stageEnds);
  }

  private StagePlan plan() {
    var context = context();
    return new StagePlan(
        config.train(), context.index(), context.samples(), method.replay(), general);
  }

  private Method.Context context() {
    var stage = stages.get(state.stage);
    return new Method.Context(
        state.stage, stage.name(), encoded.of(stage.tasks()), learner.weights());
  }

  private RunListener.Stage stage() {
    return new RunListener.Stage(state.stage, stages.size(), stages.get(state.stage).name());
  }

  /** Names of the stages that are over. */
  public List<String> finishedStages() {
    return stages.subList(0, state.stage).stream().map(Method.Stage::name).toList();
  }

  /** All stages, as the method will be told of them. */
  public List<Method.Context> contexts() {
    return encoded.contexts(method);
  }

  /** Bytes on disk that general samples take. */
  public long generalBytes() {
    return general == null ? 0 : general.bytes();
  }

  /** Where the run is, as "task 2/4 step 31". */
  public String place() {
    int stage = Math.min(state.stage + 1, stages.size());
    return "task %d/%d step %d".formatted(stage, stages.size(), state.step);
  }

  /** Of samples and, where they are asked, questions. */
  private Map<String, String> fingerprints() {
    var all = new LinkedHashMap<>(encoded.fingerprints());
    if (!questions.sets().isEmpty()) all.put("eval.general", questions.fingerprint());
    return all;
  }

  private void tell(Consumer<RunListener> event) {
    listeners.forEach(event);
  }

  private double seconds() {
    return state.seconds + (System.nanoTime() - start) / 1e9;
  }

  private long peakBytes() {
    return Math.max(state.peakBytes, ResidentMemory.peak());
  }

  @Override
  public void save(StateWriter to) {
    double before = state.seconds;
    state.seconds = seconds();
    state.peakBytes = peakBytes();
    state.save(to);
    state.seconds = before;
    if (answering != null) answering.save(to.section("answering"));
    if (asking != null) asking.save(to.section("asking"));
    if (validation != null) validation.save(to.section("validation"));
    if (general != null) general.save(to.section("general"));
    if (changes != null) changes.save(to.section("heads"));
  }

  /** Throws Failure (78) where samples are not those that the run began with. */
  public void requireSameData(StateReader from) {
    state.requireSameData(from);
  }

  @Override
  public void load(StateReader from) {
    state.load(from);
    loaded = true;
    if (from.has("answering")) {
      if (state.stage == stages.size() || state.scored >= scored().size())
        throw from.wrong("answering", "none, as all is scored");
      answering = evaluator().begin(tasks.get(scored().get(state.scored)));
      answering.load(from.section("answering"));
    }
    if (from.has("asking")) {
      if (state.asked >= questions.sets().size())
        throw from.wrong("asking", "none, as all is asked");
      asking = asker().begin(questions.sets().get(state.asked));
      asking.load(from.section("asking"));
    }
    if (validation != null) validation.load(from.section("validation"));
    if (general != null) general.load(from.section("general"));
    if (changes != null) changes.load(from.section("heads"));
  }

  @Override
  public void close() {
    if (asking != null) asking.close();
    learner.close();
    method.close();
  }
}
