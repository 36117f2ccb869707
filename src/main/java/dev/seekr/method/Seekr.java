package dev.seekr.method;

import dev.seekr.Failure;
import dev.seekr.config.RunConfig;
import dev.seekr.config.RunConfig.HeadChoice;
import dev.seekr.config.RunConfig.Variant;
import dev.seekr.data.Queries;
import dev.seekr.data.Sample;
import dev.seekr.model.AttentionTap;
import dev.seekr.model.Checkpoint;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.Weights;
import dev.seekr.ops.AttentionRows;
import dev.seekr.ops.Ops;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * SEEKR (paper Algorithm 1): replay, distillation of stored logits, and distillation of stored
 * attention rows of the heads that matter,
 *
 * <pre>
 *   L = L_task + lambda1 L_replay + (1 - lambda1) L_ld + lambda2 L_seekr        Eq. 13
 * </pre>
 *
 * After each task: choose replay samples, score all heads by sensitivity and forgettability, select
 * heads within the budgets, sample query rows, and store what the model of that time says of them.
 * With lambda2 = 0 no head is scored and this is replay with logit distillation.
 */
public final class Seekr extends Replay {
  /** What the released code adds inside the logarithm of the student's attention. */
  private static final float RELEASED_EPS = 1e-8f;

  /** lambda2 of the paper at 1 % replay, and at 10 %. */
  private static final double FEW_REPLAYED = 1e3, MANY_REPLAYED = 1e2;

  private final RunConfig.Seekr settings;
  private final boolean paper;
  private double lambda2;
  private final Ops ops;
  private double[][] sensitivity, forgettability, importance; // [L][NH], over all tasks so far
  private final QueryChoice queryChoice;

  /** How the query rows of replay samples are chosen. */
  public interface QueryChoice {
    List<Queries> choose(Context context, List<Sample> samples);
  }

  /** Query rows at random, B_T a sample. */
  public Seekr(RunConfig config, int layers, Ops ops) {
    this(config, layers, ops, (context, samples) -> randomQueries(config, context, samples));
  }

  public Seekr(RunConfig config, int layers, Ops ops, QueryChoice queryChoice) {
    super(config, layers);
    this.ops = ops;
    this.queryChoice = queryChoice;
    settings = config.method().seekr();
    paper = settings.variant() == Variant.paper;
    lambda2 = settings.lambda2() == null ? FEW_REPLAYED : settings.lambda2();
  }

  /**
   * The model before the stage is needed when it ends, to see which heads moved; until then it lies
   * on disk.
   */
  @Override
  public void begin(Context context) {
    if (scored())
      SafetensorsWriter.write(before(context), context.model().weights.byName(), Map.of());
  }

  @Override
  protected void keep(Context context, List<Sample> chosen, Path folder) {
    boolean many = chosen.size() >= 0.05 * context.samples().size();
    if (settings.lambda2() == null && many) lambda2 = MANY_REPLAYED;
    DType dtype = DType.valueOf(config.method().bufferDtype().toUpperCase(Locale.ROOT));
    var queries = queryChoice.choose(context, chosen);
    int[][] heads = lambda2 == 0 || chosen.isEmpty() ? null : selectHeads(context, chosen, queries);
    new Teacher(context.model(), paper ? -1 : 0, heads, dtype, config.train().microTokens())
        .record(folder, chosen, queries);
  }

  private static List<Queries> randomQueries(
      RunConfig config, Context context, List<Sample> samples) {
    var random = new SplittableRandom(~config.train().seed() + 31L * context.index());
    int budget = config.method().seekr().queries();
    var queries = new ArrayList<Queries>();
    for (Sample s : samples) queries.add(Queries.sample(s.length(), budget, random));
    return queries;
  }

  /** I of all heads [L][NH] over the tasks so far; null before the first. */
  public double[][] importance() {
    return importance;
  }

  /** Whether heads are chosen by what the model does. */
  private boolean scored() {
    return lambda2 != 0 && settings.choice() != HeadChoice.random;
  }

  /** Eq. 8 to 11. */
  private int[][] selectHeads(Context context, List<Sample> chosen, List<Queries> queries) {
    if (scored()) accumulate(score(context, chosen, queries));
    else importance = chance(context);
    int NH = context.model().config.heads().NH();
    return HeadBudget.of(settings.layers(), settings.heads(), layers(), NH).select(importance);
  }

  /** Scores that depend on the seed and the stage only. */
  private double[][] chance(Context context) {
    var random = new SplittableRandom(~(31 * config.train().seed() + context.index()));
    double[][] scores = new double[layers()][context.model().config.heads().NH()];
    for (double[] layer : scores) Arrays.setAll(layer, h -> random.nextDouble());
    return scores;
  }

  private HeadImportance.Scores score(Context context, List<Sample> chosen, List<Queries> queries) {
    LlamaModel after = context.model();
    try (var memory = new Memory("previous model")) {
      var weights = new Weights(after.config, after.ops(), memory, "previous weights");
      Checkpoint.load(before(context), weights);
      Files.delete(before(context));
      try (var before = new LlamaModel(after.config, weights, after.ops(), false)) {
        return HeadImportance.scores(
            settings.variant(), after, before, chosen, queries, config.train().microTokens());
      }
    } catch (IOException e) {
      throw new Failure(Failure.Exit.IO, before(context) + ": cannot be deleted: " + e, e);
    }
  }

  /**
   * Sums over tasks: the paper multiplies the sums of S and F, the released code sums the products;
   * ablations take the sum of one.
   */
  private void accumulate(HeadImportance.Scores scores) {
    if (importance == null) {
      int NH = scores.s()[0].length;
      sensitivity = new double[layers()][NH];
      forgettability = new double[layers()][NH];
      importance = new double[layers()][NH];
    }
    for (int l = 0; l < importance.length; l++) {
      for (int h = 0; h < importance[l].length; h++) {
        sensitivity[l][h] += scores.s()[l][h];
        forgettability[l][h] += scores.f()[l][h];
        double product =
            paper
                ? sensitivity[l][h] * forgettability[l][h]
                : importance[l][h] + scores.s()[l][h] * scores.f()[l][h];
        importance[l][h] =
            switch (settings.choice()) {
              case both -> product;
              case sensitivity -> sensitivity[l][h];
              case forgettability -> forgettability[l][h];
              case random -> throw new IllegalStateException("chance needs no scores");
            };
      }
    }
  }

  private static Path before(Context context) {
    return context.folder().resolve("previous.safetensors");
  }

  @Override
  public Objective rehearse(List<Replayed> replayed, Step step) {
    double lambda1 = config.method().lambda1();
    double wNll = lambda1 / step.targets(), wDistill = (1 - lambda1) / step.targets();
    int targets = replayed.stream().mapToInt(r -> r.sample().targets()).sum();
    var memory = new Memory("objective");
    var distance = paper ? Ops.Distance.KL : Ops.Distance.CROSS_ENTROPY;
    var output = Distillation.output(replayed, wNll, wDistill, distance, memory);
    boolean attends = lambda2 != 0;
    double scale = lambda2 / step.samples();
    AttentionRows[] rows =
        attends
            ? Distillation.attention(replayed, scale, ops, memory)
            : new AttentionRows[layers()];
    var tap = AttentionTap.distill(rows, paper ? 0 : RELEASED_EPS);
    return new Objective(
        Replayed.batch(replayed),
        output,
        tap,
        memory,
        (result, done, losses) -> {
          losses.add("replay", result.nllSum(), targets, wNll * result.nllSum());
          losses.add("logits", result.distillSum(), targets, wDistill * result.distillSum());
          if (!attends) return;
          double weighted = Distillation.weightedKl(rows, done.kl);
          losses.add("attention", weighted / scale, replayed.size(), weighted);
        });
  }
}
