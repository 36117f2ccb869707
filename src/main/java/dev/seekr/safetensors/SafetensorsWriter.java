package dev.seekr.safetensors;

import com.fasterxml.jackson.core.JsonFactory;
import dev.seekr.Failure;
import dev.seekr.disk.Disk;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** What safetensors files hold: the same tensors always give the same bytes. */
public final class SafetensorsWriter {
  /**
   * Data goes through a buffer of this many bytes, so tensors may lie anywhere and be of any size.
   */
  private static final int CHUNK = 1 << 22;

  private SafetensorsWriter() {}

  /** Tensors in their own element types. See {@link #content(Map, Map, DType)}. */
  public static Disk.Content content(Map<String, Tensor> tensors) {
    return content(tensors, Map.of(), null);
  }

  /**
   * What a file of these tensors holds. Wide elements come first, then names in order, as the
   * Python library does, so all data is aligned. Metadata {@code format: pt} is added unless a
   * format is given: transformers refuses files without one.
   *
   * @param as element type to round floating-point tensors to; null keeps theirs. Integer tensors
   *     always keep theirs
   * @throws Failure (78) while it is written, naming the tensor, when {@code as} cannot hold one of
   *     its finite numbers
   */
  public static Disk.Content content(
      Map<String, Tensor> tensors, Map<String, String> metadata, DType as) {
    return content(tensors, metadata, as, (_, t, _) -> t);
  }

  /** What is written in a tensor's place. */
  public interface Change {
    /** Of the same shape; it may lie in {@code memory}, which lasts until it is written. */
    Tensor of(String name, Tensor t, Memory memory);
  }

  /**
   * The same of tensors that are computed when their turn comes.
   *
   * @param as not null, unless nothing changes
   */
  public static Disk.Content content(
      Map<String, Tensor> tensors, Map<String, String> metadata, DType as, Change change) {
    return content(
        tensors.entrySet().stream()
            .map(e -> part(e.getKey(), e.getValue().dtype(), e.getValue().shape(), as))
            .toList(),
        metadata,
        (part, memory) -> change.of(part.name, tensors.get(part.name), memory)::view);
  }

  /**
   * The same of tensors of {@code source}, which are read piece by piece while they are written.
   */
  public static Disk.Content content(
      TensorSource source, Collection<String> names, Map<String, String> metadata, DType as) {
    return content(
        names.stream().map(name -> part(name, source.type(name), source.shape(name), as)).toList(),
        metadata,
        (part, _) ->
            (from, count) -> {
              var bytes = MemorySegment.ofArray(new byte[Math.toIntExact(count * part.from.bytes)]);
              var piece = new Tensor(part.from, new long[] {count}, bytes);
              source.read(part.name, from, piece);
              return piece;
            });
  }

  /** A tensor of a file: its type where it comes from, and in the file. */
  private record Part(String name, DType from, DType dtype, long[] shape) {}

  /** Elements [from, from + count) of a part. */
  private interface Pieces {
    Tensor piece(long from, long count);
  }

  /** What a part is read from; memory lasts until it is written. */
  private interface Opening {
    Pieces of(Part part, Memory memory);
  }

  private static Part part(String name, DType from, long[] shape, DType as) {
    if (name.equals(SafetensorsHeader.METADATA)) {
      throw new IllegalArgumentException("no tensor may be called " + SafetensorsHeader.METADATA);
    }
    return new Part(name, from, as == null || !from.isFloat() ? from : as, shape);
  }

  private static Disk.Content content(
      List<Part> parts, Map<String, String> metadata, Opening opening) {
    var ordered =
        parts.stream()
            .sorted(Comparator.comparingInt((Part p) -> -p.dtype.bytes).thenComparing(Part::name))
            .toList();
    return out -> {
      out.write(header(ordered, metadata));
      for (Part part : ordered) {
        try (var memory = new Memory("written tensor")) {
          writeData(out, part, opening.of(part, memory));
        }
      }
    };
  }

  /** The length, then the JSON, padded with spaces so that the data begins at a multiple of 8. */
  private static ByteBuffer header(List<Part> ordered, Map<String, String> metadata)
      throws IOException {
    var strings = new TreeMap<>(metadata == null ? Map.of() : metadata);
    strings.putIfAbsent("format", "pt");
    var bytes = new ByteArrayOutputStream();
    try (var json = new JsonFactory().createGenerator(bytes)) {
      json.writeStartObject();
      json.writeObjectFieldStart(SafetensorsHeader.METADATA);
      for (var e : strings.entrySet()) json.writeStringField(e.getKey(), e.getValue());
      json.writeEndObject();
      long offset = 0;
      for (Part part : ordered) {
        json.writeObjectFieldStart(part.name);
        json.writeStringField("dtype", part.dtype.name());
        json.writeArrayFieldStart("shape");
        for (long d : part.shape) json.writeNumber(d);
        json.writeEndArray();
        json.writeArrayFieldStart("data_offsets");
        json.writeNumber(offset);
        json.writeNumber(offset += Math.multiplyExact(Tensor.size(part.shape), part.dtype.bytes));
        json.writeEndArray();
        json.writeEndObject();
      }
      json.writeEndObject();
    }
    while (bytes.size() % 8 != 0) bytes.write(' ');
    var out = ByteBuffer.allocate(8 + bytes.size()).order(ByteOrder.LITTLE_ENDIAN);
    return out.putLong(bytes.size()).put(bytes.toByteArray()).flip();
  }

  private static void writeData(WritableByteChannel out, Part part, Pieces pieces)
      throws IOException {
    long n = Tensor.size(part.shape);
    try (var arena = Arena.ofConfined()) {
      long step = Math.min(n, CHUNK / part.dtype.bytes);
      var chunk =
          new Tensor(part.dtype, new long[] {step}, arena.allocate(step * part.dtype.bytes));
      for (long from = 0; from < n; from += step) {
        long count = Math.min(step, n - from);
        Tensor narrow = chunk.view(0, count), wide = pieces.piece(from, count);
        narrow.copyFrom(wide);
        boolean holdsLess = part.dtype.bytes < wide.dtype().bytes || part.dtype == DType.F16;
        if (holdsLess && part.dtype != wide.dtype()) checkHeld(part.name, narrow, wide);
        out.write(narrow.data().asByteBuffer());
      }
    }
  }

  /** Rounding to a type of a smaller range must not make infinities. */
  private static void checkHeld(String name, Tensor narrow, Tensor wide) {
    float[] rounded = narrow.toFloats();
    for (int i = 0; i < rounded.length; i++) {
      if (Float.isFinite(rounded[i])) continue;
      double was = wide.get(i);
      if (Double.isFinite(was))
        throw Failure.config(
            "%s holds %s, which is too large for %s; save as f32 or bf16 (model.save, or convert's"
                + " --dtype)",
            name, was, narrow.dtype().name().toLowerCase(Locale.ROOT));
    }
  }
}
