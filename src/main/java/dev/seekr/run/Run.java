package dev.seekr.run;

import dev.seekr.Failure;
import dev.seekr.Stop;
import dev.seekr.backends.Backends;
import dev.seekr.config.ConfigWriter;
import dev.seekr.config.GeneralSettings;
import dev.seekr.config.RunConfig;
import dev.seekr.data.Task;
import dev.seekr.data.TaskSequence;
import dev.seekr.disk.Attempt;
import dev.seekr.disk.Disk;
import dev.seekr.disk.Reading;
import dev.seekr.disk.RunFolder;
import dev.seekr.distributed.Collectives;
import dev.seekr.evaluation.LanguageModel;
import dev.seekr.evaluation.TaskMetrics;
import dev.seekr.general.Asker;
import dev.seekr.general.GeneralQuestions;
import dev.seekr.method.Method;
import dev.seekr.method.Methods;
import dev.seekr.method.Setup;
import dev.seekr.model.LlamaConfig;
import dev.seekr.ops.Ops;
import dev.seekr.report.RunLog;
import dev.seekr.state.StateReader;
import dev.seekr.tensor.Place;
import dev.seekr.trainer.Encoded;
import dev.seekr.trainer.RunListener;
import dev.seekr.trainer.Trainer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A run and its folder: begun, or taken up where it was left, by one process at a time. Everything
 * that trains, computes, saves and logs is put together here.
 */
public final class Run implements AutoCloseable {
  private final RunConfig config;
  private final RunFolder folder;
  private final Stop stop;
  private final List<AutoCloseable> open = new ArrayList<>(); // what close() closes, last first
  private final List<String> notes = new ArrayList<>();
  private Saving saving;
  private Trainer trainer; // null: the run is finished

  private Run(RunConfig config, Stop stop) {
    this.config = config;
    this.folder = new RunFolder(Reading.real(Path.of(config.run().out())));
    this.stop = stop;
  }

  /**
   * Loads and checks everything; makes the run's folder only when all is well.
   *
   * @param stop whoever wants the run to stop tells this
   * @throws Failure 73 where another process has the folder; 78 where it holds a run of other
   *     settings, or the data are not those of the run
   * @throws Damaged where what is in the folder is no run that could go on
   */
  public static Run open(RunConfig config, Stop stop, List<RunListener> listeners) {
    return open(new Run(config, stop), false, listeners);
  }

  /**
   * Begins anew; the run that is in the folder is renamed aside when all is well.
   *
   * @throws Failure 73 where another process has the folder; 78 where it holds something else than
   *     a run, or what the new one needs
   */
  public static Run anew(RunConfig config, Stop stop, List<RunListener> listeners) {
    return open(new Run(config, stop), true, listeners);
  }

  private static Run open(Run run, boolean anew, List<RunListener> listeners) {
    try {
      if (anew && Standing.somethingIn(run.folder.path())) {
        Standing.requireRunAlone(run.folder, run.config);
        Attempt.take(run.folder.path(), 1).close();
      }
      run.prepare(anew, listeners);
      return run;
    } catch (RuntimeException | Error e) {
      run.close();
      throw e;
    }
  }

  /** The settings of the run in a folder, which is where it lies now. */
  public static RunConfig settings(Path folder) {
    return Standing.settings(new RunFolder(folder)).at(folder.toString());
  }

  /** The same of a run that only is looked at, whichever version made it. */
  public static RunConfig recorded(Path folder) {
    return Standing.recorded(new RunFolder(folder)).at(folder.toString());
  }

  /** Whether there is a run in a folder, whatever its state. */
  public static boolean in(Path folder) {
    return Files.exists(new RunFolder(folder).config());
  }

  /** Whether the run in a folder has come to its end. */
  public static boolean finished(Path folder) {
    return Standing.finished(new RunFolder(folder));
  }

  /** Renames what is in the folder of a run, unless a process writes into it; says to what. */
  public static Optional<Path> aside(RunConfig config) {
    Path path = Reading.real(Path.of(config.run().out()));
    if (!Files.isDirectory(path) || Reading.list(path).isEmpty()) return Optional.empty();
    Attempt.take(path, 1).close();
    return Optional.of(Disk.aside(path));
  }

  private void prepare(boolean anew, List<RunListener> listeners) {
    var standing = anew ? Standing.NOTHING : Standing.of(folder, config);
    Attempt attempt = null;
    if (standing != Standing.NOTHING) {
      attempt = take();
      standing = Standing.of(folder, config);
      if (standing == Standing.FINISHED) {
        tidy();
        return;
      }
    }
    var checkpoint = anew ? Optional.<Checkpoints.Found>empty() : Checkpoints.newest(folder);
    RunConfig whole = config.from(attempt == null ? Path.of("") : attempt.workingFolder());
    var atHand = TaskSequence.atHand(whole.data());
    RunConfig here = atHand.settings(whole);
    List<Task> tasks = TaskSequence.load(here.data(), here.train().seed());
    TaskMetrics.require(here.eval(), tasks.stream().map(Task::name).toList());
    var questions = questions(here);
    Ops ops = opened(Backends.open(here.run()));
    if (ops.place() != Place.HOST) ops.reserve(BytePlan.of(here, shape(here)).bytes());
    var lm = opened(LanguageModel.load(here, ops, checkpoint.isEmpty()));
    var general = TaskSequence.general(here.data());
    var encoded = Encoded.of(tasks, general, lm.encoder(here.data()), here.data());
    var method = Methods.of(new Setup(here, lm.model(), folder));
    Preview preview;
    try {
      preview = Preview.of(here, atHand, encoded, method, lm);
    } catch (Failure nothingToDo) {
      method.close();
      throw nothingToDo;
    }
    if (attempt == null) {
      if (anew)
        aside(config)
            .ifPresent(path -> notes.add("what was in " + folder.path() + " is in " + path));
      Disk.makeFolder(folder.path());
      attempt = take();
      if (Standing.of(folder, config) != Standing.NOTHING)
        throw Failure.config("%s: another run has begun there just now", folder.path());
      Disk.write(folder.config(), ConfigWriter.write(config));
    }
    Disk.sweep(folder.path());
    notes.addAll(preview.lines());
    assemble(here, ops, lm, tasks, encoded, questions, method, attempt, listeners);
    checkpoint.ifPresent(found -> load(found, Arithmetic.of(ops)));
  }

  /** The questions that the run will ask; what a user should know of them is noted. */
  private GeneralQuestions questions(RunConfig here) {
    var settings = here.eval().general();
    if (settings.when() == GeneralSettings.When.never) return GeneralQuestions.NONE;
    var questions = GeneralQuestions.read(settings);
    notes.addAll(questions.notes());
    return questions;
  }

  private static LlamaConfig shape(RunConfig here) {
    return LlamaConfig.read(Path.of(here.model().path()), here.model().ignored());
  }

  /** What a process that ended while it cleaned up behind a finished run has left. */
  private void tidy() {
    Disk.sweep(folder.path());
    new Checkpoints(folder, 0, "").finish(Saving.whenFinished(config.run().checkpoint()));
  }

  private Attempt take() {
    return opened(Attempt.take(folder.path(), Checkpoints.attempts(folder) + 1));
  }

  private void assemble(
      RunConfig here,
      Ops ops,
      LanguageModel lm,
      List<Task> tasks,
      Encoded encoded,
      GeneralQuestions questions,
      Method method,
      Attempt attempt,
      List<RunListener> listeners) {
    notes.add("backend: " + ops.description());
    var asker = new Asker(lm.model(), lm.tokenizer(), null, here.eval().general());
    questions.sets().forEach(set -> notes.addAll(asker.notes(set)));
    lm.beyond(tasks, lm.encoder(here.data()), here.eval().maxNewTokens()).ifPresent(notes::add);
    var checkpoints = new Checkpoints(folder, attempt.number(), Arithmetic.of(ops));
    saving = opened(new Saving(here.run().checkpoint(), checkpoints, stop));
    var log = opened(new RunLog(folder.log()));
    var all = new ArrayList<RunListener>();
    all.add(new LogListener(log, here, ops.description(), attempt.number()));
    all.add(new FilesListener(here, folder, lm));
    if (here.run().tensorboard())
      all.add(opened(new EventsListener(folder, config, attempt.number())));
    all.add(saving);
    all.addAll(listeners);
    trainer =
        opened(
            new Trainer(
                here, tasks, lm, encoded, questions, method, all, saving, stop, Collectives.ALONE));
    plan(here, lm, method, trainer.contexts());
    TimeLimit.of(here.run()).ifPresent(stop::within);
  }

  /** Says what the run will write, and refuses to begin where there is no room for it. */
  private void plan(RunConfig here, LanguageModel lm, Method method, List<Method.Context> stages) {
    var plan = DiskPlan.of(here, lm.model(), method, stages).keeping(trainer.generalBytes());
    plan.require(folder.path(), Reading.size(folder.path()));
    double seconds = plan.seconds(folder.path());
    saving.expect(seconds);
    notes.add(
        plan
            + (seconds == 0
                ? ""
                : String.format(
                    java.util.Locale.ROOT, "; a checkpoint takes about %.1f s", seconds)));
  }

  private void load(Checkpoints.Found found, String arithmetic) {
    for (String damaged : found.damaged())
      notes.add("a newer checkpoint is not whole and left out: " + damaged);
    if (!found.manifest().arithmetic().equals(arithmetic))
      notes.add(
          "the run was computed by %s, and goes on by %s: results may differ in their last bits"
              .formatted(found.manifest().arithmetic(), arithmetic));
    try (var state = StateReader.open(found.path())) {
      trainer.requireSameData(state);
      trainer.load(state);
    } catch (Failure e) {
      throw e.exit == Failure.Exit.CONFIG ? e : new Damaged(e);
    }
    missing().forEach(path -> notes.add(path + ": is gone; the run goes on without it"));
    notes.add("goes on at " + trainer.place() + ", from " + found.path());
  }

  /** What finished stages have left that is not there any more, though nothing else needs it. */
  private List<Path> missing() {
    var names = trainer.finishedStages();
    var gone = new ArrayList<Path>();
    for (int stage = 0; stage < names.size(); stage++) {
      if (config.run().saveModels()) gone.add(folder.model(stage, names.get(stage)));
      gone.add(folder.predictions(stage, names.get(stage)).getParent());
    }
    gone.removeIf(Files::exists);
    return gone;
  }

  private <T extends AutoCloseable> T opened(T resource) {
    open.add(resource);
    return resource;
  }

  /** Whether the run in the folder has come to its end already; it is then not run again. */
  public boolean finished() {
    return trainer == null;
  }

  /** What a user should know before it begins. */
  public List<String> notes() {
    return notes;
  }

  /** The run's folder. */
  public RunFolder folder() {
    return folder;
  }

  /**
   * Trains to the end.
   *
   * @throws Stop.Stopped when it was told to stop; {@link #place} says where, and it is saved
   */
  public RunListener.Outcome train() {
    var outcome = trainer.run();
    saving.finish();
    return outcome;
  }

  /** Where it is, as "task 2/4 step 31". */
  public String place() {
    return trainer.place();
  }

  /** What checkpoints cost, in words; empty where there were none. */
  public String cost() {
    return saving.cost();
  }

  @Override
  public void close() {
    RuntimeException first = null;
    for (AutoCloseable resource : open.reversed()) {
      try {
        resource.close();
      } catch (Exception e) {
        if (first == null)
          first = e instanceof RuntimeException r ? r : new IllegalStateException(e);
      }
    }
    open.clear();
    if (first != null) throw first;
  }
}
