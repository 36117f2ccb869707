package dev.seekr.method;

import dev.seekr.config.DataSettings;
import dev.seekr.config.DataSettings.GeneralLoss;
import dev.seekr.data.Batch;
import dev.seekr.data.ReplayBuffer;
import dev.seekr.data.Sample;
import dev.seekr.model.AttentionTap;
import dev.seekr.model.OutputLoss;
import dev.seekr.ops.Ops;
import dev.seekr.state.Seeds;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import dev.seekr.state.Stateful;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Samples of no task, mixed into every task whatever the method, so that what the model could do
 * before is not lost. They teach their own answers, or
 *
 * <pre>
 *   L_general = KL(initial || now)        mean over the rows that predict answer tokens
 * </pre>
 *
 * where the initial model's logits are recorded once, before the first task.
 */
public final class General implements Stateful {
  private final Setup setup;
  private final List<Sample> samples;
  private RecordedLogits said; // by the initial model; null: it is not compared with, or not yet

  private General(Setup setup, List<Sample> samples) {
    this.setup = setup;
    this.samples = List.copyOf(samples);
  }

  /** Of these samples; null where there are none. */
  public static General of(Setup setup, List<Sample> samples) {
    return samples.isEmpty() ? null : new General(setup, samples);
  }

  private boolean compares() {
    return setup.config().data().generalLoss() == GeneralLoss.kl;
  }

  /**
   * Before each stage: the first time the model is the initial one, and what it says is recorded.
   * It may be given up at any pass, and is then begun anew.
   */
  public void begin() {
    if (!compares() || said != null) return;
    Path folder = setup.folder().general();
    int micro = setup.config().train().microTokens();
    new Teacher(setup.model(), -1, null, setup.bufferType(), micro)
        .record(folder, samples, null, setup.all());
    said = new RecordedLogits(folder);
  }

  /** How many go with n new samples, so that they have their share of both. */
  public int count(int n) {
    return count(setup.config().data(), n);
  }

  /** The same by the settings alone, where there are such samples. */
  public static int count(DataSettings data, int n) {
    double share = data.generalShare();
    return Math.toIntExact(Math.round(share / (1 - share) * n));
  }

  /** So many for an epoch: all of them, shuffled by seed, stage and epoch, as often as it takes. */
  public List<Sample> draw(int n, int stage, int epoch) {
    var random = setup.random(Seeds.Purpose.GENERAL, stage, epoch);
    var drawn = new ArrayList<Sample>();
    while (drawn.size() < n) {
      var shuffled = new ArrayList<>(samples);
      Collections.shuffle(shuffled, random);
      drawn.addAll(shuffled.subList(0, Math.min(n - drawn.size(), shuffled.size())));
    }
    return drawn;
  }

  /** Logged as "general". Pure, as {@link Method#learn}. */
  public Objective objective(Method method, Batch batch, Step step) {
    Batch read = method.prompted(batch);
    double weight = step.generalToken();
    var memory = new Memory("objective");
    var output =
        compares() ? recorded(batch, read, weight, memory) : OutputLoss.labels(read, weight);
    return new Objective(
        read,
        output,
        AttentionTap.NONE,
        memory,
        (tapped, losses) -> {
          var result = tapped.losses();
          double sum = compares() ? result.distillSum() : result.nllSum();
          losses.add("general", sum, output.R(), weight);
        });
  }

  /** The rows of labels, taught by what was recorded and by no label. */
  private OutputLoss recorded(Batch batch, Batch read, double weight, Memory memory) {
    var labels = OutputLoss.labels(read, weight);
    int R = labels.R();
    Tensor teacher = said.of(batch.samples(), 1, setup.ops(), memory);
    int[] none = new int[R];
    Arrays.fill(none, -1);
    float[] distill = new float[R];
    Arrays.fill(distill, (float) weight);
    int[] inOrder = IntStream.range(0, R).toArray();
    return new OutputLoss(
        labels.rows(), none, new float[R], teacher, inOrder, distill, Ops.Distance.KL, 1);
  }

  /** Bytes on disk that are recorded. */
  public long bytes() {
    if (!compares()) return 0;
    long row = (long) setup.model().config.V() * setup.bufferType().bytes;
    return samples.stream().mapToLong(s -> s.targets() * row).sum();
  }

  @Override
  public void save(StateWriter to) {
    to.put("recorded", said != null);
    if (said != null) to.file(ReplayBuffer.index(setup.folder().general()));
  }

  @Override
  public void load(StateReader from) {
    if (!from.get("recorded", Boolean.class)) return;
    said = new RecordedLogits(setup.folder().general());
    if (said.size() != samples.size())
      throw from.wrong("recorded", "what was said of %d samples".formatted(samples.size()));
  }
}
