package dev.seekr.method;

import dev.seekr.config.EwcSettings;
import dev.seekr.data.Batch;
import dev.seekr.data.Sample;
import dev.seekr.data.SampledQueries;
import dev.seekr.model.AttentionTap;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.OutputLoss;
import dev.seekr.model.Parameters;
import dev.seekr.ops.Ops;
import dev.seekr.state.Seeds;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

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
 * the last finished task, serve all tasks (Schwarz et al. 2018). Both are float32, as the weights
 * that are trained: a coarser anchor would make the difference rounding, where weights move by
 * little.
 */
public final class Ewc implements Method {
  private final Setup setup;
  private final EwcSettings settings;
  private final Ops ops;
  private final Memory memory = new Memory("ewc");
  private Parameters fisher, anchor; // null before a task is finished
  private Estimate estimate; // null: none is under way

  /** The new F, of as many samples as it has seen. */
  private final class Estimate implements AutoCloseable {
    final Memory working = new Memory("fisher information");
    final Parameters total = trained().like(ops, working, "fisher information");
    int seen;

    @Override
    public void close() {
      working.close();
    }
  }

  public Ewc(Setup setup) {
    this.setup = setup;
    this.settings = setup.config().method().ewc();
    this.ops = setup.ops();
  }

  @Override
  public Setup setup() {
    return setup;
  }

  @Override
  public String undivided() {
    return "its penalty needs all weights as they are stepped";
  }

  @Override
  public void addTo(Gradients step) {
    if (fisher == null) return;
    double lambda = settings.lambda();
    double penalty =
        ops.anchor(step.g().flat(), step.w().flat(), fisher.flat(), anchor.flat(), (float) lambda);
    step.losses().add("ewc", penalty / lambda, 1, lambda);
  }

  /** An estimate that was given up goes on with the next sample. */
  @Override
  public void end(Context context) {
    if (settings.lambda() != 0) consolidate(context);
    Method.super.end(context);
  }

  private void consolidate(Context context) {
    if (estimate == null) {
      estimate = new Estimate();
      if (fisher != null) scale(estimate.total.flat(), settings.gamma(), fisher.flat());
    }
    addFisher(estimate, model(), choose(context));
    if (fisher == null) allocate();
    fisher.flat().copyFrom(estimate.total.flat());
    anchor.flat().copyFrom(context.w().flat());
    estimate.close();
    estimate = null;
  }

  private void allocate() {
    fisher = trained().like(ops, memory, "fisher information");
    anchor = trained().like(ops, memory, "anchor");
  }

  /** total += mean over samples of the square of each one's gradient, never of a batch's. */
  private void addFisher(Estimate sum, LlamaModel model, List<Sample> samples) {
    var all = setup.all();
    if (!all.first()) ops.zero(sum.total.flat()); // what there is already counts once
    try (var working = new Memory("gradients")) {
      var g = trained().like(ops, working, "gradients");
      int first = sum.seen;
      for (; sum.seen < samples.size(); sum.seen++) {
        if ((sum.seen - first) % all.ranks() != all.rank()) continue;
        Sample sample = samples.get(sum.seen);
        Batch alone = Batch.of(sample);
        var pass = model.forward(alone);
        var labels = OutputLoss.labels(alone, 1.0 / sample.targets());
        pass.backward(labels, AttentionTap.NONE, g, false);
        ops.addSquares(sum.total.flat(), g.flat(), 1f / samples.size());
      }
    }
    all.sum(sum.total.flat());
  }

  /** All samples, or as many as wanted; which ones depends on the seed and the stage only. */
  private List<Sample> choose(Context context) {
    int n = context.samples().size();
    if (settings.samples() == 0 || settings.samples() >= n) return context.samples();
    var random = setup.random(Seeds.Purpose.FISHER, context.index());
    int[] picks = SampledQueries.sample(n, settings.samples(), random).pos();
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

  @Override
  public Map<String, Object> used(Context context) {
    if (settings.lambda() == 0) return Map.of();
    return Map.of("fisher_samples", choose(context).size());
  }

  /** F of all finished tasks, as it is held; null before the first. */
  public Parameters fisher() {
    return fisher;
  }

  /** w* of the last finished task; null before the first. */
  public Parameters anchor() {
    return anchor;
  }

  /** They are kept in checkpoints, and nowhere else. */
  @Override
  public long storedBytes() {
    return fisher == null ? 0 : fisher.flat().bytes() + anchor.flat().bytes();
  }

  @Override
  public long stateBytes() {
    return Method.super.stateBytes() + 3 * 4 * setup.trainable().size();
  }

  @Override
  public void save(StateWriter to) {
    to.seldomChanges();
    if (fisher != null) {
      to.tensor("fisher", fisher.flat());
      to.tensor("anchor", anchor.flat());
    }
    if (estimate != null) {
      to.tensor("estimate", estimate.total.flat());
      to.put("seen", estimate.seen);
    }
  }

  @Override
  public void load(StateReader from) {
    if (from.hasTensor("fisher")) {
      allocate();
      from.tensor("fisher", fisher.flat());
      from.tensor("anchor", anchor.flat());
    }
    if (from.hasTensor("estimate")) {
      estimate = new Estimate();
      from.tensor("estimate", estimate.total.flat());
      estimate.seen = (int) from.whole("seen", 0, Integer.MAX_VALUE);
    }
  }

  @Override
  public void close() {
    if (estimate != null) estimate.close();
    memory.close();
    Method.super.close();
  }
}
