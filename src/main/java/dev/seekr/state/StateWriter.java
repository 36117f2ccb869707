package dev.seekr.state;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Collects what {@link Stateful} things hold: small values, tensors, and files of the run that they
 * go on reading. Values and tensors have names, which sections keep apart.
 */
public final class StateWriter {
  static final ObjectMapper JSON = new ObjectMapper();

  /** All that was said, at the root. */
  private record Collected(
      Map<String, Map<String, Tensor>> tensors, Set<String> constant, Set<Path> files) {}

  private final Collected all;
  private final String path; // "" at the root, else "weights" or "method.buffers"
  private final ObjectNode values;

  private StateWriter(Collected all, String path, ObjectNode values) {
    this.all = all;
    this.path = path;
    this.values = values;
  }

  public StateWriter() {
    this(
        new Collected(new LinkedHashMap<>(), new TreeSet<>(), new LinkedHashSet<>()),
        "",
        JSON.createObjectNode());
  }

  /**
   * A part of this state, with names of its own. The tensors of a section of the root share a file.
   */
  public StateWriter section(String name) {
    if (values.has(name)) throw new IllegalArgumentException(name + " is saved twice");
    return new StateWriter(all, path.isEmpty() ? name : path + "." + name, values.putObject(name));
  }

  /**
   * Tensors that lie in a file of their own, which another process perhaps writes; values go with
   * this section.
   */
  public StateWriter beside(String file) {
    return new StateWriter(all, file, values);
  }

  /**
   * Says that this section's tensors change seldom: what a file has already is not written again.
   */
  public void seldomChanges() {
    all.constant.add(top());
  }

  /** A number, text, boolean, array or list of such. A floating-point number must be finite. */
  public void put(String name, Object value) {
    if (value instanceof Number n && !Double.isFinite(n.doubleValue()))
      throw new IllegalArgumentException(name + " is " + n);
    if (values.has(name)) throw new IllegalArgumentException(name + " is saved twice");
    values.set(name, JSON.valueToTree(value));
  }

  /** A tensor, in a section. It must not change until it has been written, or {@link #copied}. */
  public void tensor(String name, Tensor tensor) {
    String inside = path.equals(top()) ? "" : path.substring(top().length() + 1) + ".";
    var file = all.tensors.computeIfAbsent(top(), _ -> new LinkedHashMap<>());
    if (file.put(inside + name, tensor) != null)
      throw new IllegalArgumentException(name + " is saved twice");
  }

  /** Bytes of all tensors. */
  public long bytes() {
    return all.tensors.values().stream()
        .flatMap(file -> file.values().stream())
        .mapToLong(Tensor::bytes)
        .sum();
  }

  /** Goes on with copies of all tensors, in {@code memory}: those that were given may change. */
  public void copied(Memory memory) {
    all.tensors
        .values()
        .forEach(
            file ->
                file.replaceAll(
                    (name, tensor) -> {
                      Tensor copy = memory.allocate("checkpoint", tensor.dtype(), tensor.shape());
                      copy.copyFrom(tensor);
                      return copy;
                    }));
  }

  /**
   * A file of the run that is read again: it must stay as it is for as long as this state counts.
   */
  public void file(Path file) {
    all.files.add(file);
  }

  private String top() {
    if (path.isEmpty()) throw new IllegalStateException("tensors lie in sections");
    return path.split("\\.", 2)[0];
  }

  /** The values, as JSON. */
  public ObjectNode values() {
    return values;
  }

  /** Tensors by name, by the section of the root that they lie in. */
  public Map<String, Map<String, Tensor>> tensors() {
    return all.tensors;
  }

  /** Whether a section of the root said that its tensors change seldom. */
  public boolean constant(String section) {
    return all.constant.contains(section);
  }

  public List<Path> files() {
    return new ArrayList<>(all.files);
  }
}
