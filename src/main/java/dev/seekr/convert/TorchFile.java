package dev.seekr.convert;

import dev.seekr.Failure;
import dev.seekr.convert.TorchGlobals.Dict;
import dev.seekr.convert.TorchGlobals.View;
import dev.seekr.disk.Reading;
import dev.seekr.safetensors.TensorSource;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * The tensors of one file that PyTorch saved: a zip of data.pkl, which says what tensors there are,
 * and of their storages. All but the numbers is checked on opening. Tensors that lie row by row are
 * read piece by piece; of others the part of the storage that they lie in is held while they are
 * read.
 */
final class TorchFile implements TensorSource {
  private static final int CHUNK = 1 << 20; // elements

  /** Keys under which training programs keep the model beside other things. */
  private static final List<String> MODELS = List.of("state_dict", "model_state_dict", "model");

  /** Bytes of tensors for each of the file, where they share storages, and beside that. */
  private static final long MOST_SHARED = 64, ALWAYS = 256L << 20;

  private final Path file;
  private final TorchZip zip;
  private final Map<String, View> tensors;
  private final Arena arena = Arena.ofShared(); // of tensors that were got

  /** What a strided tensor lies in; null: none was read yet. */
  private View held;

  private Arena holding;
  private MemorySegment elements;

  private TorchFile(Path file, TorchZip zip, Map<String, View> tensors) {
    this.file = file;
    this.zip = zip;
    this.tensors = tensors;
  }

  /**
   * Opens and checks a file.
   *
   * @throws Failure input when it is missing or unreadable; data, naming what is wrong, when it is
   *     of another format, is malformed or asks for more than tensors
   */
  static TorchFile open(Path file) {
    TorchZip zip = TorchZip.open(file);
    try {
      Map<String, View> tensors = tensors(file, Pickle.read(file, zip.pickle()));
      long bytes = 0;
      for (View view : tensors.values()) {
        zip.require(view.storage());
        bytes += Tensor.size(view.shape()) * view.storage().type().bytes();
        if (bytes > MOST_SHARED * zip.bytes() + ALWAYS)
          throw Failure.data(
              "%s: its tensors are more than %d times as large as the file; they are not those of"
                  + " a model",
              file, MOST_SHARED);
      }
      return new TorchFile(file, zip, tensors);
    } catch (RuntimeException e) {
      zip.close();
      throw e;
    }
  }

  private static Map<String, View> tensors(Path file, Object root) {
    if (!(root instanceof Dict dict))
      throw Failure.data(
          "%s: holds %s; expected a dictionary of tensors, as torch.save(model.state_dict(), FILE)"
              + " writes it",
          file, TorchGlobals.kind(root));
    for (String key : MODELS)
      if (dict.items.get(key) instanceof Dict inner) return tensors(file, inner.items, key + ": ");
    return tensors(file, dict.items, "");
  }

  private static Map<String, View> tensors(Path file, Map<Object, Object> items, String where) {
    var tensors = new LinkedHashMap<String, View>();
    items.forEach(
        (key, value) -> {
          if (!(key instanceof String name && value instanceof View view))
            throw Failure.data(
                "%s: %s'%s' is %s; expected a tensor", file, where, key, TorchGlobals.kind(value));
          if (!Reading.isWhole(name))
            throw Failure.data("%s: tensor name '%s' is not valid Unicode", file, name);
          tensors.put(name, view);
        });
    if (tensors.isEmpty()) throw Failure.data("%s: holds no tensors", file);
    return Collections.unmodifiableMap(tensors);
  }

  @Override
  public Set<String> names() {
    return tensors.keySet();
  }

  @Override
  public Tensor get(String name) {
    DType type = type(name);
    long bytes = Tensor.size(shape(name)) * type.bytes;
    var memory = arena.allocate(Math.max(1, bytes), 64).asSlice(0, bytes);
    var tensor = new Tensor(type, shape(name), memory);
    read(name, tensor);
    return tensor;
  }

  @Override
  public void read(String name, long first, Tensor into) {
    View view = view(name);
    DType type = type(name);
    long n = into.size();
    Objects.checkFromIndexSize(first, n, Tensor.size(view.shape()));
    for (long from = 0; from < n; from += CHUNK) {
      int count = (int) Math.min(CHUNK, n - from);
      var bytes = MemorySegment.ofArray(new byte[count * type.bytes]);
      if (view.contiguous())
        zip.read(view.storage(), (view.offset() + first + from) * type.bytes, bytes);
      else gather(view, first + from, type.bytes, bytes);
      into.view(from, count).copyFrom(new Tensor(type, new long[] {count}, bytes));
    }
  }

  /** Elements of {@code view} from number {@code first} on, as many as {@code into} takes. */
  private void gather(View view, long first, int size, MemorySegment into) {
    hold(view, size);
    long[] shape = view.shape(), at = new long[shape.length];
    long position = 0;
    for (int d = shape.length - 1; d >= 0; d--) {
      at[d] = first % shape[d];
      first /= shape[d];
      position += at[d] * view.stride()[d];
    }
    for (long to = 0; to < into.byteSize(); to += size) {
      MemorySegment.copy(elements, position * size, into, to, size);
      for (int d = shape.length - 1; d >= 0; d--) {
        position += view.stride()[d];
        if (++at[d] < shape[d]) break;
        position -= at[d] * view.stride()[d];
        at[d] = 0;
      }
    }
  }

  private void hold(View view, int size) {
    if (held == view) return;
    release();
    holding = Arena.ofConfined();
    held = view;
    elements = holding.allocate(view.span() * size, 64);
    zip.read(view.storage(), view.offset() * size, elements);
  }

  private void release() {
    if (holding != null) holding.close();
    holding = null;
    held = null;
    elements = null;
  }

  @Override
  public DType type(String name) {
    TorchGlobals.Type type = view(name).storage().type();
    if (type.dtype() == null)
      throw Failure.data(
          "%s: tensor '%s' is of %s; Seekr reads %s",
          file, name, type.name(), Arrays.toString(DType.values()));
    return type.dtype();
  }

  @Override
  public long[] shape(String name) {
    return view(name).shape().clone();
  }

  private View view(String name) {
    View view = tensors.get(name);
    if (view == null)
      throw Failure.data("%s: no tensor '%s' among its %d", file, name, tensors.size());
    return view;
  }

  /** PyTorch stores none. */
  @Override
  public Map<String, String> metadata() {
    return Map.of();
  }

  @Override
  public void close() {
    release();
    zip.close();
    if (arena.scope().isAlive()) arena.close();
  }
}
