package dev.seekr.model;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.seekr.Failure;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.SafetensorsWriter;
import dev.seekr.tensor.Tensor;
import dev.seekr.tensor.TensorSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Model folders as Hugging Face stores them: config.json, tokenizer files, safetensors (single or
 * sharded).
 */
public final class Checkpoint {
  /** Files of a model folder that are handed on unchanged when a trained model is saved. */
  private static final List<String> COMPANIONS =
      List.of(
          "tokenizer.json",
          "tokenizer_config.json",
          "special_tokens_map.json",
          "generation_config.json",
          "chat_template.jinja");

  private Checkpoint() {}

  /**
   * Reads all weights from a safetensors file or model folder, converting to the type of {@code
   * into}.
   *
   * @throws Failure (65) naming every tensor that is missing, misshapen or not expected; {@code
   *     into} is then unchanged
   */
  public static void load(Path path, Weights into) {
    try (var source = TensorSource.open(path)) {
      check(path, source, into);
      into.byName().forEach((name, w) -> w.copyFrom(source.get(name)));
    }
  }

  private static void check(Path path, TensorSource source, Weights into) {
    var problems = new ArrayList<String>();
    into.byName()
        .forEach(
            (name, w) -> {
              if (!source.has(name)) {
                problems.add(name + " is missing; expected " + Arrays.toString(w.shape()));
              } else if (!Arrays.equals(source.shape(name), w.shape())) {
                problems.add(
                    "%s is %s; config.json asks for %s"
                        .formatted(
                            name, Arrays.toString(source.shape(name)), Arrays.toString(w.shape())));
              }
            });
    for (String name : source.names()) {
      // Old exports store the rotary frequencies, and tied ones may repeat the embedding.
      boolean known = into.byName().containsKey(name) || name.endsWith("rotary_emb.inv_freq");
      boolean tiedHead = name.equals("lm_head.weight") && into.config.tied();
      if (!known && !tiedHead) problems.add(name + " is not a tensor of this LLaMA");
    }
    if (problems.isEmpty()) return;
    int shown = Math.min(5, problems.size());
    String more = problems.size() > shown ? "\n  and " + (problems.size() - shown) + " more" : "";
    throw Failure.data(
        "%s: weights and config.json do not fit:\n  %s%s",
        path, String.join("\n  ", problems.subList(0, shown)), more);
  }

  /**
   * Writes a model folder that loads again here and in Python's transformers: weights as {@code
   * as}, config.json, the tokenizer files of {@code origin}, and {@code prompts} if there are any
   * (null: none; transformers does not read them). The folder appears whole or not at all.
   */
  public static void save(
      Path folder, Path origin, Weights weights, DType as, SoftPrompts prompts) {
    Path absolute = folder.toAbsolutePath();
    Path temp = absolute.resolveSibling("." + absolute.getFileName() + ".partial");
    try {
      Files.createDirectories(temp);
      Map<String, Tensor> tensors = weights.byName();
      SafetensorsWriter.write(
          temp.resolve(TensorSource.SINGLE), tensors, Map.of("format", "pt"), as);
      ObjectNode config = weights.config.json().deepCopy();
      String type =
          switch (as) {
            case BF16 -> "bfloat16";
            case F16 -> "float16";
            default -> "float32";
          };
      config.put(config.has("dtype") ? "dtype" : "torch_dtype", type);
      var json = new ObjectMapper().writerWithDefaultPrettyPrinter();
      Files.writeString(temp.resolve("config.json"), json.writeValueAsString(config) + "\n");
      for (String name : COMPANIONS) {
        Path from = origin.resolve(name);
        if (Files.exists(from))
          Files.copy(from, temp.resolve(name), StandardCopyOption.REPLACE_EXISTING);
      }
      if (prompts != null) prompts.save(temp);
      Files.move(temp, absolute, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new Failure(
          Failure.Exit.IO, "%s: the model cannot be saved: %s".formatted(folder, e), e);
    }
  }
}
