package dev.seekr.method;

import dev.seekr.config.RunConfig;
import dev.seekr.config.RunConfig.LogitCache;
import dev.seekr.data.Batch;
import dev.seekr.model.AttentionTap;
import dev.seekr.model.OutputLoss;
import dev.seekr.ops.Ops;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * Learning without forgetting (Li and Hoiem 2017): nothing is kept of finished tasks, but what the
 * model before a task says of the new task's samples should remain what it says,
 *
 * <pre>
 *   L = L_task + lambda KL(before || now)        mean over the rows that predict answer tokens
 * </pre>
 *
 * There is no temperature: the loss kernel compares logits as they are.
 */
public final class Lwf implements Method {
  private final RunConfig config;
  private final double lambda;
  private final int layers;
  private PreviousModel previous; // null in the first task

  public Lwf(RunConfig config, int layers) {
    this.config = config;
    this.lambda = config.method().lwf().lambda();
    this.layers = layers;
  }

  @Override
  public int layers() {
    return layers;
  }

  @Override
  public void begin(Context context) {
    if (context.index() == 0 || lambda == 0) return;
    if (config.method().lwf().cache() == LogitCache.none) {
      previous = new PreviousModel.Running(context.model());
    } else {
      DType dtype = DType.valueOf(config.method().bufferDtype().toUpperCase(Locale.ROOT));
      previous = PreviousModel.Recorded.of(context, dtype, config.train().microTokens());
    }
  }

  @Override
  public Objective learn(Batch batch, Step step) {
    if (previous == null) return Method.super.learn(batch, step);
    double weight = 1.0 / step.targets();
    var labels = OutputLoss.labels(batch, weight);
    var memory = new Memory("objective");
    Tensor logits = previous.logits(batch, labels.rows(), memory);
    float[] distill = new float[labels.R()];
    Arrays.fill(distill, (float) (lambda * weight));
    int[] inOrder = IntStream.range(0, labels.R()).toArray();
    var output =
        new OutputLoss(
            labels.rows(),
            labels.target(),
            labels.wNll(),
            logits,
            inOrder,
            distill,
            Ops.Distance.KL);
    return new Objective(
        batch,
        output,
        AttentionTap.none(layers),
        memory,
        (result, tap, losses) -> {
          losses.add("task", result.nllSum(), labels.R(), weight * result.nllSum());
          losses.add("lwf", result.distillSum(), labels.R(), lambda * weight * result.distillSum());
        });
  }

  @Override
  public void end(Context context) {
    close();
  }

  /** What the model before the running task says; null in the first task. */
  PreviousModel previous() {
    return previous;
  }

  @Override
  public void close() {
    if (previous != null) previous.close();
    previous = null;
  }
}
