package dev.seekr.method;

import dev.seekr.config.LwfSettings.LogitCache;
import dev.seekr.data.Batch;
import dev.seekr.model.AttentionTap;
import dev.seekr.model.OutputLoss;
import dev.seekr.ops.Ops;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Learning without forgetting (Li and Hoiem 2017): nothing is kept of finished tasks, but what the
 * model before a task says of the new task's samples should remain what it says,
 *
 * <pre>
 *   L = L_task + lambda KL(before || now)        mean over the rows that predict answer tokens
 * </pre>
 *
 * Both models' logits are divided by a temperature before they are compared.
 */
public final class Lwf implements Method {
  private final Setup setup;
  private final double lambda;
  private PreviousModel previous; // null in the first task, and between tasks

  public Lwf(Setup setup) {
    this.setup = setup;
    this.lambda = setup.config().method().lwf().lambda();
  }

  @Override
  public Setup setup() {
    return setup;
  }

  @Override
  public void begin(Context context) {
    Method.super.begin(context);
    if (context.index() == 0 || lambda == 0) return;
    previous = onDisk() ? PreviousModel.Recorded.of(setup, context) : running();
  }

  private boolean onDisk() {
    return setup.config().method().lwf().cache() == LogitCache.disk;
  }

  private PreviousModel.Running running() {
    return new PreviousModel.Running(setup.trainable());
  }

  @Override
  public Objective learn(Batch batch, Step step) {
    if (previous == null) return Method.super.learn(batch, step);
    double weight = step.freshToken();
    var labels = OutputLoss.labels(batch, weight);
    var memory = new Memory("objective");
    double temperature = setup.config().method().lwf().temperature();
    Tensor logits = previous.logits(batch, labels.rows(), (float) (1 / temperature), memory);
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
            Ops.Distance.KL,
            temperature);
    return new Objective(
        batch,
        output,
        AttentionTap.NONE,
        memory,
        (tapped, losses) -> {
          var result = tapped.losses();
          losses.add("task", result.nllSum(), labels.R(), weight);
          losses.add("lwf", result.distillSum(), labels.R(), lambda * weight);
        });
  }

  @Override
  public void end(Context context) {
    drop();
    Method.super.end(context);
  }

  private void drop() {
    if (previous != null) previous.close();
    previous = null;
  }

  /** What the model before the running task says; null in the first task. */
  PreviousModel previous() {
    return previous;
  }

  @Override
  public DiskNeed diskNeed(Context context) {
    if (!onDisk() || context.index() == 0 || lambda == 0) return new DiskNeed(0, 0);
    long row = (long) setup.model().config.V() * setup.bufferType().bytes;
    return new DiskNeed(0, context.samples().stream().mapToLong(s -> s.targets() * row).sum());
  }

  @Override
  public long stateBytes() {
    boolean copied = !onDisk() && !setup.trainable().knowsBefore();
    long second = copied ? setup.model().weights.flat().bytes() : 0;
    return Method.super.stateBytes() + second;
  }

  @Override
  public void save(StateWriter to) {
    to.put("previous", previous != null);
    if (previous != null) previous.save(to.section("model"));
  }

  @Override
  public void load(StateReader from) {
    if (!from.get("previous", Boolean.class)) return;
    previous = onDisk() ? new PreviousModel.Recorded(setup) : running();
    previous.load(from.section("model"));
  }

  @Override
  public void close() {
    drop();
    Method.super.close();
  }
}
