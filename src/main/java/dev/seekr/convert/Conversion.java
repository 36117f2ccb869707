package dev.seekr.convert;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.seekr.Failure;
import dev.seekr.disk.Disk;
import dev.seekr.disk.Fields;
import dev.seekr.disk.Reading;
import dev.seekr.model.LlamaConfig;
import dev.seekr.model.ModelFolder;
import dev.seekr.model.Weights;
import dev.seekr.ops.DryOps;
import dev.seekr.safetensors.OtherFormats;
import dev.seekr.safetensors.TensorSource;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.DryPlace;
import dev.seekr.tensor.Memory;
import dev.seekr.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Makes a model folder that Seekr and transformers load of what other programs have stored. It is
 * checked before anything is written and appears whole or not at all.
 *
 * @param from a folder, or a file of tensors with config.json beside it
 * @param to where nothing is, or an empty folder
 * @param base the model of an adapter; null: what the adapter names
 * @param as element type to store; null: what the tensors have
 * @param shardBytes of tensors in one file, at most, where there are several
 */
public record Conversion(Path from, Path to, Path base, DType as, long shardBytes) {
  private static final String TOKENIZER = "tokenizer.json";

  /** Beside those that every saved model hands on. */
  private static final List<String> MORE = List.of(SentencePiece.FILE, "added_tokens.json");

  /**
   * Converts.
   *
   * @param say is told what is done, a sentence or two at a time
   * @throws Failure 66 where something is missing, 65 where it is malformed or not a model that
   *     Seekr runs, 73 where {@code to} cannot be made, 74 where there is no room
   */
  public void run(Consumer<String> say) {
    requireEmpty();
    if (!Files.exists(from)) throw Failure.input("%s: no such file or folder", from);
    Path folder = Files.isDirectory(from) ? from : from.toAbsolutePath().getParent();
    boolean adapter = Files.exists(folder.resolve(AdapterConfig.FILE));
    if (base != null && !adapter)
      throw Failure.input(
          "%s: no %s in this folder; --base is for adapters", from, AdapterConfig.FILE);
    if (!adapter) {
      var config = LlamaConfig.read(folder);
      try (var tensors = renamed(from, say)) {
        convert(folder, folder, config, tensors, say);
      }
      return;
    }
    var fields = AdapterConfig.read(folder);
    Path model = base(folder, fields);
    var config = LlamaConfig.read(model);
    try (var tensors = renamed(model, say);
        var changes = adapter(folder)) {
      var merged = new Merged(tensors, changes, fields, folder, config.tied());
      say.accept(merged.said());
      convert(model, hasTokenizer(folder) ? folder : model, config, merged, say);
    }
  }

  private void requireEmpty() {
    if (!Files.exists(to)) return;
    try (var inside = Files.isDirectory(to) ? Files.list(to) : Stream.of(to)) {
      if (inside.findAny().isEmpty()) return;
    } catch (IOException e) {
      throw Failure.input("%s: cannot be read: %s", to, Reading.reason(e));
    }
    throw new Failure(
        Failure.Exit.CREATE, Failure.plain(to + ": is there already; name a folder that is not"));
  }

  private static TensorSource renamed(Path path, Consumer<String> say) {
    var source = Checkpoint.open(path);
    try {
      var renamed = new Renamed(path, source);
      if (!renamed.said().isEmpty()) say.accept(renamed.said());
      return renamed;
    } catch (RuntimeException e) {
      source.close();
      throw e;
    }
  }

  private static TensorSource adapter(Path folder) {
    for (String name : List.of("adapter_model.safetensors", "adapter_model.bin"))
      if (Files.exists(folder.resolve(name))) return Checkpoint.open(folder.resolve(name));
    throw Failure.input(
        "%s: expected adapter_model.safetensors or adapter_model.bin in this folder", folder);
  }

  /** A name that is no folder is that of a model on the network, where nothing here looks. */
  private Path base(Path folder, AdapterConfig adapter) {
    if (base != null) return base;
    if (adapter.base() == null)
      throw Failure.input("%s: names no model; give its folder with --base", adapter.file());
    for (Path path : List.of(Path.of(adapter.base()), folder.resolve(adapter.base())))
      if (Files.isDirectory(path)) return path;
    throw Failure.input(
        "%s: its model is '%s', which is no folder here; give the model's folder with --base",
        adapter.file(), adapter.base());
  }

  private void convert(
      Path model, Path tokenizer, LlamaConfig config, TensorSource source, Consumer<String> say) {
    try (var memory = new Memory("shapes")) {
      var ops = new DryOps(DType.F32, new DryPlace(), V -> 1);
      ModelFolder.check(from, source, new Weights(config, ops, memory, "shapes"));
      if (!hasTokenizer(tokenizer))
        throw Failure.input(
            "%s: expected %s or %s in this folder, found neither%s",
            tokenizer, TOKENIZER, SentencePiece.FILE, OtherFormats.hint(tokenizer));
      var shards = Shards.of(source, as, shardBytes);
      requireRoom(shards.bytes());
      Disk.tree(
          to,
          part -> {
            config(part, model);
            companions(part, model, tokenizer);
            say.accept(tokenizer(part, tokenizer));
            Tokenizer.load(part).close();
            shards.write(part, source, as, say);
          });
    }
  }

  private static boolean hasTokenizer(Path folder) {
    return Files.exists(folder.resolve(TOKENIZER))
        || Files.exists(folder.resolve(SentencePiece.FILE));
  }

  private void requireRoom(long bytes) {
    long free = Reading.free(to);
    if (free < bytes)
      throw new Failure(
          Failure.Exit.IO,
          Failure.plain("%s: needs %,d bytes, of which %,d are free".formatted(to, bytes, free)));
  }

  private void config(Path part, Path model) {
    Path file = model.resolve("config.json");
    if (as == null) {
      copy(file, part);
      return;
    }
    ObjectNode config = Fields.read(file).json().deepCopy();
    config.put(config.has("dtype") ? "dtype" : "torch_dtype", ModelFolder.torchName(as));
    Disk.put(part.resolve("config.json"), Disk.Content.of(config.toPrettyString() + "\n"));
  }

  /** The tokenizer's own, and generation_config.json, which is the model's. */
  private static void companions(Path part, Path model, Path tokenizer) {
    var names = new ArrayList<>(ModelFolder.COMPANIONS);
    names.addAll(MORE);
    for (String name : names) {
      Path folder = name.equals("generation_config.json") ? model : tokenizer;
      if (Files.exists(folder.resolve(name))) copy(folder.resolve(name), part);
    }
  }

  private static void copy(Path file, Path part) {
    byte[] bytes = Reading.bytes(file);
    Disk.put(part.resolve(file.getFileName().toString()), out -> out.write(ByteBuffer.wrap(bytes)));
  }

  /** Makes a tokenizer.json where there is none; returns what was done. */
  private static String tokenizer(Path part, Path folder) {
    if (Files.exists(folder.resolve(TOKENIZER))) return "tokenizer.json is taken as it is.";
    var pieces = SentencePiece.read(folder.resolve(SentencePiece.FILE));
    var special = SpecialTokens.read(folder, pieces);
    var json = TokenizerJsonWriter.of(pieces, special);
    Disk.put(part.resolve(TOKENIZER), Disk.Content.of(json.toPrettyString() + "\n"));
    return "tokenizer.json is made of the %d pieces of tokenizer.model.%s"
        .formatted(pieces.pieces().size(), TokenizerJsonWriter.difference(special));
  }
}
