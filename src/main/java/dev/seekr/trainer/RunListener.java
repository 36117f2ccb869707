package dev.seekr.trainer;

import dev.seekr.evaluation.Evaluator;
import dev.seekr.evaluation.ScoreMatrix;
import dev.seekr.general.QuestionSet;
import dev.seekr.general.SetResult;
import dev.seekr.method.HeadScores;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.SoftPrompts;
import java.util.List;
import java.util.Map;

/**
 * Hears of everything that happens in a run: what shows progress, writes the log or saves results
 * hangs on this. One that holds state is {@link dev.seekr.state.Stateful}, and saved and loaded
 * with the run. What a listener throws ends the run.
 */
public interface RunListener {
  /**
   * A stage.
   *
   * @param index from 0, of {@code count}
   */
  record Stage(int index, int count, String name) {}

  /**
   * A step that was taken.
   *
   * @param epoch from 1
   * @param number of the step in its stage, from 1
   * @param seconds it took
   */
  record Step(
      Stage stage, int epoch, int number, double lr, Learner.Result result, double seconds) {}

  /**
   * What a run came to.
   *
   * @param seconds of training and evaluation, in all attempts together
   * @param peakBytes most resident memory of a process
   * @param storedBytes what the method kept of finished tasks, on disk
   */
  record Outcome(ScoreMatrix scores, double seconds, long peakBytes, long storedBytes) {}

  /** Before anything else of a run that begins; {@code tasks} in training order. */
  default void begins(List<String> tasks, long parameters) {}

  /** In place of {@link #begins} in a run that goes on; {@code place} as "task 2/4 step 31". */
  default void goesOn(String place) {}

  /** Steps of a stage are about to be taken, {@code steps} in all, of which some are done. */
  default void stageBegins(Stage stage, int steps, int done) {}

  default void step(Step step) {}

  /**
   * An epoch was validated.
   *
   * @param epoch from 1
   * @param loss mean over the target tokens of the stage's validation samples
   * @param best the epoch of the lowest so far
   */
  default void validated(Stage stage, int epoch, double loss, int best) {}

  /** A step was not taken, since {@code what} was not finite. */
  default void notFinite(Step step, String what) {}

  /** All steps of a stage have been taken; the method now scores, estimates or records. */
  default void scoring(Stage stage) {}

  /**
   * What the method used in the stage, constants that settings leave open among it, by name; empty:
   * the settings say all. No value is null.
   */
  default void used(Stage stage, Map<String, Object> used) {}

  /** What is known of the heads after a stage; not told where nothing is. */
  default void heads(Stage stage, HeadScores scores) {}

  /** The stage is done: what the model is now can be saved. {@code prompts} null: none. */
  default void stageEnds(Stage stage, LlamaModel model, SoftPrompts prompts) {}

  /**
   * Tasks are about to be scored, {@code tasks} of them, {@code done} of which have been; {@code
   * when} in words.
   */
  default void evaluates(String when, int tasks, int done) {}

  /** A task was scored after a stage; {@code scores} has the score in it. */
  default void evaluated(Stage stage, Evaluator.Result result, ScoreMatrix scores) {}

  /** The initial model was scored on a task; {@code scores} has the score in it. */
  default void evaluatedBefore(Evaluator.Result result, ScoreMatrix scores) {}

  /** A task was scored after a step of a stage, from 1; the score counts for no measure. */
  default void evaluatedAt(Stage stage, int step, Evaluator.Result result) {}

  /** General ability is about to be asked, after a task or, {@code after} empty, before all. */
  default void asks(String after, QuestionSet set) {}

  /** A batch of questions was answered, {@code asked} of the benchmark's in all. */
  default void answered(int asked) {}

  /** A benchmark was asked; {@code scores} has the score in it. */
  default void asked(int row, String after, SetResult result, ScoreMatrix scores) {}

  /** The run stops before its end, and is about to be saved. */
  default void stopped(String place) {}

  default void ends(Outcome outcome) {}
}
