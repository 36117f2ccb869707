package dev.seekr.model;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.seekr.Failure;
import dev.seekr.disk.Disk;
import dev.seekr.disk.Fields;
import dev.seekr.ops.Ops;
import dev.seekr.safetensors.Safetensors;
import dev.seekr.safetensors.SafetensorsWriter;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;

/**
 * Trained soft prompts: a table [R,C] of rows, and which of them go before an input. In a model
 * folder they are {@code prompts.safetensors} (table and keys) and {@code prompts.json} (the
 * choice).
 */
public record SoftPrompts(Tensor table, PromptChoice choice) {
  private static final String TENSORS = "prompts.safetensors", CHOICE = "prompts.json";
  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * An input, token ids [n], with its prompts before it, as {@link Adapters#prompts} reads them.
   */
  public int[] before(String task, int[] tokens) {
    int[] prefix = ids(choice.rows(task, tokens));
    int[] all = Arrays.copyOf(prefix, prefix.length + tokens.length);
    System.arraycopy(tokens, 0, all, prefix.length, tokens.length);
    return all;
  }

  /** Token ids [n], all below 0, that stand for rows [n] of the table. */
  public static int[] ids(int[] rows) {
    return Arrays.stream(rows).map(r -> -1 - r).toArray();
  }

  static boolean in(Path folder) {
    return Files.exists(folder.resolve(CHOICE));
  }

  /** Adds them to a model folder that is being written. */
  void save(Path folder) {
    var json = JSON.createObjectNode();
    var tensors = new LinkedHashMap<String, Tensor>();
    tensors.put("prompts", table);
    switch (choice) {
      case PromptChoice.ByTask by -> {
        json.set("others", JSON.valueToTree(by.others()));
        json.set("tasks", JSON.valueToTree(by.byTask()));
      }
      case PromptChoice.ByKey by -> {
        json.put("length", by.length()).put("picks", by.picks());
        tensors.put("keys", by.keys());
      }
    }
    Disk.put(folder.resolve(TENSORS), SafetensorsWriter.content(tensors));
    Disk.put(folder.resolve(CHOICE), Disk.Content.of(json.toPrettyString() + "\n"));
  }

  /**
   * Those of a model folder, or null where it has none.
   *
   * @throws Failure (65) when they are damaged or do not fit the model
   */
  public static SoftPrompts load(Path folder, Weights weights, Ops ops, Memory memory) {
    if (!in(folder)) return null;
    Path file = folder.resolve(CHOICE);
    try (var tensors = Safetensors.open(folder.resolve(TENSORS))) {
      var json = Fields.read(file);
      Tensor table = copy(folder, tensors, "prompts", weights, ops, memory);
      int R = Math.toIntExact(table.dim(0));
      if (json.has("picks")) {
        Tensor keys = copy(folder, tensors, "keys", weights, ops, memory);
        int length = json.whole("length", 1, R);
        int picks = json.whole("picks", 1, Math.toIntExact(keys.dim(0)));
        if (length * keys.dim(0) != R)
          throw json.wrong("length", "%d rows in %d prompts".formatted(R, keys.dim(0)));
        return new SoftPrompts(
            table, new PromptChoice.ByKey(ops, weights.wte, keys, length, picks, null));
      }
      var byTask = new LinkedHashMap<String, int[]>();
      var tasks = json.section("tasks");
      for (var task : tasks.json().properties())
        byTask.put(task.getKey(), tasks.wholes(task.getKey(), 0, R - 1));
      return new SoftPrompts(
          table, new PromptChoice.ByTask(byTask, json.wholes("others", 0, R - 1)));
    }
  }

  private static Tensor copy(
      Path folder, Safetensors from, String name, Weights weights, Ops ops, Memory memory) {
    long[] shape = from.shape(name);
    if (shape.length != 2 || shape[1] != weights.config.C())
      throw Failure.data(
          "%s: %s is %s; expected [rows, %d]",
          folder.resolve(TENSORS), name, Arrays.toString(shape), weights.config.C());
    if (!from.type(name).isFloat())
      throw Failure.data(
          "%s: %s is of %s; expected floating-point numbers",
          folder.resolve(TENSORS), name, from.type(name));
    Tensor t = ops.allocate(memory, "prompts", shape);
    from.read(name, t);
    if (!Finite.all(t))
      throw Failure.data("%s: %s holds NaN or an infinity", folder.resolve(TENSORS), name);
    return t;
  }
}
