package dev.seekr.run;

import dev.seekr.Failure;
import dev.seekr.Stop;
import dev.seekr.backends.Backends;
import dev.seekr.config.ConfigWriter;
import dev.seekr.config.DistSettings;
import dev.seekr.config.GeneralSettings;
import dev.seekr.config.RunConfig;
import dev.seekr.config.RunSettings;
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
import dev.seekr.trainer.Keeper;
import dev.seekr.trainer.Learner;
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
  private final Collectives all;
  private Attempt attempt; // null: not taken yet, or another process's
  private Saving saving; // null: another process saves
  private Trainer trainer; // null: the run is finished

  private Run(RunConfig config, Stop stop, Collectives all) {
    this.all = all;
    this.config = config;
    this.folder = new RunFolder(Reading.real(Path.of(config.run().out())));
    this.stop = stop;
  }

  /**
   * Loads and checks everything; makes the run's folder only when all is well.
   *
   * @param stop whoever wants the run to stop tells this
   * @param all the processes of the run, all of which open it; the first one writes
   * @param listeners of the first process
   * @throws Failure 73 where another process has the folder; 78 where it holds a run of other
   *     settings, or the data are not those of the run
   * @throws Damaged where what is in the folder is no run that could go on
   */
  public static Run open(
      RunConfig config, Stop stop, Collectives all, List<RunListener> listeners) {
    return open(new Run(config, stop, all), false, listeners);
  }

  /** In one process. */
  public static Run open(RunConfig config, Stop stop, List<RunListener> listeners) {
    return open(config, stop, Collectives.ALONE, listeners);
  }

  /**
   * Begins anew; the run that is in the folder is renamed aside when all is well.
   *
   * @throws Failure 73 where another process has the folder; 78 where it holds something else than
   *     a run, or what the new one needs
   */
  public static Run anew(
      RunConfig config, Stop stop, Collectives all, List<RunListener> listeners) {
    return open(new Run(config, stop, all), true, listeners);
  }

  private static Run open(Run run, boolean anew, List<RunListener> listeners) {
    try {
      run.all.first(
          () -> {
            if (!anew || !Standing.somethingIn(run.folder.path())) return;
            Standing.requireRunAlone(run.folder, run.config);
            Attempt.take(run.folder.path(), 1).close();
          });
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
    var companions = new Companions(all);
    companions.sameSettings(config);
    var found = Found.decode(companions.ofFirst(all.agree(() -> find(anew)).encode()));
    if (found.finished) return;
    RunConfig whole = config.from(Path.of(found.workingFolder));
    var computing = companions.shared(config.run());
    Loaded run = all.agree(() -> load(whole, computing, found.at.isEmpty()));
    opened(Backends.connect(run.ops, all));
    companions.sameData(run.encoded.fingerprints() + run.questions.fingerprint());
    companions.sameArithmetic(Arithmetic.of(run.ops));
    int number = Integer.parseInt(companions.ofFirst(List.of("" + beginHere(anew))).getFirst());
    notes.addAll(run.preview.lines());
    assemble(run, number, listeners);
    found.checkpoint().ifPresent(at -> all.agree(() -> load(at, Arithmetic.of(run.ops))));
  }

  /**
   * What the first process has found in the folder.
   *
   * @param finished whether there is nothing left to do
   * @param workingFolder what relative paths of the settings are relative to
   * @param at the newest checkpoint; "": none
   * @param damaged what is wrong with newer ones
   */
  private record Found(boolean finished, String workingFolder, String at, List<String> damaged) {
    static Found decode(List<String> words) {
      return new Found(
          Boolean.parseBoolean(words.get(0)),
          words.get(1),
          words.get(2),
          words.subList(3, words.size()));
    }

    List<String> encode() {
      var words = new ArrayList<>(List.of("" + finished, workingFolder, at));
      words.addAll(damaged);
      return words;
    }

    Optional<Checkpoints.Found> checkpoint() {
      if (at.isEmpty()) return Optional.empty();
      return Optional.of(new Checkpoints.Found(Path.of(at), Manifest.read(Path.of(at)), damaged));
    }
  }

  /** Looks, in the first process, at what is in the folder, and takes it where there is a run. */
  private Found find(boolean anew) {
    var nothing = new Found(false, "", "", List.of());
    if (!all.first()) return nothing;
    var standing = anew ? Standing.NOTHING : Standing.of(folder, config);
    if (standing == Standing.NOTHING) return nothing;
    attempt = take();
    if (Standing.of(folder, config) == Standing.FINISHED) {
      tidy();
      return new Found(true, "", "", List.of());
    }
    var newest = Checkpoints.newest(folder);
    return new Found(
        false,
        attempt.workingFolder().toString(),
        newest.map(found -> found.path().toString()).orElse(""),
        newest.map(Checkpoints.Found::damaged).orElse(List.of()));
  }

  /** All that a run is made of, before anything is written. */
  private record Loaded(
      RunConfig here,
      Ops ops,
      LanguageModel lm,
      List<Task> tasks,
      Encoded encoded,
      GeneralQuestions questions,
      Method method,
      Preview preview) {}

  private Loaded load(RunConfig whole, RunSettings computing, boolean fresh) {
    var atHand = TaskSequence.atHand(whole.data());
    RunConfig here = atHand.settings(whole);
    List<Task> tasks = TaskSequence.load(here.data(), here.train().seed());
    TaskMetrics.require(here.eval(), tasks.stream().map(Task::name).toList());
    var questions = questions(here);
    Ops ops = opened(Backends.open(computing, all.localRank()));
    if (ops.place() != Place.HOST) ops.reserve(BytePlan.of(here, shape(here)).bytes());
    var lm = opened(LanguageModel.load(here, ops, fresh));
    var general = TaskSequence.general(here.data());
    var encoded = Encoded.of(tasks, general, lm.encoder(here.data()), here.data());
    var method = Methods.of(new Setup(here, lm.model(), folder, all));
    try {
      Learner.requireDivisible(method);
      var preview = Preview.of(here, atHand, encoded, method, lm);
      return new Loaded(here, ops, lm, tasks, encoded, questions, method, preview);
    } catch (Failure nothingToDo) {
      method.close();
      throw nothingToDo;
    }
  }

  /**
   * Makes the folder, in the first process, unless a run is there; returns its attempt's number.
   */
  private int beginHere(boolean anew) {
    all.first(
        () -> {
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
        });
    return attempt == null ? 0 : attempt.number();
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

  private void assemble(Loaded run, int number, List<RunListener> listeners) {
    RunConfig here = run.here;
    var lm = run.lm;
    notes.add("backend: " + run.ops.description() + companionship());
    var asker = new Asker(lm.model(), lm.tokenizer(), null, here.eval().general());
    run.questions.sets().forEach(set -> notes.addAll(asker.notes(set)));
    lm.beyond(run.tasks, lm.encoder(here.data()), here.eval().maxNewTokens()).ifPresent(notes::add);
    var heard = new ArrayList<RunListener>();
    boolean divided = Learner.divides(here, all);
    Keeper keeper = divided ? new SharedCheckpoint.Companion(all, folder.path()) : Keeper.NONE;
    if (all.first()) {
      var writers = divided ? all : Collectives.ALONE;
      var checkpoints = new Checkpoints(folder, number, Arithmetic.of(run.ops), writers);
      saving =
          opened(new Saving(here.run().checkpoint(), checkpoints, stop, writers, System::nanoTime));
      keeper = saving;
      var log = opened(new RunLog(folder.log()));
      heard.add(new LogListener(log, here, run.ops.description(), number));
      heard.add(new FilesListener(here, folder, lm));
      if (here.run().tensorboard()) heard.add(opened(new EventsListener(folder, config, number)));
      heard.add(saving);
      heard.addAll(listeners);
    }
    trainer =
        opened(
            new Trainer(
                here, run.tasks, lm, run.encoded, run.questions, run.method, heard, keeper, stop));
    all.first(() -> plan(here, lm, run.method, trainer.contexts()));
    TimeLimit.of(here.run()).ifPresent(stop::within);
  }

  private String companionship() {
    if (all.ranks() > 1) return "; %d processes".formatted(all.ranks());
    return config.dist().shard() == DistSettings.Shard.none
        ? ""
        : "; dist.shard divides nothing, as there is one process";
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

  private Void load(Checkpoints.Found found, String arithmetic) {
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
    return null;
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
    if (saving != null) saving.finish();
    return outcome;
  }

  /** Where it is, as "task 2/4 step 31". */
  public String place() {
    return trainer.place();
  }

  /** What checkpoints cost, in words; empty where there were none. */
  public String cost() {
    return saving == null ? "" : saving.cost();
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
