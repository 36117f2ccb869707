package dev.seekr.method;

import dev.seekr.config.L2pSettings;
import dev.seekr.data.Sample;
import dev.seekr.model.PromptChoice;
import dev.seekr.model.PromptParameters;
import dev.seekr.model.SoftPrompts;
import dev.seekr.state.Seeds;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
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
  private final L2pSettings settings;
  private long[] chosen; // [M] times in training
  private double[] penalty; // [M] in the stage under way; null: none
  private PromptChoice.ByKey choice; // of the step under way; null: the keys have changed

  public L2p(Setup setup) {
    super(setup);
    settings = setup.config().method().l2p();
  }

  @Override
  public void begin(Context context) {
    if (trained == null) {
      makePool();
      fromVocabulary(trained.rows(), context);
      trained.more(0).copyFrom(randomKeys());
    }
    penalty = settings.penalty() && context.index() > 0 ? penalty(chosen) : null;
    choice = null;
  }

  @Override
  public void beforeStep(Step step) {
    choice = null;
  }

  /** Each prompt's share of all choices, as if each had been chosen once more. */
  private static double[] penalty(long[] chosen) {
    double all = Arrays.stream(chosen).sum() + chosen.length;
    return Arrays.stream(chosen).mapToDouble(c -> (c + 1) / all).toArray();
  }

  private void makePool() {
    int M = settings.pool(), C = C();
    trained =
        new PromptParameters(
            ops, memory, "prompts", 0, new long[] {(long) M * length(), C}, new long[] {M, C});
    chosen = new long[M];
  }

  private float[] randomKeys() {
    var random = setup.random(Seeds.Purpose.PROMPT_NETWORK);
    double bound = 1 / Math.sqrt(C());
    float[] drawn = new float[settings.pool() * C()];
    for (int i = 0; i < drawn.length; i++) drawn[i] = (float) random.nextDouble(-bound, bound);
    return drawn;
  }

  private PromptChoice.ByKey training() {
    if (choice == null) choice = byKey(penalty);
    return choice;
  }

  private PromptChoice.ByKey byKey(double[] penalty) {
    Tensor wte = setup.model().weights.wte;
    return new PromptChoice.ByKey(ops, wte, trained.more(0), length(), settings.picks(), penalty);
  }

  @Override
  int[] rows(Sample sample) {
    return training().rows("", sample.prompt());
  }

  /** The loss that draws keys to queries, of all samples of the step, and its gradient. */
  @Override
  public void addTo(Gradients step) {
    Tensor keys = ((PromptParameters) step.g()).more(0);
    double[] pull = new double[Math.toIntExact(keys.size())];
    var losses = step.losses();
    for (var fresh : step.step().fresh()) {
      double weight = settings.lambda() * fresh.weight();
      losses.add("keys", distance(fresh.sample()), 1, weight);
      draw(fresh.sample(), weight, pull);
    }
    float[] g = keys.toFloats();
    for (int i = 0; i < pull.length; i++) g[i] = (float) (g[i] + pull[i]);
    keys.copyFrom(g);
  }

  /** Counts a sample's picks; the gradient of its key loss, weighted, is added to {@code pull}. */
  private void draw(Sample sample, double weight, double[] pull) {
    var choice = training();
    double[] q = choice.query(sample.prompt());
    for (int m : choice.prompts(q)) {
      chosen[m]++;
      double cos = choice.cosine(q, m), squares = 0;
      int at = m * q.length;
      double[] key = choice.key(m);
      for (double k : key) squares += k * k;
      double norm = Math.max(Math.sqrt(squares), 1e-12);
      for (int c = 0; c < q.length; c++)
        pull[at + c] -= weight * (q[c] - cos * key[c] / norm) / norm;
    }
  }

  /** The prompts of a training sample in the step under way, nearest first. */
  public int[] picks(Sample sample) {
    return training().prompts(training().query(sample.prompt()));
  }

  /** The key loss of a training sample in the step under way: sum of 1 - cos over its picks. */
  public double distance(Sample sample) {
    var choice = training();
    double[] q = choice.query(sample.prompt());
    return Arrays.stream(choice.prompts(q)).mapToDouble(m -> 1 - choice.cosine(q, m)).sum();
  }

  /** [M] how often each prompt was chosen in training so far; null before the first stage. */
  public long[] chosen() {
    return chosen == null ? null : chosen.clone();
  }

  @Override
  public SoftPrompts prompts() {
    return trained == null ? null : new SoftPrompts(trained.rows(), byKey(null));
  }

  @Override
  public void save(StateWriter to) {
    if (chosen != null) to.put("chosen", chosen);
    if (penalty != null) to.put("penalty", penalty);
  }

  @Override
  public void load(StateReader from) {
    if (!from.has("chosen")) return;
    makePool();
    chosen = from.get("chosen", long[].class);
    if (chosen.length != settings.pool() || Arrays.stream(chosen).anyMatch(c -> c < 0))
      throw from.wrong("chosen", "%d counts".formatted(settings.pool()));
    if (!from.has("penalty")) return;
    penalty = from.get("penalty", double[].class);
    if (penalty.length != settings.pool() || !Arrays.stream(penalty).allMatch(p -> p > 0 && p <= 1))
      throw from.wrong("penalty", "%d shares above 0".formatted(settings.pool()));
  }
}
