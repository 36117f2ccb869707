package dev.seekr.evaluation;

import dev.seekr.config.RunConfig;
import dev.seekr.data.Batcher;
import dev.seekr.data.Example;
import dev.seekr.data.SampleEncoder;
import dev.seekr.data.Task;
import dev.seekr.model.Generator;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.SoftPrompts;
import dev.seekr.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.stream.IntStream;

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
    RunConfig.Eval settings) {

  /** One answer beside the true one; the score is blank where a side is empty. */
  public record Prediction(String prompt, String prediction, String answer, OptionalDouble score) {}

  /** Score of a task in percent, and what it was computed from. */
  public record Result(String task, String metric, double score, List<Prediction> predictions) {}

  public Result evaluate(Task task) {
    Metric metric = TaskMetrics.forTask(task.name(), settings.metrics());
    List<Example> examples = task.test();
    List<int[]> inputs = examples.stream().map(e -> input(task, e)).toList();
    String[] answers = new String[inputs.size()];
    // Prompts of like length together: a batch decodes as long as its longest answer.
    List<Integer> order =
        IntStream.range(0, answers.length)
            .boxed()
            .sorted(Comparator.comparingInt(i -> inputs.get(i).length))
            .toList();
    var generator = new Generator(model);
    Set<Integer> stop = new HashSet<>(model.config.eos());
    for (List<Integer> batch : Batcher.pack(order, i -> 1, settings.batch())) {
      var outputs =
          generator.generate(
              batch.stream().map(inputs::get).toList(), settings.maxNewTokens(), stop);
      for (int b = 0; b < batch.size(); b++) {
        answers[batch.get(b)] = tokenizer.decode(outputs.get(b));
      }
    }
    var predictions = new ArrayList<Prediction>();
    for (int i = 0; i < answers.length; i++) {
      Example e = examples.get(i);
      var score = metric.score(e.prompt(), answers[i], e.answer());
      predictions.add(new Prediction(e.prompt(), answers[i], e.answer(), score));
    }
    double score = metric.aggregate(predictions.stream().map(Prediction::score).toList());
    return new Result(task.name(), metric.name(), score, predictions);
  }

  private int[] input(Task task, Example example) {
    int[] tokens = encoder.prompt(example);
    return prompts == null ? tokens : prompts.before(task.name(), tokens);
  }
}
