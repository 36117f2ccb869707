package dev.seekr.method;

import dev.seekr.config.PpSettings;
import dev.seekr.data.Sample;
import dev.seekr.model.PromptChoice;
import dev.seekr.model.PromptParameters;
import dev.seekr.model.SoftPrompts;
import dev.seekr.ops.Ops;
import dev.seekr.state.Seeds;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Progressive prompts (Razdaibiedina et al. 2023): each task learns a prompt of its own, which
 * stands before those of all earlier tasks; these are frozen, as are the weights. While it is
 * trained a prompt comes through a residual network, here a feed-forward block as the model has
 * them:
 *
 * <pre>
 *   input of task t = [P_t; ...; P_1; x]        P = E + swiglu(norm(E) Wgu^T) Wdown^T
 * </pre>
 *
 * E [n,C], Wgu [2H,C], Wdown [C,H] are trained; P alone is kept. Wdown begins at zero.
 */
public final class ProgressivePrompts extends PromptTuning {
  private final PpSettings settings;
  private final int n;
  private final Map<String, int[]> byTask = new LinkedHashMap<>(); // rows before a task's inputs
  private int[] rows = new int[0]; // of all prompts so far, newest first
  private Memory stage; // what lives as long as a task is trained, and the table until the next one
  private Tensor table; // [tasks n, C]
  private Residual residual; // null: E is P

  public ProgressivePrompts(Setup setup) {
    super(setup);
    settings = setup.config().method().pp();
    n = length();
  }

  @Override
  public void begin(Context context) {
    grow(context.index(), context.name());
    fromVocabulary(trained.rows(), context);
    if (residual != null) {
      var random = setup.random(Seeds.Purpose.PROMPT_NETWORK, context.index());
      float[] wgu = new float[Math.toIntExact(trained.more(0).size())];
      for (int i = 0; i < wgu.length; i++) wgu[i] = (float) (0.02 * random.nextGaussian());
      trained.more(0).copyFrom(wgu);
    }
    refresh();
  }

  @Override
  protected Tensor table() {
    return table;
  }

  /** A table with room for one more prompt, and what trains it. */
  private void grow(int task, String name) {
    int first = task * n, C = C(), H = settings.hidden();
    var before = stage;
    stage = new Memory("prompts");
    Tensor grown = ops.allocate(stage, "prompts", first + n, C);
    if (table != null) grown.rows(0, first).copyFrom(table);
    table = grown;
    if (before != null) before.close();
    long[] prompt = {n, C};
    trained =
        H == 0
            ? new PromptParameters(ops, stage, "prompts", first, prompt)
            : new PromptParameters(
                ops, stage, "prompts", first, prompt, new long[] {2L * H, C}, new long[] {C, H});
    residual = H == 0 ? null : new Residual(ops, trained, setup.model().config.eps(), stage);
    rows = IntStream.concat(IntStream.range(first, first + n), IntStream.of(rows)).toArray();
    byTask.put(name, rows);
  }

  /** The prompt as the network now gives it. */
  private void refresh() {
    Tensor p = table.rows(trained.first, trained.first + n);
    p.copyFrom(trained.rows());
    if (residual != null) residual.forward(p);
  }

  @Override
  int[] rows(Sample sample) {
    return rows;
  }

  @Override
  public void beforeStep(Step step) {
    refresh();
  }

  @Override
  public void addTo(Gradients step) {
    if (residual != null) residual.backward((PromptParameters) step.g());
  }

  @Override
  public void end(Context context) {
    refresh();
  }

  @Override
  public SoftPrompts prompts() {
    if (table == null) return null;
    return new SoftPrompts(
        table, new PromptChoice.ByTask(settings.byTask() ? byTask : Map.of(), rows));
  }

  @Override
  public void save(StateWriter to) {
    to.put("tasks", byTask.keySet());
    if (table != null) to.tensor("table", table);
  }

  @Override
  public void load(StateReader from) {
    String[] tasks = from.get("tasks", String[].class);
    if (tasks.length == 0) return;
    long[] shape = from.shape("table");
    long held = shape.length == 2 ? shape[0] : 0;
    boolean named = new HashSet<>(Arrays.asList(tasks)).size() == tasks.length;
    if (!named || Arrays.asList(tasks).contains(null) || held != (long) tasks.length * n)
      throw from.wrong("tasks", "names of those that the table of %d rows holds".formatted(held));
    for (int t = 0; t < tasks.length; t++) grow(t, tasks[t]);
    from.tensor("table", table);
  }

  @Override
  public void close() {
    if (stage != null) stage.close();
    super.close();
  }

  /** P = E + swiglu(norm(E) Wgu^T) Wdown^T, and back. */
  private static final class Residual {
    private final Ops ops;
    private final PromptParameters w;
    private final float eps;
    private final Tensor ones, rstd, y, gu, h, dp, dy, dgu;

    Residual(Ops ops, PromptParameters w, double eps, Memory memory) {
      this.ops = ops;
      this.w = w;
      this.eps = (float) eps;
      long n = w.rows().dim(0), C = w.rows().dim(1), H = w.more(1).dim(1);
      ones = ops.allocate(memory, "prompts", C);
      float[] one = new float[(int) C];
      Arrays.fill(one, 1);
      ones.copyFrom(one);
      rstd = ops.allocate(memory, "prompts", ops.wide(), n);
      y = ops.allocate(memory, "prompts", n, C);
      gu = ops.allocate(memory, "prompts", n, 2 * H);
      h = ops.allocate(memory, "prompts", n, H);
      dp = ops.allocate(memory, "prompts", n, C);
      dy = ops.allocate(memory, "prompts", n, C);
      dgu = ops.allocate(memory, "prompts", n, 2 * H);
    }

    /** p, which is E, becomes P. */
    void forward(Tensor p) {
      ops.rmsnormForward(y, null, rstd, w.rows(), null, ones, eps);
      ops.linearForward(gu, y, w.more(0), false);
      ops.swigluForward(h, gu);
      ops.linearForward(p, h, w.more(1), true);
    }

    /** g's rows are dP and become dE; the network's gradients are added to. */
    void backward(PromptParameters g) {
      Tensor dh = h;
      dp.copyFrom(g.rows());
      ops.linearBackwardInput(dh, dp, w.more(1), false);
      ops.swigluBackward(dgu, dh, gu); // leaves h in dh's place
      ops.linearBackwardWeight(g.more(1), dp, h, true);
      ops.linearBackwardInput(dy, dgu, w.more(0), false);
      ops.linearBackwardWeight(g.more(0), dgu, y, true);
      ops.rmsnormBackward(dp, null, dy, w.rows(), rstd, ones);
      g.rows().copyFrom(dp);
    }
  }
}
