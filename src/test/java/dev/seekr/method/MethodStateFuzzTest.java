package dev.seekr.method;

import dev.seekr.Failure.Exit;
import dev.seekr.FuzzTarget;
import dev.seekr.config.ConfigReader;
import dev.seekr.config.MethodName;
import dev.seekr.config.TrainSettings.Recompute;
import dev.seekr.data.ReplayBuffer;
import dev.seekr.data.Sample;
import dev.seekr.disk.Disk;
import dev.seekr.disk.RunFolder;
import dev.seekr.model.LlamaConfig;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.Lora;
import dev.seekr.model.TinyModel;
import dev.seekr.model.Weights;
import dev.seekr.ops.Ops;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.safetensors.SafetensorsWriter;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;

/**
 * A method's name (none: seqft) up to the first line's end, then a state.json whose sections {@code
 * trainable} and {@code method} are loaded. Beside it lie the tensors that all methods save after
 * two tasks, a replay buffer of stage 0 and what Lwf recorded for stage 1.
 */
class MethodStateFuzzTest extends FuzzTarget {
  private static final LlamaConfig SHAPE = TinyModel.config(5, 4, 4, 1, 2, 1, 2, true);
  private static final int PROMPT = 2;

  private final Ops ops = new ReferenceOps(DType.F32);

  MethodStateFuzzTest() {
    super(StateReader.VALUES, Exit.DATA, Exit.INPUT, Exit.IO);
  }

  @Override
  protected Path write(Path folder, byte[] input) throws IOException {
    if (!Files.exists(folder.resolve("method.safetensors"))) writeRun(folder);
    int end = 0;
    while (end < input.length && input[end] != '\n') end++;
    Files.write(folder.resolve("method"), Arrays.copyOf(input, end));
    int from = Math.min(end + 1, input.length);
    return super.write(folder, Arrays.copyOfRange(input, from, input.length));
  }

  private void writeRun(Path folder) {
    var run = new RunFolder(folder);
    var entry = new ReplayBuffer.Entry(new Sample(new int[] {1, 3, 2}, 1), null, null, null);
    for (Path buffer : List.of(run.buffer(0), run.recorded(1))) {
      Disk.makeFolder(buffer.getParent());
      ReplayBuffer.write(buffer, new int[0][], -1, out -> out.accept(entry));
    }
    try (var memory = new Memory("fuzz")) {
      var flat = new Weights(SHAPE, ops, memory, "weights").flat();
      var wide = new Weights(SHAPE, ops, ops.wide(), memory, "weights").flat();
      var tensors = new LinkedHashMap<String, Tensor>();
      for (String name : List.of("fisher", "anchor", "estimate")) tensors.put(name, wide);
      tensors.put("model.weights", flat);
      tensors.put("table", ops.allocate(memory, "prompts", 2 * PROMPT, SHAPE.C()));
      var lora = LowRank.shape(setup("olora", null, folder).config().method().lora());
      var downs = Lora.downs(SHAPE, lora);
      for (int i = 0; i < 2 * downs.size(); i++)
        tensors.put(
            "earlier.%d.%d".formatted(i / downs.size(), i % downs.size()),
            ops.allocate(memory, "adapters", downs.get(i % downs.size())));
      Disk.write(folder.resolve("method.safetensors"), SafetensorsWriter.content(tensors));
    }
  }

  private Setup setup(String name, LlamaModel model, Path folder) {
    var settings =
        List.of(
            "method.name=" + name,
            "method.lora.rank=2",
            "method.lwf.cache=disk",
            "method.prompt.length=" + PROMPT,
            "method.l2p.pool=3",
            "method.pp.hidden=0");
    if (model == null) model = new LlamaModel(SHAPE, null, ops, Recompute.none);
    return new Setup(ConfigReader.parse("", "fuzz", settings), model, new RunFolder(folder));
  }

  @Override
  protected Object read(Path file) throws IOException {
    Path folder = file.getParent();
    String asked = Files.readString(folder.resolve("method"), StandardCharsets.ISO_8859_1);
    boolean known = Arrays.stream(MethodName.values()).anyMatch(m -> m.name().equals(asked));
    try (var memory = new Memory("fuzz");
        var weights =
            new LlamaModel(SHAPE, new Weights(SHAPE, ops, memory, "w"), ops, Recompute.none);
        var method = Methods.of(setup(known ? asked : "seqft", weights, folder));
        var from = StateReader.open(folder)) {
      method.setup().trainable().load(from.section("trainable"));
      method.load(from.section("method"));
      sound(method.storedBytes() >= 0, "stored bytes");
      for (Replayed replayed : method.replay())
        sound(replayed.sample().length() > 1, "a sample of no answer");
      var prompts = method.prompts();
      if (prompts != null)
        for (int row : prompts.choice().rows("a", new int[] {1, 2}))
          sound(row >= 0 && row < prompts.table().dim(0), "row " + row);
      var again = new StateWriter();
      method.save(again.section("method"));
      return again.values().toString() + again.tensors().keySet() + again.files();
    }
  }
}
