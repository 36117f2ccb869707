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
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
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
   * @throws Failure (78) while it is written, naming the tensor, when {@code as} is narrower than a
   *     tensor and cannot hold one of its finite numbers
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
    if (tensors.containsKey(SafetensorsHeader.METADATA)) {
      throw new IllegalArgumentException("no tensor may be called " + SafetensorsHeader.METADATA);
    }
    var ordered =
        tensors.entrySet().stream()
            .sorted(
                Comparator.comparingInt(
                        (Map.Entry<String, Tensor> e) -> -stored(e.getValue(), as).bytes)
                    .thenComparing(Map.Entry::getKey))
            .toList();
    return out -> {
      out.write(header(ordered, metadata, as));
      for (var e : ordered) {
        try (var memory = new Memory("written tensor")) {
          Tensor t = change.of(e.getKey(), e.getValue(), memory);
          writeData(out, e.getKey(), t, stored(e.getValue(), as));
        }
      }
    };
  }

  /** What a tensor is stored as. */
  private static DType stored(Tensor t, DType as) {
    return as == null || t.dtype() == DType.I64 || t.dtype() == DType.I32 ? t.dtype() : as;
  }

  /** The length, then the JSON, padded with spaces so that the data begins at a multiple of 8. */
  private static ByteBuffer header(
      List<Map.Entry<String, Tensor>> ordered, Map<String, String> metadata, DType as)
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
      for (var e : ordered) {
        DType dtype = stored(e.getValue(), as);
        json.writeObjectFieldStart(e.getKey());
        json.writeStringField("dtype", dtype.name());
        json.writeArrayFieldStart("shape");
        for (long d : e.getValue().shape()) json.writeNumber(d);
        json.writeEndArray();
        json.writeArrayFieldStart("data_offsets");
        json.writeNumber(offset);
        json.writeNumber(offset += Math.multiplyExact(e.getValue().size(), dtype.bytes));
        json.writeEndArray();
        json.writeEndObject();
      }
      json.writeEndObject();
    }
    while (bytes.size() % 8 != 0) bytes.write(' ');
    var out = ByteBuffer.allocate(8 + bytes.size()).order(ByteOrder.LITTLE_ENDIAN);
    return out.putLong(bytes.size()).put(bytes.toByteArray()).flip();
  }

  private static void writeData(WritableByteChannel out, String name, Tensor t, DType dtype)
      throws IOException {
    long n = t.size();
    try (var arena = Arena.ofConfined()) {
      long step = Math.min(n, CHUNK / dtype.bytes);
      var chunk = new Tensor(dtype, new long[] {step}, arena.allocate(step * dtype.bytes));
      for (long from = 0; from < n; from += step) {
        long count = Math.min(step, n - from);
        Tensor part = chunk.view(0, count), wide = t.view(from, count);
        part.copyFrom(wide);
        if (dtype.bytes < t.dtype().bytes) checkHeld(name, part, wide);
        out.write(part.data().asByteBuffer());
      }
    }
  }

  /** Rounding to a narrower type must not make infinities. */
  private static void checkHeld(String name, Tensor narrow, Tensor wide) {
    float[] rounded = narrow.toFloats();
    for (int i = 0; i < rounded.length; i++) {
      if (Float.isFinite(rounded[i])) continue;
      double was = wide.get(i);
      if (Double.isFinite(was))
        throw Failure.config(
            "%s holds %s, which is too large for %s (model.save); save as f32 or bf16",
            name, was, narrow.dtype().name().toLowerCase(Locale.ROOT));
    }
  }
}
