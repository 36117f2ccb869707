package dev.seekr.model;

import static java.util.stream.Collectors.joining;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.seekr.Failure;
import dev.seekr.disk.Disk;
import dev.seekr.disk.Reading;
import dev.seekr.ops.Ops;
import dev.seekr.safetensors.SafetensorsWriter;
import dev.seekr.safetensors.TensorSource;
import dev.seekr.safetensors.Wrappers;
import dev.seekr.tensor.DType;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Model folders as Hugging Face stores them: config.json, tokenizer files, safetensors (single or
 * sharded).
 */
public final class ModelFolder {
  /** Files of a model folder that are handed on unchanged when a model is saved. */
  public static final List<String> COMPANIONS =
      List.of(
          "tokenizer.json",
          "tokenizer_config.json",
          "special_tokens_map.json",
          "generation_config.json",
          "chat_template.jinja");

  private ModelFolder() {}

  /**
   * Reads all weights from a safetensors file or model folder, converting to the type of {@code
   * into}.
   *
   * @throws Failure (65) naming every tensor that is missing, misshapen or not expected, {@code
   *     into} being unchanged; or the first that holds a number that is not finite
   */
  public static void load(Path path, Weights into, Ops ops) {
    try (var source = TensorSource.open(path)) {
      check(path, source, into);
      into.byName().forEach(source::read);
    }
    Finite.exception(into, ops)
        .ifPresent(
            name -> {
              throw Failure.data(
                  "%s: %s holds NaN or an infinity; a model of such numbers answers nothing",
                  path, name);
            });
  }

  /**
   * Checks that a source has the tensors of a model, in their shapes, and no others.
   *
   * @throws Failure (65) naming every one that is missing, misshapen or not expected
   */
  public static void check(Path path, TensorSource source, Weights into) {
    String prefix = Wrappers.prefix(source.names());
    if (!prefix.isEmpty())
      throw Failure.data(
          "%s: every name has the prefix '%s', which a wrapper has put to it; './seekr convert %s"
              + " OUT' takes it off",
          path, prefix, path);
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
              } else if (!source.type(name).isFloat()) {
                problems.add(
                    "%s is of %s; expected floating-point numbers"
                        .formatted(name, source.type(name)));
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
    if (source.names().stream().anyMatch(name -> !name.equals(Wrappers.strip(name))))
      more += "\n  './seekr convert " + path + " OUT' takes off what wrappers put to names";
    var lines = problems.stream().limit(shown).map(problem -> "\n  " + Failure.plain(problem));
    throw new Failure(
        Failure.Exit.DATA,
        path + ": weights and config.json do not fit:" + lines.collect(joining()) + more);
  }

  /**
   * Writes a model folder that loads again here and in Python's transformers: weights, with
   * low-rank adapters merged, as {@code as}, config.json, the tokenizer files of {@code origin},
   * and {@code prompts} if there are any (null: none; transformers does not read them). The folder
   * appears whole or not at all, in place of one that is there.
   *
   * @throws Failure (78) naming a tensor whose numbers {@code as} cannot hold
   */
  public static void save(
      Path folder, Path origin, LlamaModel model, DType as, SoftPrompts prompts) {
    Weights weights = model.weights;
    ObjectNode config = weights.config.json().deepCopy();
    RopeFields.bothSpellings(config);
    config.put(config.has("dtype") ? "dtype" : "torch_dtype", torchName(as));
    Disk.tree(
        folder,
        part -> {
          Disk.put(
              part.resolve(TensorSource.SINGLE),
              SafetensorsWriter.content(
                  weights.byName(),
                  Map.of("format", "pt"),
                  as,
                  (name, w, memory) -> model.adapters.merged(name, w, model.ops(), memory)));
          Disk.put(part.resolve("config.json"), Disk.Content.of(config.toPrettyString() + "\n"));
          for (String name : COMPANIONS) {
            Path from = origin.resolve(name);
            if (!Files.exists(from)) continue;
            byte[] bytes = Reading.bytes(from);
            Disk.put(part.resolve(name), out -> out.write(ByteBuffer.wrap(bytes)));
          }
          if (prompts != null) prompts.save(part);
        });
  }

  /** What PyTorch calls an element type; whatever is none of 16 bits is stored as float32. */
  public static String torchName(DType as) {
    return switch (as) {
      case BF16 -> "bfloat16";
      case F16 -> "float16";
      default -> "float32";
    };
  }
}
