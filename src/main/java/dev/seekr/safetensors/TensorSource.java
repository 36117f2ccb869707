package dev.seekr.safetensors;

import dev.seekr.Failure;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/** Named tensors on disk. Tensors it gives die when it is closed. */
public interface TensorSource extends AutoCloseable {
  String SINGLE = "model.safetensors";
  String INDEX = "model.safetensors.index.json";

  /**
   * Opens a safetensors file, an index of shards, or a folder that holds {@value #SINGLE} or,
   * failing that, {@value #INDEX}.
   *
   * @throws Failure input when nothing of the kind is there, data when what is there is malformed
   */
  static TensorSource open(Path path) {
    if (!Files.isDirectory(path)) {
      return path.toString().endsWith(".json")
          ? sharded(path, Safetensors::open)
          : Safetensors.open(path);
    }
    if (Files.exists(path.resolve(SINGLE))) return Safetensors.open(path.resolve(SINGLE));
    if (Files.exists(path.resolve(INDEX))) return sharded(path.resolve(INDEX), Safetensors::open);
    throw Failure.input(
        "%s: expected %s or %s in this folder, found neither%s",
        path, SINGLE, INDEX, OtherFormats.hint(path));
  }

  /**
   * Opens an index of shards of any kind, each of which {@code open} opens.
   *
   * @throws Failure as {@link #open}
   */
  static TensorSource sharded(Path index, Function<Path, TensorSource> open) {
    return ShardedTensors.open(index, open);
  }

  /** All names, in the order in which their data lies on disk. */
  Set<String> names();

  default boolean has(String name) {
    return names().contains(name);
  }

  /**
   * A copy of a tensor, on the host.
   *
   * @throws Failure data when there is no such tensor or its element type is none of {@link DType};
   *     io when the file has become shorter, or cannot be read
   */
  Tensor get(String name);

  /** Reads a tensor into one of as many elements, piece by piece, converting its type. */
  default void read(String name, Tensor into) {
    long n = Tensor.size(shape(name));
    if (into.size() != n)
      throw new IllegalArgumentException(
          "%s into %s".formatted(Arrays.toString(shape(name)), into));
    read(name, 0, into);
  }

  /**
   * Reads as many elements as {@code into} has, of the flattened tensor from {@code from} on,
   * converting their type. Whoever reads all of a tensor reads it in this order.
   */
  void read(String name, long from, Tensor into);

  /** Its element type; throws Failure (data) where that is none of {@link DType}. */
  DType type(String name);

  /** A fresh copy of the shape; throws Failure (data) when there is no such tensor. */
  long[] shape(String name);

  /** The free-form strings stored beside the tensors. */
  Map<String, String> metadata();

  /** Touching a tensor that this source gave throws IllegalStateException afterwards. */
  @Override
  void close();
}
