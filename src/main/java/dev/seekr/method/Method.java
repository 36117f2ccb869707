package dev.seekr.method;

import dev.seekr.data.Batch;
import dev.seekr.data.Sample;
import dev.seekr.data.Task;
import dev.seekr.model.AttentionTap;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.OutputLoss;
import dev.seekr.model.Parameters;
import dev.seekr.model.SoftPrompts;
import dev.seekr.tensor.Memory;
import java.nio.file.Path;
import java.util.List;

/**
 * A continual-learning method: what is trained on when, what is minimised, and what is kept of a
 * finished task. The trainer knows methods by this contract alone.
 */
public interface Method extends AutoCloseable {

  /**
   * What is trained on at a time: usually one task; after it, tasks up to {@code seen} (exclusive)
   * have been seen.
   */
  record Stage(String name, List<Task> tasks, int seen) {}

  /**
   * A stage while it is trained.
   *
   * @param index of the stage, from 0
   * @param samples all training samples of the stage
   * @param folder of the run, for what the method keeps
   */
  record Context(int index, String name, List<Sample> samples, LlamaModel model, Path folder) {}

  /** The stages of a task sequence: task after task unless the method says otherwise. */
  default List<Stage> stages(List<Task> tasks) {
    return java.util.stream.IntStream.range(0, tasks.size())
        .mapToObj(i -> new Stage(tasks.get(i).name(), List.of(tasks.get(i)), i + 1))
        .toList();
  }

  /** Before the first step of a stage. */
  default void begin(Context context) {}

  /** What is trained: all weights by default. When another set is given, its moments begin anew. */
  default Parameters trained(LlamaModel model) {
    return model.weights;
  }

  /** Factor on train.lr, for methods whose parameters need another one. */
  default double lrScale() {
    return 1;
  }

  /** Soft prompts that the model answers with as it now stands; null: none, or none yet. */
  default SoftPrompts prompts() {
    return null;
  }

  /** Stored samples that are to be interleaved with the stage's own; none by default. */
  default List<Replayed> replay() {
    return List.of();
  }

  /** Loss on new data: next-token negative log-likelihood, L_task of paper Eq. 1. */
  default Objective learn(Batch batch, Step step) {
    double weight = 1.0 / step.targets();
    return new Objective(
        batch,
        OutputLoss.labels(batch, weight),
        AttentionTap.none(layers()),
        new Memory("objective"),
        (result, tap, losses) ->
            losses.add("task", result.nllSum(), batch.targets(), result.nllSum() * weight));
  }

  /** Loss on stored samples, all of one buffer. */
  default Objective rehearse(List<Replayed> replayed, Step step) {
    throw new IllegalStateException("this method replays nothing");
  }

  /**
   * After the gradients of an optimiser step, before the step: adds what the method minimises of
   * the weights themselves to g, and its loss to {@code losses}; nothing by default. {@code w} is
   * what is trained, as the optimizer holds it; w and g are of {@link dev.seekr.ops.Ops#wide}.
   *
   * @return the sum of squares of g as it then is, by which the step clips: whoever passes over g
   *     to add to it computes it on the way
   */
  default double regularize(LlamaModel model, Parameters w, Parameters g, Losses losses) {
    return model.ops().sumSquares(g.flat());
  }

  /** After the last step of a stage: choose what to keep of it. */
  default void end(Context context) {}

  /** Bytes on disk of all that is kept of finished tasks. */
  default long storedBytes() {
    return 0;
  }

  /** Layers of the model. */
  int layers();

  @Override
  default void close() {}
}
