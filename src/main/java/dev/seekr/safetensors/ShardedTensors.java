package dev.seekr.safetensors;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import dev.seekr.Failure;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;

/** A model in several files, and the index that says which tensor lies in which. */
final class ShardedTensors implements TensorSource {
  private final Path index;
  private final Map<Path, TensorSource> shards;
  private final Map<String, TensorSource> byName;

  private ShardedTensors(
      Path index, Map<Path, TensorSource> shards, Map<String, TensorSource> byName) {
    this.index = index;
    this.shards = shards;
    this.byName = byName;
  }

  static ShardedTensors open(Path index, Function<Path, TensorSource> open) {
    var shardOf = readIndex(index);
    var shards = new TreeMap<Path, TensorSource>();
    try {
      for (Path shard : shardOf.values()) {
        if (!shards.containsKey(shard)) shards.put(shard, open.apply(shard));
      }
      return new ShardedTensors(index, shards, locate(index, shardOf, shards));
    } catch (RuntimeException e) {
      shards.values().forEach(TensorSource::close);
      throw e;
    }
  }

  /** The shard of each name, in data order; tensors that the index does not list are left out. */
  private static Map<String, TensorSource> locate(
      Path index, Map<String, Path> shardOf, Map<Path, TensorSource> shards) {
    var foundIn = new LinkedHashMap<String, Path>();
    for (var shard : shards.entrySet()) {
      for (String name : shard.getValue().names()) {
        Path other = foundIn.put(name, shard.getKey());
        if (other != null) {
          throw Failure.data(
              "%s: tensor '%s' is in two shards: %s and %s", index, name, other, shard.getKey());
        }
      }
    }
    shardOf.forEach(
        (name, shard) -> {
          if (!shard.equals(foundIn.get(name))) {
            throw Failure.data(
                "%s: expected tensor '%s' in %s, found %s",
                index,
                name,
                shard.getFileName(),
                foundIn.containsKey(name)
                    ? "it in " + foundIn.get(name).getFileName()
                    : "no such tensor there");
          }
        });
    var byName = new LinkedHashMap<String, TensorSource>();
    foundIn.forEach(
        (name, shard) -> {
          if (shardOf.containsKey(name)) byName.put(name, shards.get(shard));
        });
    return Collections.unmodifiableMap(byName);
  }

  private static Map<String, Path> readIndex(Path index) {
    if (!Files.isRegularFile(index)) throw Failure.input("%s: no such file", index);
    var shardOf = new LinkedHashMap<String, Path>();
    try {
      if (Files.size(index) > Safetensors.MAX_HEADER) {
        throw Failure.data(
            "%s: expected an index of at most %d bytes, found %d",
            index, Safetensors.MAX_HEADER, Files.size(index));
      }
      try (var reader = Files.newBufferedReader(index);
          var json = SafetensorsHeader.JSON.createParser(reader)) {
        if (json.nextToken() != JsonToken.START_OBJECT)
          throw Failure.data("%s: expected an object", index);
        while (json.nextToken() != JsonToken.END_OBJECT) {
          String part = json.currentName();
          boolean map = part.equals("weight_map");
          if (!map && !part.equals("metadata"))
            throw Failure.data(
                "%s: '%s' is not known; expected weight_map and metadata alone: take it out if it says nothing",
                index, part);
          if (json.nextToken() != JsonToken.START_OBJECT || !map) {
            if (map)
              throw Failure.data(
                  "%s: weight_map: expected an object, found '%s'", index, json.getText());
            json.skipChildren();
            continue;
          }
          while (json.nextToken() != JsonToken.END_OBJECT) {
            String name = json.currentName();
            if (json.nextToken() != JsonToken.VALUE_STRING) {
              throw Failure.data(
                  "%s: weight_map: tensor '%s': expected a file name, found '%s'",
                  index, name, json.getText());
            }
            shardOf.put(name, shard(index, name, json.getText()));
          }
        }
        if (json.nextToken() != null)
          throw Failure.data("%s: expected nothing after the object", index);
      }
    } catch (JsonProcessingException e) {
      throw Failure.data(
          "%s: expected JSON, found at %s: %s",
          index, SafetensorsHeader.at(e), e.getOriginalMessage());
    } catch (java.nio.charset.CharacterCodingException e) {
      throw Failure.data("%s: expected UTF-8, found bytes that are not", index);
    } catch (IOException e) {
      throw new Failure(Failure.Exit.INPUT, index + ": cannot be read: " + e.getMessage(), e);
    }
    if (shardOf.isEmpty())
      throw Failure.data("%s: expected a weight_map that names tensors, found none", index);
    return shardOf;
  }

  /**
   * A shard's path, which must lie in the index's folder. Links are not followed: model caches are
   * made of them.
   */
  private static Path shard(Path index, String name, String file) {
    try {
      Path folder = index.toAbsolutePath().normalize().getParent();
      Path shard = folder.resolve(file).normalize();
      if (shard.startsWith(folder) && !shard.equals(folder)) return shard;
    } catch (InvalidPathException e) {
      // Falls through: no such path can be in the folder.
    }
    throw Failure.data(
        "%s: weight_map: tensor '%s': expected a file in this folder, found '%s'",
        index, name, file);
  }

  @Override
  public Set<String> names() {
    return byName.keySet();
  }

  @Override
  public Tensor get(String name) {
    return source(name).get(name);
  }

  @Override
  public void read(String name, long from, Tensor into) {
    source(name).read(name, from, into);
  }

  @Override
  public DType type(String name) {
    return source(name).type(name);
  }

  @Override
  public long[] shape(String name) {
    return source(name).shape(name);
  }

  private TensorSource source(String name) {
    var shard = byName.get(name);
    if (shard == null)
      throw Failure.data("%s: no tensor '%s' among its %d", index, name, byName.size());
    return shard;
  }

  /** The metadata of all shards together. */
  @Override
  public Map<String, String> metadata() {
    var all = new TreeMap<String, String>();
    shards.values().forEach(s -> all.putAll(s.metadata()));
    return Collections.unmodifiableMap(all);
  }

  @Override
  public void close() {
    shards.values().forEach(TensorSource::close);
  }
}
