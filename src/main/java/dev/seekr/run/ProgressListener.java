package dev.seekr.run;

import dev.seekr.evaluation.Evaluator;
import dev.seekr.evaluation.ScoreMatrix;
import dev.seekr.general.QuestionSet;
import dev.seekr.method.Step;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.SoftPrompts;
import dev.seekr.report.Progress;
import dev.seekr.trainer.RunListener;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;

/** Shows on stderr how far a run is. */
public final class ProgressListener implements RunListener, AutoCloseable {
  private Progress progress; // of the loop under way; null: none
  private int asked; // questions of the benchmark under way

  @Override
  public void stageBegins(Stage stage, int steps, int done) {
    String name = "task %d/%d %s".formatted(stage.index() + 1, stage.count(), stage.name());
    show(new Progress(name, steps, done));
  }

  @Override
  public void step(Step step) {
    var losses = step.result().losses();
    var shown = new LinkedHashMap<String, Double>();
    var means = losses.means();
    if (means.size() > 1) shown.put("loss", losses.total());
    shown.putAll(means);
    progress.step(step.result().tokens(), shown);
  }

  @Override
  public void validated(Stage stage, int epoch, double loss, int best) {
    progress.keep("validation", loss);
  }

  @Override
  public void scoring(Stage stage) {
    show(null);
  }

  @Override
  public void used(Stage stage, Map<String, Object> used) {
    if (used.isEmpty()) return;
    show(null);
    var words = new StringJoiner(", ");
    used.forEach((name, value) -> words.add(name + " " + value));
    System.err.printf(
        Locale.ROOT, "task %d/%d %s: %s%n", stage.index() + 1, stage.count(), stage.name(), words);
  }

  @Override
  public void stageEnds(Stage stage, LlamaModel model, SoftPrompts prompts) {
    show(null);
  }

  @Override
  public void evaluates(String when, int tasks, int done) {
    show(new Progress("evaluation " + when, tasks, done));
  }

  @Override
  public void evaluated(Stage stage, Evaluator.Result result, ScoreMatrix scores) {
    progress.step(0, Map.of(result.task(), result.score()));
  }

  @Override
  public void evaluatedBefore(Evaluator.Result result, ScoreMatrix scores) {
    progress.step(0, Map.of(result.task(), result.score()));
  }

  @Override
  public void evaluatedAt(Stage stage, int step, Evaluator.Result result) {
    progress.step(0, Map.of(result.task(), result.score()));
  }

  @Override
  public void asks(String after, QuestionSet set) {
    asked = 0;
    String when = after.isEmpty() ? "before the first task" : "after " + after;
    show(new Progress(set.name() + " " + when, set.size(), 0));
  }

  @Override
  public void answered(int all) {
    for (; asked < all; asked++) progress.step(0, Map.of());
  }

  @Override
  public void stopped(String place) {
    show(null);
  }

  @Override
  public void ends(Outcome outcome) {
    show(null);
  }

  private void show(Progress next) {
    if (progress != null) progress.close();
    progress = next;
  }

  @Override
  public void close() {
    show(null);
  }
}
