package dev.seekr.method;

import dev.seekr.Failure;
import dev.seekr.config.RunConfig;
import dev.seekr.data.Batch;
import dev.seekr.data.Queries;
import dev.seekr.data.ReplayBuffer;
import dev.seekr.data.Sample;
import dev.seekr.model.AttentionTap;
import dev.seekr.model.LlamaConfig;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.OutputLoss;
import dev.seekr.model.Parameters;
import dev.seekr.model.Weights;
import dev.seekr.ops.Ops;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.SafetensorsWriter;
import dev.seekr.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Elastic weight consolidation (Kirkpatrick et al. 2017): no sample is kept, but weights that
 * finished tasks depend on are held where they were,
 *
 * <pre>
 *   L = L_task + lambda/2 sum_i F_i (w_i - w*_i)^2        F &lt;- gamma F + E_s (dL_s/dw)^2
 * </pre>
 *
 * F is the diagonal of the empirical Fisher information: the mean over training samples s of the
 * square of the gradient of that sample's own mean loss. One F and one anchor w*, the weights after
 * the last finished task, serve all tasks (Schwarz et al. 2018). Both are bfloat16; while F is
 * estimated, it and a gradient are held in the type of the weights besides.
 */
public final class Ewc implements Method {
  private final RunConfig.Ewc settings;
  private final long seed;
  private final LlamaConfig shape;
  private final Ops ops;
  private final Memory memory = new Memory("ewc");
  private Weights fisher, anchor; // null before a task is finished
  private long storedBytes;

  public Ewc(RunConfig config, LlamaConfig shape, Ops ops) {
    this.settings = config.method().ewc();
    this.seed = config.train().seed();
    this.shape = shape;
    this.ops = ops;
  }

  @Override
  public int layers() {
    return shape.L();
  }

  @Override
  public double regularize(LlamaModel model, Parameters w, Parameters g, Losses losses) {
    if (fisher == null) return Method.super.regularize(model, w, g, losses);
    double lambda = settings.lambda();
    var pull = ops.anchor(g.flat(), w.flat(), fisher.flat(), anchor.flat(), (float) lambda);
    losses.add("ewc", pull.penalty() / lambda, 1, pull.penalty());
    return pull.sumSquares();
  }

  @Override
  public void end(Context context) {
    if (settings.lambda() == 0) return;
    try (var working = new Memory("fisher information")) {
      var total = new Weights(shape, ops, ops.wide(), working, "fisher information");
      if (fisher != null) scale(total.flat(), settings.gamma(), fisher.flat());
      addFisher(total, context.model(), choose(context), working);
      if (fisher == null) {
        fisher = new Weights(shape, ops, DType.BF16, memory, "fisher information");
        anchor = new Weights(shape, ops, DType.BF16, memory, "anchor");
      }
      fisher.copyFrom(total);
    }
    anchor.copyFrom(context.model().weights);
    save(context.folder().resolve("ewc"));
  }

  /** total += mean over samples of the square of each one's gradient, never of a batch's. */
  private void addFisher(Weights total, LlamaModel model, List<Sample> samples, Memory working) {
    var g = new Weights(shape, ops, ops.wide(), working, "gradients");
    for (Sample sample : samples) {
      Batch alone = Batch.of(sample);
      model.forward(alone);
      model.backward(
          OutputLoss.labels(alone, 1.0 / sample.targets()), AttentionTap.none(layers()), g, false);
      ops.addSquares(total.flat(), g.flat(), 1f / samples.size());
    }
  }

  /** All samples, or as many as wanted; which ones depends on the seed and the stage only. */
  private List<Sample> choose(Context context) {
    int n = context.samples().size();
    if (settings.samples() == 0 || settings.samples() >= n) return context.samples();
    var random = new SplittableRandom(31 * seed + context.index());
    int[] picks = Queries.sample(n, settings.samples(), random).pos();
    return Arrays.stream(picks).mapToObj(context.samples()::get).toList();
  }

  private static void scale(Tensor to, double factor, Tensor from) {
    int chunk = 1 << 20;
    for (long i = 0, n = to.size(); i < n; i += chunk) {
      long count = Math.min(chunk, n - i);
      float[] values = from.view(i, count).toFloats();
      for (int j = 0; j < count; j++) values[j] = (float) (factor * values[j]);
      to.view(i, count).copyFrom(values);
    }
  }

  private void save(Path folder) {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new Failure(Failure.Exit.CREATE, folder + ": the folder cannot be made: " + e, e);
    }
    SafetensorsWriter.write(folder.resolve("fisher.safetensors"), fisher.byName(), Map.of());
    SafetensorsWriter.write(folder.resolve("anchor.safetensors"), anchor.byName(), Map.of());
    storedBytes = ReplayBuffer.bytes(folder);
  }

  /** F of all finished tasks, as it is held; null before the first. */
  Weights fisher() {
    return fisher;
  }

  @Override
  public long storedBytes() {
    return storedBytes;
  }

  @Override
  public void close() {
    memory.close();
  }
}
