package dev.seekr.method;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.seekr.Failure;
import dev.seekr.config.RunConfig;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.Lora;
import dev.seekr.model.Parameters;
import dev.seekr.ops.Ops;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Sequential fine-tuning by adapters: each task trains a new one beside frozen weights, and it is
 * merged into them when the task is done. Every adapter is also written to {@code adapters/NN} as
 * PEFT stores it; the base model with all of them added is the model at the end.
 */
public class LowRank implements Method {
  private final int layers;
  private final Lora.Shape shape;
  private final RunConfig config;
  protected final Ops ops;
  private Memory memory;
  protected Lora adapters;

  /** Adapters of {@code config.method().lora()}. */
  public LowRank(RunConfig config, int layers, Ops ops) {
    var settings = config.method().lora();
    this.layers = layers;
    this.ops = ops;
    shape =
        new Lora.Shape(
            settings.rank(),
            settings.alpha(),
            settings.targets().stream().map(Lora.Target::valueOf).toList());
    this.config = config;
  }

  @Override
  public int layers() {
    return layers;
  }

  @Override
  public void begin(Context context) {
    if (memory != null) memory.close();
    memory = new Memory("adapters");
    adapters = new Lora(context.model().config, shape, ops, memory, "adapters");
    adapters.randomize(new SplittableRandom(31 * config.train().seed() + context.index()));
    context.model().adapt(adapters);
  }

  @Override
  public Parameters trained(LlamaModel model) {
    return adapters;
  }

  @Override
  public void end(Context context) {
    save(context.folder().resolve("adapters").resolve("%02d".formatted(context.index() + 1)));
    context.model().adapt(null);
    adapters.merge(context.model().weights);
  }

  @Override
  public double lrScale() {
    Double lr = config.method().lora().lr();
    return lr == null ? 1 : lr / config.train().lr();
  }

  /** adapter_config.json and adapter_model.safetensors. */
  private void save(Path folder) {
    var json = new ObjectMapper().createObjectNode();
    json.put("peft_type", "LORA").put("task_type", "CAUSAL_LM").put("inference_mode", true);
    json.put("r", shape.rank()).put("lora_alpha", shape.alpha()).put("lora_dropout", 0.0);
    json.put("bias", "none").put("fan_in_fan_out", false);
    var targets = json.putArray("target_modules");
    shape.targets().forEach(t -> targets.add(t.name()));
    try {
      Files.createDirectories(folder);
      Files.writeString(folder.resolve("adapter_config.json"), json.toPrettyString() + "\n");
    } catch (IOException e) {
      throw new Failure(Failure.Exit.IO, folder + ": the adapter cannot be saved: " + e, e);
    }
    SafetensorsWriter.write(
        folder.resolve("adapter_model.safetensors"), adapters.byName(), Map.of("format", "pt"));
  }

  @Override
  public void close() {
    if (memory != null) memory.close();
  }
}
