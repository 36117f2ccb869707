package dev.seekr.method;

import dev.seekr.config.TrainSettings;
import dev.seekr.data.Batch;
import dev.seekr.data.Sample;
import dev.seekr.data.Task;
import dev.seekr.model.AttentionTap;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.OutputLoss;
import dev.seekr.model.Parameters;
import dev.seekr.model.SoftPrompts;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import dev.seekr.state.Stateful;
import dev.seekr.tensor.Memory;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * A continual-learning method: what is trained on when, what is minimised, and what is kept of a
 * finished task. The trainer knows methods by this contract alone. In each stage it calls
 *
 * <pre>
 *   begin     beforeStep, {learn | rehearse} of each pass, addTo     (once a step)     end
 * </pre>
 *
 * {@link #begin} and {@link #end} may be given up by an exception at any pass of the model, and are
 * then called again, perhaps by another process after {@link #load}. So they change what {@link
 * #save} saves only when nothing more can go wrong, or so that the next call goes on there.
 */
public interface Method extends Stateful, AutoCloseable {

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
   * @param w what was trained, as the optimizer holds it; null before the first step
   */
  record Context(int index, String name, List<Sample> samples, Parameters w) {}

  /** What the method works with. */
  Setup setup();

  /** The model as it now is trained: with adapters or soft prompts where the method has any. */
  default LlamaModel model() {
    return setup().trainable().model();
  }

  /**
   * The model in the passes of a step, and nowhere else: {@link #model}, with dropout where what is
   * trained has any.
   */
  default LlamaModel learning(Step step) {
    return model().with(setup().trainable().dropout(step.number()));
  }

  /** The stages of a task sequence: task after task unless the method says otherwise. */
  default List<Stage> stages(List<Task> tasks) {
    return IntStream.range(0, tasks.size())
        .mapToObj(i -> new Stage(tasks.get(i).name(), List.of(tasks.get(i)), i + 1))
        .toList();
  }

  /** Before the first step of a stage; who overrides this calls it first. */
  default void begin(Context context) {
    setup().trainable().begin(context);
  }

  /**
   * What is trained from now on, by default as {@link Trainable} says; null: nothing. When another
   * set is given, its moments begin anew.
   */
  default Parameters trained() {
    return setup().trainable().parameters();
  }

  /**
   * Why processes cannot divide the optimizer and gradients of this method among them; null: they
   * can.
   */
  default String undivided() {
    return setup().trainable() instanceof LowRank ? "adapters are small" : null;
  }

  /** Factor on train.lr, for methods whose parameters need another one. */
  default double lrScale() {
    return setup().trainable().lrScale();
  }

  /** Soft prompts that the model answers with as it now stands; null: none, or none yet. */
  default SoftPrompts prompts() {
    return null;
  }

  /** Samples as the model reads them now: with soft prompts before them where there are any. */
  default Batch prompted(Batch batch) {
    return batch;
  }

  /** Stored samples that are to be interleaved with the stage's own; none by default. */
  default List<Replayed> replay() {
    return List.of();
  }

  /**
   * Before the passes of a step, or of a validation: brings what they read up to date with what is
   * trained.
   */
  default void beforeStep(Step step) {}

  /**
   * Loss on new data: next-token negative log-likelihood, L_task of paper Eq. 1. It changes nothing
   * of the method, and may be asked for ahead of the pass before.
   */
  default Objective learn(Batch batch, Step step) {
    double weight = step.freshToken();
    return new Objective(
        batch,
        OutputLoss.labels(batch, weight),
        AttentionTap.NONE,
        new Memory("objective"),
        (tapped, losses) -> {
          double nll = tapped.losses().nllSum();
          losses.add("task", nll, batch.targets(), weight);
        });
  }

  /** Loss on stored samples, all of one buffer; as {@link #learn}. */
  default Objective rehearse(List<Replayed> replayed, Step step) {
    throw new IllegalStateException("this method replays nothing");
  }

  /**
   * After all passes of a step and before its gradient is clipped: adds what the method minimises
   * of the weights themselves, or turns the gradient as the method has it.
   */
  default void addTo(Gradients gradients) {}

  /**
   * After the last step of a stage: choose what to keep of it; who overrides this calls it last.
   */
  default void end(Context context) {
    setup().trainable().end(context);
  }

  /**
   * What was used in a stage that has just ended, for the log and for people: how much was kept of
   * it, and constants that settings leave open. By name, in order; no value is null, and none is
   * said but here. Empty: the settings say all.
   */
  default Map<String, Object> used(Context context) {
    return Map.of();
  }

  /** What is known of the heads after a stage that has just ended; null: nothing. */
  default HeadScores heads(Context context) {
    return null;
  }

  /**
   * What the settings come to in these stages, by name, in words.
   *
   * @throws dev.seekr.Failure config (78) where they leave a method nothing to do
   */
  default Map<String, String> comesTo(List<Context> stages) {
    return Map.of();
  }

  /** How many stored samples are trained on in each epoch after these stages. */
  default int replays(List<Context> finished) {
    return 0;
  }

  /** Bytes on disk of all that is kept of finished tasks. */
  default long storedBytes() {
    return 0;
  }

  /** Most bytes on disk that a stage leaves behind, and that it needs while it lasts. */
  record DiskNeed(long kept, long meanwhile) {}

  default DiskNeed diskNeed(Context context) {
    return new DiskNeed(0, 0);
  }

  /** Bytes of a checkpoint beside the model's weights, about: those trained, and two moments. */
  default long stateBytes() {
    var trainable = setup().trainable();
    boolean all = trainable instanceof Trainable.AllWeights;
    var state = all ? setup().config().train().state() : TrainSettings.State.f32;
    long trained =
        switch (state) {
          case f32 -> trainedBytes(trainable.size());
          case bf16 -> 4 * trainable.size();
          case host -> 12 * trainable.size();
        };
    return trained + trainable.stateBytes();
  }

  /** What n numbers that are trained need in a checkpoint. */
  default long trainedBytes(long n) {
    var ops = setup().ops();
    return n * (8 + (ops.dtype() == ops.wide() ? 0 : 4));
  }

  @Override
  default void save(StateWriter to) {}

  @Override
  default void load(StateReader from) {}

  /** Who overrides this calls it too. */
  @Override
  default void close() {
    setup().trainable().close();
  }
}
