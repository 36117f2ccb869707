package dev.seekr.method;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.seekr.disk.Disk;
import dev.seekr.model.Adapters;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.Lora;
import dev.seekr.model.Parameters;
import dev.seekr.ops.Ops;
import dev.seekr.safetensors.SafetensorsWriter;
import dev.seekr.state.Seeds;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import dev.seekr.tensor.Memory;

/**
 * Sequential fine-tuning by adapters: each task trains a new one beside frozen weights, and it is
 * merged into them when the task is done. Every adapter is also written to {@code adapters/NN} as
 * PEFT stores it; the base model with all of them added is the model at the end.
 */
public class LowRank implements Method {
  protected final Setup setup;
  protected final Ops ops;
  protected final Lora.Shape shape;
  private Memory memory;
  protected Lora adapters; // null between tasks

  /** Adapters as {@code method.lora} says. */
  public LowRank(Setup setup) {
    var settings = setup.config().method().lora();
    this.setup = setup;
    this.ops = setup.ops();
    shape =
        new Lora.Shape(
            settings.rank(),
            settings.alpha(),
            settings.targets().stream().map(Lora.Target::valueOf).toList());
  }

  @Override
  public final Setup setup() {
    return setup;
  }

  @Override
  public void begin(Context context) {
    attach();
    adapters.randomize(setup.random(Seeds.Purpose.ADAPTERS, context.index()));
  }

  private void attach() {
    detach();
    memory = new Memory("adapters");
    adapters = new Lora(setup.model().config, shape, ops, memory, "adapters");
  }

  private void detach() {
    adapters = null;
    if (memory != null) memory.close();
    memory = null;
  }

  @Override
  public LlamaModel model() {
    return adapters == null ? setup.model() : setup.model().with(new Adapters(adapters, null));
  }

  @Override
  public Parameters trained() {
    return adapters;
  }

  @Override
  public void end(Context context) {
    save(context.index());
    adapters.merge(setup.model().weights);
    detach();
  }

  @Override
  public double lrScale() {
    Double lr = setup.config().method().lora().lr();
    return lr == null ? 1 : lr / setup.config().train().lr();
  }

  /** adapter_config.json and adapter_model.safetensors. */
  private void save(int stage) {
    var json = new ObjectMapper().createObjectNode();
    json.put("peft_type", "LORA").put("task_type", "CAUSAL_LM").put("inference_mode", true);
    json.put("r", shape.rank()).put("lora_alpha", shape.alpha()).put("lora_dropout", 0.0);
    json.put("bias", "none").put("fan_in_fan_out", false);
    var targets = json.putArray("target_modules");
    shape.targets().forEach(t -> targets.add(t.name()));
    Disk.tree(
        setup.folder().adapter(stage),
        part -> {
          Disk.put(
              part.resolve("adapter_config.json"), Disk.Content.of(json.toPrettyString() + "\n"));
          Disk.put(
              part.resolve("adapter_model.safetensors"),
              SafetensorsWriter.content(adapters.byName()));
        });
  }

  @Override
  public DiskNeed diskNeed(Context context) {
    return new DiskNeed(4 * Lora.parameters(setup.model().config, shape), 0);
  }

  @Override
  public long stateBytes() {
    return trainedBytes(2 * Lora.parameters(setup.model().config, shape));
  }

  /** What is trained is saved by who trains it. */
  @Override
  public void save(StateWriter to) {
    to.put("attached", adapters != null);
  }

  @Override
  public void load(StateReader from) {
    if (from.get("attached", Boolean.class)) attach();
  }

  @Override
  public void close() {
    detach();
  }
}
