package dev.seekr.method;

import dev.seekr.config.MethodName;
import dev.seekr.config.RunConfig;
import dev.seekr.config.TrainSettings;
import dev.seekr.disk.RunFolder;
import dev.seekr.distributed.Collectives;
import dev.seekr.model.Dropout;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.Parameters;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import dev.seekr.state.Stateful;

/**
 * What a method trains of a model: all weights, or low-rank adapters beside frozen ones. {@link
 * Method#begin} and {@link Method#end} pass a stage's ends on to it.
 */
public sealed interface Trainable extends Stateful, AutoCloseable
    permits Trainable.AllWeights, LowRank {

  /** As {@code train.parameters} says; lora and olora are methods of adapters by name. */
  static Trainable of(RunConfig config, LlamaModel model, RunFolder folder, Collectives all) {
    boolean adapters =
        config.train().parameters() == TrainSettings.Trained.lora
            || config.method().name().has(MethodName.Trait.ADAPTERS);
    return adapters ? new LowRank(config, model, folder, all) : new AllWeights(model);
  }

  /** The model as it now is trained. */
  LlamaModel model();

  /** What the optimizer steps; null where nothing is trained between two stages. */
  Parameters parameters();

  /** How many numbers that is, while a stage lasts. */
  long size();

  /** Factor on train.lr. */
  default double lrScale() {
    return 1;
  }

  /** What a step of this number in the stage drops. */
  default Dropout dropout(int step) {
    return Dropout.NONE;
  }

  default void begin(Method.Context context) {}

  default void end(Method.Context context) {}

  /** Whether {@link #before} can be asked. */
  default boolean knowsBefore() {
    return false;
  }

  /**
   * The model as it was before the stage, to run beside {@link #model}; the caller closes it.
   *
   * @throws IllegalStateException where only a copy of all weights could tell
   */
  default LlamaModel before() {
    throw new IllegalStateException("weights of before are kept by who needs them");
  }

  /** Bytes on disk that a stage leaves behind. */
  default long storedBytes() {
    return 0;
  }

  /** Bytes of a checkpoint beside what is trained, its moments and the model's weights. */
  default long stateBytes() {
    return 0;
  }

  @Override
  default void save(StateWriter to) {}

  @Override
  default void load(StateReader from) {}

  @Override
  default void close() {}

  /** The model itself. */
  record AllWeights(LlamaModel model) implements Trainable {
    @Override
    public Parameters parameters() {
      return model.weights;
    }

    @Override
    public long size() {
      return model.config.parameters();
    }
  }
}
