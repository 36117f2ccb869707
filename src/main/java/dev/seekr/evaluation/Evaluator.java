package dev.seekr.evaluation;

import dev.seekr.config.EvalSettings;
import dev.seekr.data.Example;
import dev.seekr.data.SampleEncoder;
import dev.seekr.data.Task;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.SoftPrompts;
import dev.seekr.tokenizer.Tokenizer;
import java.util.List;
import java.util.OptionalDouble;

/**
 * Answers a task's test prompts greedily and scores the answers by the task's metric.
 *
 * @param prompts soft prompts the model answers with; null: none
 */
public record Evaluator(
    LlamaModel model,
    Tokenizer tokenizer,
    SampleEncoder encoder,
    SoftPrompts prompts,
    EvalSettings settings) {

  /**
   * One answer beside those that are right; the score, against the best of them, is blank where a
   * side is empty.
   *
   * @param scored the part of the prediction that was scored, see {@link Metric#answer}
   */
  public record Prediction(
      String prompt,
      String prediction,
      String scored,
      List<String> answers,
      OptionalDouble score) {}

  /** Score of a task in percent, and what it was computed from. */
  public record Result(String task, String metric, double score, List<Prediction> predictions) {}

  /** Answers all of a task's test prompts. */
  public Result evaluate(Task task) {
    Answering answering = begin(task);
    while (!answering.done()) answering.next();
    return answering.result();
  }

  /** A task none of whose prompts has been answered yet. */
  public Answering begin(Task task) {
    return new Answering(this, task);
  }

  int[] input(Task task, Example example) {
    int[] tokens = encoder.prompt(example);
    return prompts == null ? tokens : prompts.before(task.name(), tokens);
  }
}
