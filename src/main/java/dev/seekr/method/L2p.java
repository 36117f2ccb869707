package dev.seekr.method;

import dev.seekr.config.RunConfig;
import dev.seekr.data.Batch;
import dev.seekr.data.Sample;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.Parameters;
import dev.seekr.model.PromptChoice;
import dev.seekr.model.PromptParameters;
import dev.seekr.model.SoftPrompts;
import dev.seekr.ops.Ops;
import dev.seekr.tensor.Tensor;
import java.util.Arrays;

/**
 * Learning to prompt (Wang et al. 2022): a pool of prompts with keys serves all tasks. An input is
 * given the prompts whose keys are nearest to its query q, the mean of its frozen embeddings, and
 * draws those keys to itself:
 *
 * <pre>
 *   L = L_task + lambda mean_s sum_{m chosen for s} (1 - cos(q_s, k_m))
 * </pre>
 *
 * While a task is trained, distances are multiplied by how often earlier tasks chose a prompt: its
 * share of all choices, each prompt counted once more than it was chosen.
 */
public final class L2p extends PromptTuning {
  private final RunConfig.L2p settings;
  private final int length;
  private long[] chosen; // [M] times in training
  private PromptChoice.ByKey choice, training; // with the penalty, in training
  private double[] pull; // [M,C] gradient of the key loss in the step so far

  public L2p(RunConfig config, int layers, Ops ops) {
    super(config, layers, ops);
    settings = config.method().l2p();
    length = config.method().prompt().length();
  }

  @Override
  public void begin(Context context) {
    if (trained == null) makePool(context);
    double[] penalty = null;
    if (settings.penalty() && context.index() > 0) {
      double all = Arrays.stream(chosen).sum() + chosen.length;
      penalty = Arrays.stream(chosen).mapToDouble(c -> (c + 1) / all).toArray();
    }
    training =
        new PromptChoice.ByKey(choice.wte(), choice.keys(), length, settings.picks(), penalty);
  }

  private void makePool(Context context) {
    int M = settings.pool(), C = context.model().config.C();
    trained =
        new PromptParameters(
            ops, memory, "prompts", 0, new long[] {(long) M * length, C}, new long[] {M, C});
    fromVocabulary(trained.rows(), context);
    Tensor keys = trained.more(0);
    var random = random(context).split();
    double bound = 1 / Math.sqrt(C);
    float[] drawn = new float[M * C];
    for (int i = 0; i < drawn.length; i++) drawn[i] = (float) random.nextDouble(-bound, bound);
    keys.copyFrom(drawn);
    chosen = new long[M];
    pull = new double[M * C];
    choice =
        new PromptChoice.ByKey(context.model().weights.wte, keys, length, settings.picks(), null);
    context.model().prompt(trained.rows());
  }

  @Override
  int[] rows(Sample sample) {
    return training.rows("", sample.prompt());
  }

  @Override
  public Objective learn(Batch batch, Step step) {
    double weight = settings.lambda() / step.samples(), sum = 0;
    for (Sample sample : batch.samples()) sum += draw(sample, weight);
    double keys = sum;
    var task = super.learn(batch, step);
    return new Objective(
        task.batch(),
        task.output(),
        task.tap(),
        task.memory(),
        (result, tap, losses) -> {
          task.booking().book(result, tap, losses);
          losses.add("keys", keys, batch.S(), weight * keys);
        });
  }

  /** The key loss of a sample; its gradient, weighted, is added to {@link #pull}. */
  private double draw(Sample sample, double weight) {
    double[] q = training.query(sample.prompt());
    double loss = 0;
    for (int m : training.prompts(q)) {
      chosen[m]++;
      double cos = training.cosine(q, m), squares = 0;
      int at = m * q.length;
      double[] key = choice.keys().rows(m, m + 1).toDoubles();
      for (double k : key) squares += k * k;
      double norm = Math.max(Math.sqrt(squares), 1e-12);
      for (int c = 0; c < q.length; c++)
        pull[at + c] -= weight * (q[c] - cos * key[c] / norm) / norm;
      loss += 1 - cos;
    }
    return loss;
  }

  @Override
  public double regularize(LlamaModel model, Parameters w, Parameters g, Losses losses) {
    Tensor keys = ((PromptParameters) g).more(0);
    float[] sum = keys.toFloats();
    for (int i = 0; i < pull.length; i++) sum[i] = (float) (sum[i] + pull[i]);
    keys.copyFrom(sum);
    Arrays.fill(pull, 0);
    return super.regularize(model, w, g, losses);
  }

  /** How often each prompt was chosen in training so far. */
  long[] chosen() {
    return chosen.clone();
  }

  @Override
  public SoftPrompts prompts() {
    return trained == null ? null : new SoftPrompts(trained.rows(), choice);
  }
}
