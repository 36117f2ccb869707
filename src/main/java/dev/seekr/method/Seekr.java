package dev.seekr.method;

import dev.seekr.config.SeekrSettings;
import dev.seekr.config.SeekrSettings.HeadChoice;
import dev.seekr.config.SeekrSettings.Variant;
import dev.seekr.data.Sample;
import dev.seekr.data.SampledQueries;
import dev.seekr.model.AttentionTap;
import dev.seekr.model.OutputLoss;
import dev.seekr.ops.Ops;
import dev.seekr.state.Seeds;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import dev.seekr.tensor.Memory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

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

  /** lambda2 of the paper at 1 % replay, and at 10 %; from what share on the latter is taken. */
  private static final double FEW_REPLAYED = 1e3, MANY_REPLAYED = 1e2, MANY = 0.05;

  private final SeekrSettings settings;
  private final boolean paper;
  private final QueryChoice queryChoice;
  private double lambda2;
  private Importance importance; // over all tasks so far; null before the first
  private final WeightsBefore before;

  /** How the query rows of replay samples are chosen. */
  public interface QueryChoice {
    List<SampledQueries> choose(Context context, List<Sample> samples);
  }

  /** Query rows at random, B_T a sample, or all of them. */
  public Seekr(Setup setup) {
    this(setup, (context, samples) -> randomQueries(setup, context, samples));
  }

  public Seekr(Setup setup, QueryChoice queryChoice) {
    super(setup);
    this.queryChoice = queryChoice;
    settings = setup.config().method().seekr();
    before = new WeightsBefore(setup);
    paper = settings.variant() == Variant.paper;
    lambda2 = settings.lambda2() == null ? FEW_REPLAYED : settings.lambda2();
  }

  @Override
  public void begin(Context context) {
    super.begin(context);
    if (scored()) before.begin(context);
  }

  @Override
  protected Runnable keep(Context context, List<Sample> chosen, Path folder) {
    boolean many = many(chosen.size(), context);
    double weight = weight(many);
    var queries = queryChoice.choose(context, chosen);
    boolean attends = weight != 0 && !chosen.isEmpty();
    Importance sum = attends ? importance(context, chosen, queries) : importance;
    int[][] heads = attends ? budget(many).select(sum.i()).heads() : null;
    var teacher =
        new Teacher(
            model(),
            paper ? -1 : 0,
            heads,
            setup.bufferType(),
            setup.config().train().microTokens());
    teacher.record(folder, chosen, queries, setup.all());
    return () -> {
      lambda2 = weight;
      importance = sum;
      before.end();
    };
  }

  /** Beside what is kept of the tasks: lambda2 and the budgets after each. */
  @Override
  public Map<String, String> comesTo(List<Context> stages) {
    var comesTo = super.comesTo(stages);
    var weights = new LinkedHashSet<String>();
    var layers = new LinkedHashSet<String>();
    var heads = new LinkedHashSet<String>();
    int L = setup.L(), NH = setup.model().config.heads().NH();
    for (Context stage : stages) {
      boolean many = many(wanted(stage.samples().size()), stage);
      int chosen = Math.min(budget(many).layers(), L);
      weights.add("%.4g".formatted(weight(many)));
      layers.add("%d of %d".formatted(chosen, L));
      heads.add("%d of %d".formatted(Math.min(budget(many).heads(), chosen * NH), L * NH));
    }
    comesTo.put("lambda2", String.join(", ", weights));
    comesTo.put("layers", String.join(", ", layers));
    comesTo.put("heads", String.join(", ", heads));
    int rows = settings.queries();
    comesTo.put("rows", rows == 0 ? "all" : "%d a sample at most".formatted(rows));
    return comesTo;
  }

  /** lambda2 where many samples are kept, or few. */
  private double weight(boolean many) {
    if (settings.lambda2() != null) return settings.lambda2();
    return many ? MANY_REPLAYED : FEW_REPLAYED;
  }

  private static boolean many(int kept, Context context) {
    return kept >= MANY * context.samples().size();
  }

  /**
   * By sensitivity alone heads are chosen over all layers: it sums to 1 in each, so that a choice
   * of layers would be one by rounding.
   */
  public HeadBudget budget(boolean many) {
    var shape = setup.model().config;
    boolean large = shape.parameters() >= HeadBudget.LARGE;
    var budget =
        HeadBudget.of(setup.L(), shape.heads().NH(), large, many)
            .or(settings.layers(), settings.heads());
    boolean all = settings.choice() == HeadChoice.sensitivity;
    return all ? new HeadBudget(setup.L(), budget.heads()) : budget;
  }

  private static List<SampledQueries> randomQueries(
      Setup setup, Context context, List<Sample> samples) {
    var random = setup.random(Seeds.Purpose.QUERIES, context.index());
    int budget = setup.config().method().seekr().queries();
    var queries = new ArrayList<SampledQueries>();
    for (Sample s : samples)
      queries.add(
          budget == 0
              ? SampledQueries.all(s.length())
              : SampledQueries.sample(s.length(), budget, random));
    return queries;
  }

  /** I of all heads [L][NH] over the tasks so far; null before the first. */
  public double[][] importance() {
    return importance == null ? null : importance.i();
  }

  /** By chance alone, neither S nor F is known. */
  @Override
  public HeadScores heads(Context context) {
    var buffer = buffer(context);
    if (lambda2 == 0 || buffer.size() == 0) return null;
    var selected = HeadScores.mask(buffer.heads(), setup.model().config.heads().NH());
    return scored()
        ? new HeadScores(importance.s(), importance.f(), importance.i(), selected)
        : new HeadScores(null, null, importance.i(), selected);
  }

  /** Sums over the tasks so far, with {@link #importance}; null before the first. */
  public Importance scores() {
    return importance;
  }

  /** Weights, budgets and what they came to: layers and heads that are distilled. */
  @Override
  public Map<String, Object> used(Context context) {
    var used = super.used(context);
    var buffer = buffer(context);
    used.put("lambda1", setup.config().method().lambda1());
    used.put("lambda2", lambda2);
    used.put("queries", settings.queries());
    if (lambda2 == 0 || buffer.size() == 0) {
      used.put("heads", 0);
      return used;
    }
    var budget = budget(many(buffer.size(), context));
    used.put("choice", settings.choice().name());
    used.put("layer_budget", budget.layers());
    used.put("head_budget", budget.heads());
    used.put("layers", Distillation.layers(buffer.heads()));
    used.put("heads", Arrays.stream(buffer.heads()).mapToInt(h -> h.length).sum());
    var ties = budget.select(importance.i()).ties();
    if (!ties.isEmpty()) used.put("ties", ties);
    return used;
  }

  /** Whether heads are chosen by what the model does. */
  private boolean scored() {
    return lambda2 != 0 && settings.choice() != HeadChoice.random;
  }

  /** With this task. */
  private Importance importance(
      Context context, List<Sample> chosen, List<SampledQueries> queries) {
    int NH = setup.model().config.heads().NH();
    if (!scored()) {
      double[][] chance = chance(context, NH);
      return new Importance(chance, chance, chance);
    }
    Importance sum = importance == null ? Importance.none(setup.L(), NH) : importance;
    return sum.plus(score(context, chosen, queries), paper, settings.choice());
  }

  /** Scores that depend on the seed and the stage only. */
  private double[][] chance(Context context, int NH) {
    var random = setup.random(Seeds.Purpose.HEADS, context.index());
    double[][] scores = new double[setup.L()][NH];
    for (double[] layer : scores) Arrays.setAll(layer, h -> random.nextDouble());
    return scores;
  }

  private HeadImportance.Scores score(
      Context context, List<Sample> chosen, List<SampledQueries> queries) {
    int micro = setup.config().train().microTokens();
    try (var memory = new Memory("previous model");
        var then = before.model(context, memory)) {
      boolean allRows = settings.queries() == 0;
      return HeadImportance.scores(
          settings.variant(), model(), then, chosen, queries, allRows, micro, setup.all());
    }
  }

  @Override
  public Objective rehearse(List<Replayed> replayed, Step step) {
    double lambda1 = setup.config().method().lambda1();
    double wNll = lambda1 * step.replayedToken();
    double wDistill = (1 - lambda1) * step.replayedToken();
    int targets = Replayed.targets(replayed);
    var buffer = replayed.getFirst().buffer();
    var distance = paper ? Ops.Distance.KL : Ops.Distance.CROSS_ENTROPY;
    double scale = lambda2 * step.replayedSample();
    var memory = new Memory("objective");
    OutputLoss output;
    Distillation.Taught rows = null;
    try (var stored = Replayed.open(replayed)) {
      var entries = stored.signals();
      int shift = buffer.logitsShift();
      output = Distillation.output(entries, shift, wNll, wDistill, distance, setup.ops(), memory);
      if (lambda2 != 0)
        rows = Distillation.attention(buffer.heads(), entries, scale, setup.ops(), memory);
    }
    var taught = rows;
    return new Objective(
        Replayed.batch(replayed),
        output,
        rows == null
            ? AttentionTap.NONE
            : AttentionTap.distill(rows.queries(), paper ? 0 : RELEASED_EPS),
        memory,
        (tapped, losses) -> {
          Distillation.book(tapped.losses(), targets, wNll, wDistill, losses);
          if (taught == null) return;
          double weighted = taught.weighted(tapped.kl());
          losses.add("attention", weighted / scale, replayed.size(), scale);
        });
  }

  @Override
  protected long storedBytes(Sample sample) {
    int heads = Math.min(budget(false).heads(), setup.L() * setup.model().config.heads().NH());
    int most = settings.queries() == 0 ? sample.length() : settings.queries();
    long entries = (long) Math.min(most, sample.length()) * sample.length();
    long rows = lambda2 == 0 ? 0 : heads * entries * setup.bufferType().bytes;
    return super.storedBytes(sample) + logitBytes(sample) + rows;
  }

  @Override
  public DiskNeed diskNeed(Context context) {
    long previous = scored() ? WeightsBefore.bytes(setup) : 0;
    return new DiskNeed(super.diskNeed(context).kept(), previous);
  }

  @Override
  public void save(StateWriter to) {
    super.save(to);
    to.put("lambda2", lambda2);
    before.save(to);
    if (importance != null) importance.save(to.section("importance"));
  }

  @Override
  public void load(StateReader from) {
    super.load(from);
    lambda2 = from.get("lambda2", Double.class);
    before.load(from);
    int NH = setup.model().config.heads().NH();
    if (from.has("importance"))
      importance = Importance.load(from.section("importance"), setup.L(), NH);
  }
}
