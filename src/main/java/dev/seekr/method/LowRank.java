package dev.seekr.method;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.seekr.config.LoraSettings;
import dev.seekr.config.RunConfig;
import dev.seekr.disk.Disk;
import dev.seekr.disk.RunFolder;
import dev.seekr.distributed.Collectives;
import dev.seekr.model.Adapters;
import dev.seekr.model.Dropout;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.Lora;
import dev.seekr.ops.Ops;
import dev.seekr.safetensors.SafetensorsWriter;
import dev.seekr.state.Seeds;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import dev.seekr.tensor.Memory;
import java.util.ArrayList;
import java.util.List;

/**
 * Adapters beside frozen weights (Hu et al. 2021), one a task or one for the run. Every adapter is
 * also written to {@code adapters/NN} as PEFT stores it.
 *
 * <p>What adapters read goes through {@link Dropout} in the passes of a step alone: whatever
 * scores, stores, estimates or answers sees the model whole.
 *
 * <p>One a task: at a task's end it is merged into the weights, and the next one begins as no
 * change; so the model before a task is the one whose adapter is off. Weights that are narrower
 * than float32 would lose what is small beside them: there an adapter that is done stays beside
 * them, frozen, and a saved model is the sum, rounded once.
 *
 * <p>One for the run: it goes on from task to task, moments included, and is merged in saved models
 * alone; what it was before a task is kept beside it.
 */
public final class LowRank implements Trainable {
  private final RunConfig config;
  private final LlamaModel base;
  private final RunFolder folder;
  private final Collectives all;
  private final Ops ops;
  private final Lora.Shape shape;
  private final boolean perRun, narrow;
  private final List<Attached> done = new ArrayList<>(); // beside narrow weights, task after task
  private Attached now; // null between tasks, where each has one
  private int stage; // the one under way, or the last
  private Attached before; // as the run's adapter was when the stage began; null: as now

  /** An adapter and the memory it lies in. */
  private record Attached(Lora lora, Memory memory) {}

  /** Adapters as {@code method.lora} says, of a run in {@code folder}. */
  public LowRank(RunConfig config, LlamaModel base, RunFolder folder, Collectives all) {
    this.all = all;
    LoraSettings settings = config.method().lora();
    this.config = config;
    this.base = base;
    this.folder = folder;
    ops = base.ops();
    shape = shape(settings);
    perRun = settings.per() == LoraSettings.Per.run;
    narrow = ops.dtype() != ops.wide();
  }

  static Lora.Shape shape(LoraSettings settings) {
    return new Lora.Shape(settings.rank(), settings.alpha(), settings.targets());
  }

  private Attached attach() {
    var memory = new Memory("adapters");
    return new Attached(new Lora(base.config, shape, ops, memory, "adapters"), memory);
  }

  private static void detach(Attached adapter) {
    if (adapter != null) adapter.memory.close();
  }

  @Override
  public LlamaModel model() {
    return base.with(beside(parameters()));
  }

  private Adapters beside(Lora lora) {
    return new Adapters(done.stream().map(Attached::lora).toList(), lora, null);
  }

  @Override
  public Lora parameters() {
    return now == null ? null : now.lora;
  }

  @Override
  public long size() {
    return Lora.parameters(base.config, shape);
  }

  @Override
  public double lrScale() {
    Double lr = config.method().lora().lr();
    return lr == null ? 1 : lr / config.train().lr();
  }

  @Override
  public Dropout dropout(int step) {
    double p = config.method().lora().dropout();
    if (p == 0) return Dropout.NONE;
    var random = Seeds.of(config.train().seed(), Seeds.Purpose.DROPOUT, stage, step);
    return new Dropout((float) p, random.nextLong());
  }

  @Override
  public void begin(Method.Context context) {
    stage = context.index();
    if (perRun && now != null) {
      if (before == null) before = attach();
      before.lora.flat().copyFrom(now.lora.flat());
      return;
    }
    detach(now);
    now = attach();
    now.lora.randomize(Seeds.of(config.train().seed(), Seeds.Purpose.ADAPTERS, context.index()));
  }

  @Override
  public void end(Method.Context context) {
    all.first(() -> write(context.index()));
    if (perRun) return;
    if (narrow) {
      done.add(now);
    } else {
      now.lora.merge(base.weights);
      detach(now);
    }
    now = null;
  }

  @Override
  public boolean knowsBefore() {
    return true;
  }

  @Override
  public LlamaModel before() {
    return base.like(base.weights).with(beside(before == null ? null : before.lora));
  }

  /** adapter_config.json and adapter_model.safetensors. */
  private void write(int stage) {
    var json = new ObjectMapper().createObjectNode();
    json.put("peft_type", "LORA").put("task_type", "CAUSAL_LM").put("inference_mode", true);
    json.put("r", shape.rank()).put("lora_alpha", shape.alpha());
    json.put("lora_dropout", config.method().lora().dropout());
    json.put("bias", "none").put("fan_in_fan_out", false);
    var targets = json.putArray("target_modules");
    shape.targets().forEach(t -> targets.add(t.name()));
    Disk.tree(
        folder.adapter(stage),
        part -> {
          Disk.put(
              part.resolve("adapter_config.json"), Disk.Content.of(json.toPrettyString() + "\n"));
          Disk.put(
              part.resolve("adapter_model.safetensors"),
              SafetensorsWriter.content(now.lora.byName()));
        });
  }

  @Override
  public long storedBytes() {
    return 4 * size();
  }

  @Override
  public long stateBytes() {
    return 2L * ops.dtype().bytes * size();
  }

  /** What is trained is saved by who trains it. */
  @Override
  public void save(StateWriter to) {
    to.put("stage", stage);
    to.put("attached", now != null);
    if (before != null) to.tensor("before", before.lora.flat());
    to.put("done", done.size());
    for (int i = 0; i < done.size(); i++) to.tensor("done." + i, done.get(i).lora.flat());
  }

  @Override
  public void load(StateReader from) {
    for (int i = 0, n = (int) from.whole("done", 0, Integer.MAX_VALUE); i < n; i++) {
      done.add(attach());
      from.tensor("done." + i, done.getLast().lora.flat());
    }
    stage = (int) from.whole("stage", 0, Integer.MAX_VALUE);
    if (from.get("attached", Boolean.class)) now = attach();
    if (!from.hasTensor("before")) return;
    before = attach();
    from.tensor("before", before.lora.flat());
  }

  @Override
  public void close() {
    detach(now);
    detach(before);
    done.forEach(LowRank::detach);
    now = before = null;
    done.clear();
  }
}
