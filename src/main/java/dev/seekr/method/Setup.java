package dev.seekr.method;

import dev.seekr.config.RunConfig;
import dev.seekr.disk.RunFolder;
import dev.seekr.distributed.Collectives;
import dev.seekr.model.LlamaModel;
import dev.seekr.ops.Ops;
import dev.seekr.state.Seeds;
import dev.seekr.tensor.DType;
import java.util.Locale;
import java.util.SplittableRandom;

/**
 * What a method works with.
 *
 * @param folder of the run, for what the method keeps; the first process writes there
 * @param all the processes of the run
 * @param plan kernels compute nothing, to see what memory is taken: models are neither written nor
 *     read
 * @param trainable what is trained; soft prompts are trained by their methods
 */
public record Setup(
    RunConfig config,
    LlamaModel model,
    RunFolder folder,
    Collectives all,
    boolean plan,
    Trainable trainable) {
  public Setup(
      RunConfig config, LlamaModel model, RunFolder folder, Collectives all, boolean plan) {
    this(config, model, folder, all, plan, Trainable.of(config, model, folder, all));
  }

  public Setup(RunConfig config, LlamaModel model, RunFolder folder, Collectives all) {
    this(config, model, folder, all, false);
  }

  /** In one process. */
  public Setup(RunConfig config, LlamaModel model, RunFolder folder) {
    this(config, model, folder, Collectives.ALONE, false);
  }

  public Ops ops() {
    return model.ops();
  }

  /** L, the model's layers. */
  int L() {
    return model.config.L();
  }

  /** Random numbers that depend on the run's seed, the purpose and the place alone. */
  SplittableRandom random(Seeds.Purpose purpose, long... where) {
    return Seeds.of(config.train().seed(), purpose, where);
  }

  /** What stored logits and attention rows are kept in: F16 or F32. */
  DType bufferType() {
    return DType.valueOf(config.method().bufferDtype().name().toUpperCase(Locale.ROOT));
  }
}
