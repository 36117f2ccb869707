package dev.seekr.method;

import dev.seekr.data.Batch;
import dev.seekr.data.Batcher;
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
import java.util.Arrays;
import java.util.List;

/**
 * A-GEM (Chaudhry et al. 2019): samples of finished tasks are kept, not to be trained on, but so
 * that no step goes against them. With g the gradient of a step and r that of the mean loss on a
 * few stored samples, drawn anew each step,
 *
 * <pre>
 *   g &lt;- g - (g.r / r.r) r        where g.r &lt; 0        their Eq. 11
 * </pre>
 */
public final class AGem extends Replay {
  private final Memory memory = new Memory("reference gradient");
  private Parameters reference; // r; null before it is first needed
  private int stage;

  public AGem(Setup setup) {
    super(setup);
  }

  @Override
  public String undivided() {
    return "it turns the whole gradient";
  }

  @Override
  public void begin(Context context) {
    super.begin(context);
    stage = context.index();
  }

  /** Stored samples are not trained on. */
  @Override
  public List<Replayed> replay() {
    return List.of();
  }

  @Override
  public int replays(List<Context> finished) {
    return 0;
  }

  /**
   * Logged as "reference": the mean loss on the stored samples drawn, which is no part of the loss.
   */
  @Override
  public void addTo(Gradients step) {
    List<Sample> samples = draw(step.step());
    if (samples.isEmpty()) return;
    Ops ops = setup.ops();
    if (reference == null) reference = step.g().like(ops, memory, "reference gradient");
    int targets = samples.stream().mapToInt(Sample::targets).sum();
    step.losses().add("reference", refer(samples, targets), targets, 0);
    var g = step.g().flat();
    var r = reference.flat();
    double along = ops.dot(g, r), squares = ops.dot(r, r);
    if (along < 0) ops.addScaled(g, r, (float) (-along / squares));
  }

  private List<Sample> draw(Step step) {
    List<Replayed> stored = stored();
    int n = Math.min(stored.size(), setup.config().method().agem().samples());
    var random = setup.random(Seeds.Purpose.REFERENCE, stage, step.number());
    int[] picks = n == 0 ? new int[0] : SampledQueries.sample(stored.size(), n, random).pos();
    return Arrays.stream(picks).mapToObj(i -> stored.get(i).sample()).toList();
  }

  /** Makes r the gradient of the samples' mean loss; returns the sum over their target tokens. */
  private double refer(List<Sample> samples, int targets) {
    LlamaModel model = model();
    double sum = 0;
    boolean add = false;
    int micro = setup.config().train().microTokens();
    for (List<Sample> pass : Batcher.pack(samples, Sample::length, micro)) {
      var batch = new Batch(pass);
      var forward = model.forward(batch);
      var labels = OutputLoss.labels(batch, 1.0 / targets);
      sum += forward.backward(labels, AttentionTap.NONE, reference, add).losses().nllSum();
      add = true;
    }
    return sum;
  }

  @Override
  public void save(StateWriter to) {
    super.save(to);
    to.put("stage", stage);
  }

  @Override
  public void load(StateReader from) {
    super.load(from);
    stage = (int) from.whole("stage", 0, Integer.MAX_VALUE);
  }

  @Override
  public void close() {
    super.close();
    memory.close();
  }
}
