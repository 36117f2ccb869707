package dev.seekr.method;

import dev.seekr.config.PpSettings;
import dev.seekr.data.Sample;
import dev.seekr.model.PromptChoice;
import dev.seekr.model.PromptParameters;
import dev.seekr.model.SoftPrompts;
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
 * trained a prompt comes through a {@linkplain PromptNetwork residual network}:
 *
 * <pre>
 *   input of task t = [P_t; ...; P_1; x]        P = E + network(E)
 * </pre>
 *
 * E [n,C] and the network are trained; P alone is kept.
 */
public final class ProgressivePrompts extends PromptTuning {
  private final PpSettings settings;
  private final int n;
  private final Map<String, int[]> byTask = new LinkedHashMap<>(); // rows before a task's inputs
  private int[] rows = new int[0]; // of all prompts so far, newest first
  private Memory stage; // what lives as long as a task is trained, and the table until the next one
  private Tensor table; // [tasks n, C]
  private PromptNetwork network; // null: E is P

  public ProgressivePrompts(Setup setup) {
    super(setup);
    settings = setup.config().method().pp();
    n = length();
  }

  @Override
  public void begin(Context context) {
    grow(context.index(), context.name());
    fromVocabulary(trained.rows(), context);
    if (network != null)
      network.randomize(setup.random(Seeds.Purpose.PROMPT_NETWORK, context.index()));
    refresh();
  }

  @Override
  protected Tensor table() {
    return table;
  }

  /** A table with room for one more prompt, and what trains it. */
  private void grow(int task, String name) {
    int first = task * n, C = C();
    var before = stage;
    stage = new Memory("prompts");
    Tensor grown = ops.allocate(stage, "prompts", first + n, C);
    if (table != null) grown.rows(0, first).copyFrom(table);
    table = grown;
    if (before != null) before.close();
    trained = new PromptParameters(ops, stage, "prompts", first, shapes());
    network = settings.hidden() == 0 ? null : new PromptNetwork(ops, trained, stage);
    rows = IntStream.concat(IntStream.range(first, first + n), IntStream.of(rows)).toArray();
    byTask.put(name, rows);
  }

  /** Of E, and of the network that it comes through, if any. */
  private long[][] shapes() {
    int H = settings.hidden();
    return H == 0 ? new long[][] {{n, C()}} : PromptNetwork.shapes(n, C(), H);
  }

  /** The prompt as the network now gives it. */
  private void refresh() {
    Tensor p = table.rows(trained.first, trained.first + n);
    if (network == null) p.copyFrom(trained.rows());
    else network.forward(p);
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
    if (network != null) network.backward((PromptParameters) step.g());
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
  public long stateBytes() {
    long numbers = 0;
    for (long[] shape : shapes()) numbers += Tensor.size(shape);
    return numbers * ops.dtype().bytes + trainedBytes(numbers);
  }

  @Override
  public void close() {
    if (stage != null) stage.close();
    super.close();
  }
}
