package dev.seekr.convert;

import dev.seekr.Failure;
import dev.seekr.safetensors.TensorSource;
import dev.seekr.safetensors.Wrappers;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Tensor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A model's tensors with a LoRA adapter merged into them: W + s B A, computed in f32 while they are
 * read. Tensors that were trained as a whole (modules_to_save, biases) take the place of the
 * model's.
 */
final class Merged implements TensorSource {
  private static final String WEIGHT = ".weight";

  private static final Pattern LOW_RANK =
      Pattern.compile("(.+)\\.lora_(embedding_)?([AB])(?:\\.default)?(?:\\.weight)?");

  private static final Pattern SAVED =
      Pattern.compile("\\.modules_to_save(?:\\.default)?\\.|\\.base_layer\\.");

  private final TensorSource model, adapter;
  private final AdapterConfig config;
  private final Path folder;

  /** Names of A and B in the adapter, by the module that they change. */
  private final Map<String, Pair> pairs = new HashMap<>();

  /** Names in the adapter of tensors in place of the model's, by theirs. */
  private final Map<String, String> replaced = new HashMap<>();

  /** What is added to the tensor that was read last. */
  private Change change;

  private static final class Pair {
    String a, b;
    boolean embedding;
  }

  /** s B A, B [out,r] and A [r,in]. */
  private record Change(String name, float[] b, float[] a, int r, int in, float scale) {}

  /**
   * @param folder of the adapter, whose tensors {@code adapter} has
   * @param tied the model's output layer is its embedding
   * @throws Failure (65) naming a tensor of the adapter that does not fit the model
   */
  Merged(
      TensorSource model, TensorSource adapter, AdapterConfig config, Path folder, boolean tied) {
    this.model = model;
    this.adapter = adapter;
    this.config = config;
    this.folder = folder;
    for (String name : adapter.names()) sort(name);
    if (pairs.isEmpty() && replaced.isEmpty()) throw Failure.data("%s: holds no adapter", folder);
    pairs.forEach(this::check);
    var changed = new HashSet<>(replaced.keySet());
    pairs.keySet().forEach(module -> changed.add(module + WEIGHT));
    for (String name : List.of("model.embed_tokens.weight", "lm_head.weight"))
      if (tied && changed.contains(name))
        throw Failure.data(
            "%s: changes %s, which the model ties to another; merged they would no longer be one",
            folder, name);
  }

  private void sort(String name) {
    String bare = Wrappers.strip(name);
    Matcher low = LOW_RANK.matcher(bare);
    if (low.matches()) {
      var pair = pairs.computeIfAbsent(low.group(1), _ -> new Pair());
      pair.embedding |= low.group(2) != null;
      if (low.group(3).equals("A")) pair.a = once(pair.a, name);
      else pair.b = once(pair.b, name);
      return;
    }
    String whole = SAVED.matcher(bare).replaceAll(".");
    if (!model.has(whole))
      throw Failure.data(
          "%s: '%s' is neither a low-rank adapter nor a tensor of the model", folder, name);
    if (!Arrays.equals(model.shape(whole), adapter.shape(name)))
      throw Failure.data(
          "%s: '%s' is %s; the model's is %s",
          folder, name, Arrays.toString(adapter.shape(name)), Arrays.toString(model.shape(whole)));
    replaced.put(whole, once(replaced.get(whole), name));
  }

  private String once(String before, String name) {
    if (before == null) return name;
    throw Failure.data("%s: '%s' and '%s' are the same tensor of one module", folder, before, name);
  }

  private void check(String module, Pair pair) {
    if (pair.a == null || pair.b == null)
      throw Failure.data(
          "%s: '%s' has no lora_%s to it",
          folder, pair.a == null ? pair.b : pair.a, pair.a == null ? "A" : "B");
    String weight = module + WEIGHT;
    if (!model.has(weight))
      throw Failure.data("%s: '%s' changes what the model does not have", folder, pair.a);
    long[] w = model.shape(weight), a = adapter.shape(pair.a), b = adapter.shape(pair.b);
    int rank = config.rank(module);
    boolean fits =
        w.length == 2
            && Arrays.equals(a, new long[] {rank, w[pair.embedding ? 0 : 1]})
            && Arrays.equals(b, new long[] {w[pair.embedding ? 1 : 0], rank});
    if (!fits)
      throw Failure.data(
          "%s: '%s' is %s and B is %s; of rank %d they do not fit the model's %s",
          folder, pair.a, Arrays.toString(a), Arrays.toString(b), rank, Arrays.toString(w));
  }

  /** What was done. */
  String said() {
    return "%d adapters merged, %d tensors replaced.".formatted(pairs.size(), replaced.size());
  }

  @Override
  public void read(String name, long from, Tensor into) {
    String module = name.endsWith(WEIGHT) ? name.substring(0, name.length() - WEIGHT.length()) : "";
    Pair pair = pairs.get(module);
    if (pair == null) {
      whole(name, from, into);
      return;
    }
    if (change == null || !change.name.equals(name)) change = change(name, module, pair);
    float[] values = new float[Math.toIntExact(into.size())];
    whole(name, from, Tensor.of(values));
    add(change, from, values);
    into.copyFrom(Tensor.of(values));
  }

  private void whole(String name, long from, Tensor into) {
    if (replaced.containsKey(name)) adapter.read(replaced.get(name), from, into);
    else model.read(name, from, into);
  }

  private Change change(String name, String module, Pair pair) {
    float[] a = floats(pair.a), b = floats(pair.b);
    int r = config.rank(module);
    float scale = (float) config.scale(module);
    if (pair.embedding)
      return new Change(
          name, transposed(a, r), transposed(b, b.length / r), r, b.length / r, scale);
    return new Change(name, b, a, r, a.length / r, scale);
  }

  private float[] floats(String name) {
    float[] values = new float[Math.toIntExact(Tensor.size(adapter.shape(name)))];
    adapter.read(name, Tensor.of(values));
    return values;
  }

  private static float[] transposed(float[] m, int rows) {
    int columns = m.length / rows;
    float[] t = new float[m.length];
    for (int i = 0; i < rows; i++)
      for (int j = 0; j < columns; j++) t[j * rows + i] = m[i * columns + j];
    return t;
  }

  /** Adds to elements of the flattened tensor from {@code from} on. */
  private static void add(Change c, long from, float[] values) {
    for (int done = 0; done < values.length; ) {
      int row = (int) ((from + done) / c.in), column = (int) ((from + done) % c.in);
      int count = Math.min(c.in - column, values.length - done);
      for (int k = 0; k < c.r; k++) {
        float factor = c.scale * c.b[row * c.r + k];
        int at = k * c.in + column;
        for (int j = 0; j < count; j++) values[done + j] += factor * c.a[at + j];
      }
      done += count;
    }
  }

  @Override
  public Set<String> names() {
    return model.names();
  }

  @Override
  public Tensor get(String name) {
    throw new UnsupportedOperationException("merged tensors are read piece by piece");
  }

  @Override
  public DType type(String name) {
    return replaced.containsKey(name) ? adapter.type(replaced.get(name)) : model.type(name);
  }

  @Override
  public long[] shape(String name) {
    return model.shape(name);
  }

  @Override
  public Map<String, String> metadata() {
    return model.metadata();
  }

  /** Whoever opened the model and the adapter closes them. */
  @Override
  public void close() {
    change = null;
  }
}
