package dev.seekr.model;

import dev.seekr.Failure.Exit;
import dev.seekr.FuzzTarget;
import dev.seekr.ops.Ops;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;

/** prompts.json up to the first byte 0, then prompts.safetensors, in the folder of a tiny model. */
class SoftPromptsFuzzTest extends FuzzTarget {
  private static final LlamaConfig SHAPE = TinyModel.config(5, 4, 4, 1, 2, 1, 2, true);

  private final Ops ops = new ReferenceOps(DType.F32);

  SoftPromptsFuzzTest() {
    super("prompts.json", Exit.DATA);
  }

  @Override
  protected Path write(Path folder, byte[] input) throws IOException {
    int end = 0;
    while (end < input.length && input[end] != 0) end++;
    byte[] tensors = Arrays.copyOfRange(input, Math.min(end + 1, input.length), input.length);
    Files.write(folder.resolve("prompts.safetensors"), tensors);
    return super.write(folder, Arrays.copyOf(input, end));
  }

  @Override
  protected Object read(Path file) {
    try (var memory = new Memory("fuzz")) {
      var weights = new Weights(SHAPE, ops, memory, "weights");
      var prompts = SoftPrompts.load(file.getParent(), weights, ops, memory);
      long R = prompts.table().dim(0);
      var all = new ArrayList<Object>();
      for (String task : new String[] {"a", "b", "c"}) {
        int[] rows = prompts.choice().rows(task, new int[] {1, 2, 3});
        for (int row : rows) sound(row >= 0 && row < R, "row %d of %d".formatted(row, R));
        all.add(Arrays.toString(rows));
      }
      for (double v : prompts.table().toDoubles()) sound(Double.isFinite(v), "a value of " + v);
      all.add(Arrays.hashCode(prompts.table().toDoubles()));
      return all;
    }
  }
}
