package dev.seekr.method;

import dev.seekr.config.Lfpt5Settings;
import dev.seekr.data.Batch;
import dev.seekr.data.Sample;
import dev.seekr.model.AttentionTap;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.OutputLoss;
import dev.seekr.model.PromptChoice;
import dev.seekr.model.PromptParameters;
import dev.seekr.model.SoftPrompts;
import dev.seekr.ops.Ops;
import dev.seekr.state.Seeds;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import dev.seekr.tensor.Memory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * LFPT5 (Qin and Joty 2021) for a decoder alone: one soft prompt P goes on from task to task and
 * learns to solve, and beside it a row G learns to make the task's samples,
 *
 * <pre>
 *   solve     [P; x; y]               loss on y
 *   generate  [P; G; x; EOS; y]       loss on x, EOS and y, a mean over each sample
 *   L = L_solve + lambda_lm L_generate + L_replay + lambda_kl KL(P then || P now)
 * </pre>
 *
 * When a task is done, {@link PseudoSamples} of it are generated, and replayed from then on with
 * what the prompt then said of them. G begins anew with each task; no true sample is kept.
 */
public final class Lfpt5 extends PromptTuning {
  private final Lfpt5Settings settings;
  private final DerPlusPlus pseudo; // keeps and gives out pseudo samples
  private final int n;
  private final int[] rows; // of P

  public Lfpt5(Setup setup) {
    super(setup);
    settings = setup.config().method().lfpt5();
    pseudo =
        new DerPlusPlus(setup) {
          @Override
          public LlamaModel model() {
            return Lfpt5.this.model();
          }
        };
    n = length();
    rows = IntStream.range(0, n).toArray();
  }

  @Override
  public void begin(Context context) {
    if (trained == null) {
      makePrompt();
      fromVocabulary(trained.rows(), context);
    }
    fromVocabulary(trained.rows().rows(n, n + 1), context);
  }

  private void makePrompt() {
    trained = new PromptParameters(ops, memory, "prompts", 0, new long[] {n + 1, C()});
  }

  @Override
  int[] rows(Sample sample) {
    return rows;
  }

  /** Ids of P and G. */
  private int[] generating() {
    return SoftPrompts.ids(IntStream.rangeClosed(0, n).toArray());
  }

  @Override
  public Objective learn(Batch batch, Step step) {
    if (settings.lambdaLm() == 0) return super.learn(batch, step);
    Batch solve = prompted(batch);
    var all = new ArrayList<>(solve.samples());
    for (Sample s : batch.samples())
      all.add(PseudoSamples.written(s, bos(), eos(s)).after(generating()));
    var both = new Batch(all);
    double wSolve = step.freshToken(), wLm = settings.lambdaLm() * step.freshSample();
    float[] weight = new float[both.S()];
    for (int s = 0; s < weight.length; s++)
      weight[s] = (float) (s < batch.S() ? wSolve : wLm / all.get(s).targets());
    return new Objective(
        both,
        OutputLoss.labels(both, weight),
        AttentionTap.NONE,
        new Memory("objective"),
        (tapped, losses) -> {
          double[] nll = tapped.losses().nll();
          double task = 0, lm = 0;
          int r = 0;
          for (; r < batch.targets(); r++) task += nll[r];
          for (int s = batch.S(); s < both.S(); s++) {
            double sum = 0;
            for (int t = 0; t < all.get(s).targets(); t++) sum += nll[r++];
            lm += sum / all.get(s).targets();
          }
          losses.add("task", task, batch.targets(), wSolve);
          losses.add("generation", lm, batch.S(), wLm);
        });
  }

  private int bos() {
    return setup.config().data().bos() ? 1 : 0;
  }

  private int eos(Sample sample) {
    return PseudoSamples.eos(sample, setup.model().config.eos());
  }

  @Override
  public void end(Context context) {
    keep(context, pseudoSamples(context));
  }

  /** Of the task just trained, as the prompt and its G make them. */
  List<Sample> pseudoSamples(Context context) {
    var random = setup.random(Seeds.Purpose.PSEUDO_SAMPLES, context.index());
    return new PseudoSamples(this, context, generating(), random)
        .generate(pseudo.wanted(context.samples().size()));
  }

  /** From now on these are replayed. */
  public void keep(Context context, List<Sample> samples) {
    int[] solving = SoftPrompts.ids(rows);
    pseudo.remember(context, samples.stream().map(s -> s.after(solving)).toList());
  }

  @Override
  public Map<String, String> comesTo(List<Context> stages) {
    return pseudo.comesTo(stages);
  }

  /** At most: as many as are wanted may not be made. */
  @Override
  public int replays(List<Context> finished) {
    return pseudo.replays(finished);
  }

  @Override
  public List<Replayed> replay() {
    return pseudo.replay();
  }

  @Override
  public Objective rehearse(List<Replayed> replayed, Step step) {
    return Distillation.labelsAndLogits(
        replayed, 1, settings.lambdaKl(), Ops.Distance.KL, step, setup.ops());
  }

  @Override
  public SoftPrompts prompts() {
    if (trained == null) return null;
    return new SoftPrompts(trained.rows(), new PromptChoice.ByTask(Map.of(), rows));
  }

  /** Kept are pseudo samples, fewer than were wanted where the model makes none that will do. */
  @Override
  public Map<String, Object> used(Context context) {
    var used = pseudo.used(context);
    used.put("wanted", pseudo.wanted(context.samples().size()));
    return used;
  }

  @Override
  public long storedBytes() {
    return pseudo.storedBytes();
  }

  @Override
  public DiskNeed diskNeed(Context context) {
    return pseudo.diskNeed(context);
  }

  @Override
  public void save(StateWriter to) {
    to.put("made", trained != null);
    pseudo.save(to);
  }

  @Override
  public void load(StateReader from) {
    if (from.get("made", Boolean.class)) makePrompt();
    pseudo.load(from);
  }
}
