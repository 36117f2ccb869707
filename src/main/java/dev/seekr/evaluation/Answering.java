package dev.seekr.evaluation;

import dev.seekr.data.Batcher;
import dev.seekr.data.Example;
import dev.seekr.data.Task;
import dev.seekr.distributed.Bytes;
import dev.seekr.distributed.Collectives;
import dev.seekr.evaluation.Evaluator.Prediction;
import dev.seekr.evaluation.Evaluator.Result;
import dev.seekr.model.Generator;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import dev.seekr.state.Stateful;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/** A task's test prompts being answered, batch by batch. */
public final class Answering implements Stateful {
  private final Evaluator evaluator;
  private final Task task;
  private final Metric metric;
  private final List<int[]> inputs;
  private final List<List<Integer>> batches;
  private String[] answers; // null where there is none yet
  private int next; // batch

  Answering(Evaluator evaluator, Task task) {
    this.evaluator = evaluator;
    this.task = task;
    metric =
        TaskMetrics.forTask(
            task.name(), evaluator.settings().metrics(), evaluator.settings().answer());
    inputs = task.test().stream().map(e -> evaluator.input(task, e)).toList();
    answers = new String[inputs.size()];
    // Prompts of like length together: a batch decodes as long as its longest answer.
    List<Integer> order =
        IntStream.range(0, answers.length)
            .boxed()
            .sorted(Comparator.comparingInt(i -> inputs.get(i).length))
            .toList();
    batches = Batcher.chunks(order, evaluator.settings().batch());
  }

  /** How many batches there are. */
  public int batches() {
    return batches.size();
  }

  public boolean done() {
    return next == batches.size();
  }

  /** Answers one more batch; all of it or, when it is given up, nothing. */
  public void next() {
    next(Collectives.ALONE);
  }

  /** The same of several processes: a batch each. */
  public void next(Collectives all) {
    int mine = next + all.rank();
    var own = mine < batches.size() ? answer(batches.get(mine)) : List.<byte[]>of();
    byte[][] given = all.gather(Bytes.join(own));
    for (int r = 0; r < all.ranks() && next < batches.size(); r++, next++) {
      var texts = Bytes.split(given[r]);
      for (int b = 0; b < texts.size(); b++)
        answers[batches.get(next).get(b)] = new String(texts.get(b), StandardCharsets.UTF_8);
    }
  }

  /** UTF-8. */
  private List<byte[]> answer(List<Integer> batch) {
    Set<Integer> stop = evaluator.encoder().ends(evaluator.model().config.eos());
    var outputs =
        new Generator(evaluator.model())
            .generate(
                batch.stream().map(inputs::get).toList(),
                evaluator.settings().maxNewTokens(),
                stop);
    return outputs.stream()
        .map(o -> evaluator.tokenizer().decode(o).getBytes(StandardCharsets.UTF_8))
        .toList();
  }

  /** The score, when all is done. */
  public Result result() {
    var predictions = new ArrayList<Prediction>();
    for (int i = 0; i < answers.length; i++) {
      Example e = task.test().get(i);
      var score = metric.best(e.prompt(), answers[i], e.answers());
      String scored = metric.answer(answers[i]);
      predictions.add(new Prediction(e.prompt(), answers[i], scored, e.answers(), score));
    }
    double score = metric.aggregate(predictions.stream().map(Prediction::score).toList());
    return new Result(task.name(), metric.name(), score, predictions);
  }

  @Override
  public void save(StateWriter to) {
    to.put("next", next);
    to.put("answers", answers);
  }

  @Override
  public void load(StateReader from) {
    next = (int) from.whole("next", 0, batches.size());
    answers = from.get("answers", String[].class);
    if (answers.length != inputs.size())
      throw from.wrong("answers", "one for each of %d prompts".formatted(inputs.size()));
    for (int b = 0; b < batches.size(); b++)
      for (int i : batches.get(b))
        if ((answers[i] != null) != (b < next))
          throw from.wrong("answers", "those of the first %d batches".formatted(next));
  }
}
