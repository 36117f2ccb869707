package dev.seekr.state;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.seekr.Failure;
import dev.seekr.disk.Reading;
import dev.seekr.disk.StrictJson;
import dev.seekr.safetensors.Safetensors;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * Gives back what a {@link StateWriter} collected. Nothing is guessed: a name that is missing, or a
 * value of another type, is a Failure (65) that names it.
 */
public final class StateReader implements AutoCloseable {
  /** The name of the file that holds values. */
  public static final String VALUES = "state.json";

  private final Path folder;
  private final Map<String, Safetensors> open;
  private final String path;
  private final JsonNode values;

  private StateReader(Path folder, Map<String, Safetensors> open, String path, JsonNode values) {
    this.folder = folder;
    this.open = open;
    this.path = path;
    this.values = values;
  }

  /** Of a folder with state.json and a file of tensors for each section that has some. */
  public static StateReader open(Path folder) {
    Path file = folder.resolve(VALUES);
    try {
      return new StateReader(
          folder, new HashMap<>(), "", StrictJson.MAPPER.readTree(Reading.text(file)));
    } catch (JsonProcessingException e) {
      throw Failure.data("%s: not JSON: %s", file, e.getOriginalMessage());
    }
  }

  /** The name of the file that a section's tensors lie in. */
  public static String fileOf(String section) {
    return section + ".safetensors";
  }

  public StateReader section(String name) {
    JsonNode inner = values.get(name);
    if (inner == null || !inner.isObject()) throw wrong(name, "a section");
    return new StateReader(folder, open, path.isEmpty() ? name : path + "." + name, inner);
  }

  public boolean has(String name) {
    return values.has(name);
  }

  /**
   * A value of exactly this type: Integer, Long, Double, String, int[], double[][] ... A Double is
   * finite, as {@link StateWriter#put} has it; numbers in arrays need not be.
   */
  public <T> T get(String name, Class<T> type) {
    JsonNode value = values.get(name);
    if (value == null || value.isNull()) throw wrong(name, type.getSimpleName());
    try {
      T read = StrictJson.MAPPER.treeToValue(value, type);
      boolean taken =
          switch (read) {
            case null -> false;
            case Double number -> Double.isFinite(number);
            case Enum<?> constant -> constant.name().equals(value.textValue());
            default -> true;
          };
      if (taken) return read;
    } catch (JsonProcessingException | IllegalArgumentException e) {
      // Falls through: it is of another type.
    }
    throw wrong(name, type.getSimpleName());
  }

  /** A whole number within bounds. */
  public long whole(String name, long least, long most) {
    long value = get(name, Long.class);
    if (value >= least && value <= most) return value;
    throw wrong(name, "a whole number from %d to %d".formatted(least, most));
  }

  /** Reads a tensor into one of the same shape and type. */
  public void tensor(String name, Tensor into) {
    var source = source();
    String inside = inside(name);
    if (!source.has(inside)
        || source.type(inside) != into.dtype()
        || !Arrays.equals(source.shape(inside), into.shape())) {
      throw Failure.data(
          "%s: expected tensor '%s' of %s, found %s",
          folder.resolve(fileOf(top())),
          inside,
          into,
          source.has(inside)
              ? source.type(inside) + Arrays.toString(source.shape(inside))
              : "none of that name");
    }
    source.read(inside, into);
  }

  /** Tensors that lie in a file of their own; see {@link StateWriter#beside}. */
  public StateReader beside(String file) {
    return new StateReader(folder, open, file, values);
  }

  /** Throws Failure (65) unless there is a vector of that name, type and size. */
  public void require(String name, DType dtype, long size) {
    var source = source();
    String inside = inside(name);
    if (source.has(inside)
        && source.type(inside) == dtype
        && Arrays.equals(source.shape(inside), new long[] {size})) return;
    throw Failure.data(
        "%s: expected tensor '%s' of %s[%d], found %s",
        folder.resolve(fileOf(top())),
        inside,
        dtype,
        size,
        source.has(inside)
            ? source.type(inside) + Arrays.toString(source.shape(inside))
            : "none of that name");
  }

  /** Elements {@code [at, at + into.size())} of a vector that {@link #require} has seen. */
  public void tensor(String name, long at, Tensor into) {
    source().read(inside(name), at, into);
  }

  private Safetensors source() {
    return open.computeIfAbsent(top(), top -> Safetensors.open(folder.resolve(fileOf(top))));
  }

  public long[] shape(String name) {
    return source().shape(inside(name));
  }

  public boolean hasTensor(String name) {
    return Files.exists(folder.resolve(fileOf(top()))) && source().has(inside(name));
  }

  private String inside(String name) {
    return path.equals(top()) ? name : path.substring(top().length() + 1) + "." + name;
  }

  private String top() {
    if (path.isEmpty()) throw new IllegalStateException("tensors lie in sections");
    return path.split("\\.", 2)[0];
  }

  /** Says what was expected of a value, and what was found. */
  public Failure wrong(String name, String expected) {
    JsonNode found = values.get(name);
    return Failure.data(
        "%s: '%s': expected %s, found %s",
        folder.resolve(VALUES),
        path.isEmpty() ? name : path + "." + name,
        expected,
        found == null ? "none" : found);
  }

  @Override
  public void close() {
    open.values().forEach(Safetensors::close);
    open.clear();
  }
}
