package dev.seekr.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.seekr.Failure;
import dev.seekr.ops.Ops;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Safetensors;
import dev.seekr.tensor.SafetensorsWriter;
import dev.seekr.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Trained soft prompts: a table [R,C] of rows, and which of them go before an input. In a model
 * folder they are {@code prompts.safetensors} (table and keys) and {@code prompts.json} (the
 * choice).
 */
public record SoftPrompts(Tensor table, PromptChoice choice) {
  private static final String TENSORS = "prompts.safetensors", CHOICE = "prompts.json";
  private static final ObjectMapper JSON = new ObjectMapper();

  /** The input with its prompts before it, as {@link LlamaModel#prompt} reads them. */
  public int[] before(String task, int[] tokens) {
    int[] prefix = ids(choice.rows(task, tokens));
    int[] all = Arrays.copyOf(prefix, prefix.length + tokens.length);
    System.arraycopy(tokens, 0, all, prefix.length, tokens.length);
    return all;
  }

  /** Token ids that stand for rows of the table. */
  public static int[] ids(int[] rows) {
    return Arrays.stream(rows).map(r -> -1 - r).toArray();
  }

  static boolean in(Path folder) {
    return Files.exists(folder.resolve(CHOICE));
  }

  /** Adds them to a model folder. */
  void save(Path folder) throws IOException {
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
    SafetensorsWriter.write(folder.resolve(TENSORS), tensors, Map.of("format", "pt"));
    Files.writeString(folder.resolve(CHOICE), json.toPrettyString() + "\n");
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
      JsonNode json = JSON.readTree(Files.readString(file));
      Tensor table = copy(tensors, "prompts", weights, ops, memory);
      if (json.has("picks")) {
        Tensor keys = copy(tensors, "keys", weights, ops, memory);
        int length = json.path("length").asInt(), picks = json.path("picks").asInt();
        if (picks < 1 || picks > keys.dim(0) || length < 1 || length * keys.dim(0) != table.dim(0))
          throw Failure.data(
              "%s: picks %d and length %d do not fit %d keys and %d rows",
              file, picks, length, keys.dim(0), table.dim(0));
        return new SoftPrompts(
            table, new PromptChoice.ByKey(weights.wte, keys, length, picks, null));
      }
      var byTask = new LinkedHashMap<String, int[]>();
      for (var task : json.path("tasks").properties())
        byTask.put(task.getKey(), rows(file, task.getValue(), table));
      return new SoftPrompts(
          table, new PromptChoice.ByTask(byTask, rows(file, json.path("others"), table)));
    } catch (JsonProcessingException e) {
      throw Failure.data("%s: not JSON: %s", file, e.getOriginalMessage());
    } catch (IOException e) {
      throw Failure.input("%s: cannot be read: %s", file, e);
    }
  }

  private static int[] rows(Path file, JsonNode json, Tensor table) {
    int[] rows = new int[json.size()];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = json.get(i).asInt(-1);
      if (rows[i] < 0 || rows[i] >= table.dim(0))
        throw Failure.data(
            "%s: expected rows from 0 to %d, found %s", file, table.dim(0) - 1, json.get(i));
    }
    return rows;
  }

  private static Tensor copy(
      Safetensors from, String name, Weights weights, Ops ops, Memory memory) {
    long[] shape = from.shape(name);
    if (shape.length != 2 || shape[1] != weights.config.C())
      throw Failure.data(
          "%s of the soft prompts is %s; expected [rows, %d]",
          name, Arrays.toString(shape), weights.config.C());
    Tensor t = ops.allocate(memory, "prompts", shape);
    t.copyFrom(from.get(name));
    return t;
  }
}
