package dev.seekr.run;

import dev.seekr.Failure;
import dev.seekr.config.RunConfig;
import dev.seekr.config.TrainSettings;
import dev.seekr.data.EncodedTask;
import dev.seekr.data.Example;
import dev.seekr.data.TaskSequence;
import dev.seekr.evaluation.LanguageModel;
import dev.seekr.method.General;
import dev.seekr.method.Method;
import dev.seekr.trainer.Encoded;
import dev.seekr.trainer.StagePlan;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a run would train on, known before its first step.
 *
 * @param settings what the method's come to, by name
 * @param notes what a user should know: what is cut, or stands in both splits
 */
public record Preview(
    String method,
    Map<String, String> settings,
    List<TaskPart> tasks,
    List<StagePart> stages,
    List<String> notes) {

  /**
   * The data of a task.
   *
   * @param train samples that are trained on; {@code leftOut} of the file's are too long
   * @param median tokens of the sequence in the middle, and {@code longest}
   * @param inBoth test samples whose prompt and answer are a training sample's too
   */
  public record TaskPart(
      String name,
      int train,
      int leftOut,
      int test,
      int median,
      int longest,
      int promptsCut,
      int answersCut,
      int testPromptsCut,
      int inBoth) {
    private static TaskPart of(EncodedTask e) {
      return new TaskPart(
          e.task().name(),
          e.samples().size(),
          e.leftOut(),
          e.task().test().size(),
          e.median(),
          e.longest(),
          e.promptsCut(),
          e.answersCut(),
          e.testPromptsCut(),
          inBoth(e));
    }

    private static int inBoth(EncodedTask e) {
      var trained = new HashSet<List<String>>();
      for (Example x : e.task().train())
        trained.add(List.of(x.prompt().strip(), x.answer().strip()));
      return (int)
          e.task().test().stream()
              .filter(
                  x ->
                      x.answers().stream()
                          .anyMatch(a -> trained.contains(List.of(x.prompt().strip(), a.strip()))))
              .count();
    }
  }

  /**
   * What is trained at a time.
   *
   * @param replayed stored samples trained on beside the new ones, at most
   * @param general samples of no task among them, in each epoch
   * @param steps in all epochs together
   * @param replaying steps of these that replay
   * @param tokens that pass through the model in all steps, about
   */
  public record StagePart(
      String name,
      int samples,
      int replayed,
      int general,
      int epochs,
      int steps,
      int replaying,
      long tokens) {}

  /** Throws Failure (78) where the settings leave the method nothing to do. */
  static Preview of(
      RunConfig config,
      TaskSequence.AtHand atHand,
      Encoded encoded,
      Method method,
      LanguageModel lm) {
    List<Method.Context> contexts = encoded.contexts(method);
    config.train().epochs().require(contexts.size());
    requireValidation(config.train(), encoded);
    var settings = method.comesTo(contexts);
    var stages = new ArrayList<StagePart>();
    for (var stage : contexts) {
      int replayed = method.replays(contexts.subList(0, stage.index()));
      int epochs = config.train().epochs().of(stage.index());
      int n = stage.samples().size();
      int general = encoded.general().isEmpty() ? 0 : General.count(config.data(), n);
      int steps = StagePlan.stepsPerEpoch(config.train(), n, replayed, general) * epochs;
      int replaying = StagePlan.replayingPerEpoch(config.train(), n, replayed, general) * epochs;
      long fresh = stage.samples().stream().mapToLong(s -> s.length()).sum();
      long tokens = epochs * (fresh + Math.round((double) fresh / n * (replayed + general)));
      stages.add(
          new StagePart(stage.name(), n, replayed, general, epochs, steps, replaying, tokens));
    }
    var tasks = encoded.tasks().stream().map(TaskPart::of).toList();
    var notes = new ArrayList<String>();
    atHand.note().ifPresent(notes::add);
    if (!config.idle().isEmpty())
      notes.add("without effect here: " + String.join(", ", config.idle()));
    encoded.tasks().forEach(t -> t.task().note().ifPresent(notes::add));
    int positions = lm.model().config.maxPositions();
    encoded.tasks().forEach(t -> notes.addAll(t.notes(config.data(), positions)));
    for (TaskPart task : tasks)
      if (task.inBoth > 0)
        notes.add(
            "%s: %d of %d test samples stand in its training data too"
                .formatted(task.name, task.inBoth, task.test));
    seldomReplays(config.train(), stages.getLast()).ifPresent(notes::add);
    return new Preview(
        config.method().name().name(), settings, tasks, List.copyOf(stages), List.copyOf(notes));
  }

  /** Where few steps of an epoch replay, one or two: docs/results.md has what comes of that. */
  private static Optional<String> seldomReplays(TrainSettings train, StagePart stage) {
    boolean seldom =
        stage.replayed > 0
            && stage.replaying <= 2 * stage.epochs
            && 4 * stage.replaying < stage.steps;
    if (!seldom || train.batch() == 1 || train.accumulate() > 1) return Optional.empty();
    return Optional.of(
        "%s: %d of %d steps replay, since a step is all new or all replayed; a smaller train.batch, with train.accumulate, mixes both"
            .formatted(stage.name, stage.replaying, stage.steps));
  }

  private static void requireValidation(TrainSettings train, Encoded encoded) {
    if (train.bestOf() != TrainSettings.BestOf.validation) return;
    for (EncodedTask e : encoded.tasks())
      if (e.task().madeTest())
        throw Failure.config(
            "train.best_of is validation, but %s has no test split: what data.holdout keeps apart is its test, and nothing is left to validate on",
            e.task().name());
  }

  /** In short, a line a stage. */
  public List<String> lines() {
    var lines = new ArrayList<String>();
    for (int i = 0; i < stages.size(); i++) {
      var s = stages.get(i);
      String replayed = s.replayed == 0 ? "" : " and %d replayed".formatted(s.replayed);
      if (s.general > 0) replayed += " and %d general".formatted(s.general);
      lines.add(
          "task %d/%d %s: %d samples%s, %d epochs, %d steps"
              .formatted(i + 1, stages.size(), s.name, s.samples, replayed, s.epochs, s.steps));
    }
    var parts = settings.entrySet().stream().map(e -> e.getKey() + " " + e.getValue()).toList();
    if (!parts.isEmpty()) lines.add(method + ": " + String.join("; ", parts));
    lines.addAll(notes);
    return lines;
  }
}
