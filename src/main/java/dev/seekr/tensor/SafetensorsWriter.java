package dev.seekr.tensor;

import com.fasterxml.jackson.core.JsonFactory;
import dev.seekr.Failure;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Writes safetensors files: the same tensors always give the same bytes, and a file is there whole
 * or not at all.
 */
public final class SafetensorsWriter {
  /**
   * Data goes through a buffer of this many bytes, so tensors may lie anywhere and be of any size.
   */
  private static final int CHUNK = 1 << 22;

  private SafetensorsWriter() {}

  /** Writes tensors in their own element types. See {@link #write(Path, Map, Map, DType)}. */
  public static void write(Path file, Map<String, Tensor> tensors, Map<String, String> metadata) {
    write(file, tensors, metadata, null);
  }

  /**
   * Writes a file by way of a temporary one beside it, replacing what was there. Wide elements come
   * first, then names in order, as the Python library does, so all data is aligned. Metadata {@code
   * format: pt} is added unless a format is given: transformers refuses files without one.
   *
   * @param as element type to round floating-point tensors to; null keeps theirs. Integer tensors
   *     always keep theirs
   * @throws Failure create when the folder is missing or not writable, io when writing fails
   */
  public static void write(
      Path file, Map<String, Tensor> tensors, Map<String, String> metadata, DType as) {
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
    Path absolute = file.toAbsolutePath();
    Path temporary =
        absolute.resolveSibling(
            "." + file.getFileName() + "." + ProcessHandle.current().pid() + ".tmp");
    try {
      try (var channel = create(temporary)) {
        writeFully(channel, header(ordered, metadata, as));
        for (var e : ordered) writeData(channel, e.getValue(), stored(e.getValue(), as));
        channel.force(true);
      }
      Files.move(
          temporary, absolute, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      // The rename itself lasts only once the folder is on disk.
      try (var folder = FileChannel.open(absolute.getParent(), StandardOpenOption.READ)) {
        folder.force(true);
      }
    } catch (IOException e) {
      throw new Failure(Failure.Exit.IO, file + ": cannot be written: " + e, e);
    } finally {
      deleteQuietly(temporary);
    }
  }

  private static FileChannel create(Path temporary) {
    try {
      return FileChannel.open(
          temporary,
          StandardOpenOption.CREATE,
          StandardOpenOption.TRUNCATE_EXISTING,
          StandardOpenOption.WRITE);
    } catch (NoSuchFileException e) {
      throw new Failure(Failure.Exit.CREATE, temporary.getParent() + ": no such folder", e);
    } catch (IOException e) {
      throw new Failure(
          Failure.Exit.CREATE, temporary.getParent() + ": cannot create files here: " + e, e);
    }
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

  private static void writeData(FileChannel channel, Tensor t, DType dtype) throws IOException {
    long n = t.size();
    try (var arena = Arena.ofConfined()) {
      long step = Math.min(n, CHUNK / dtype.bytes);
      var chunk = new Tensor(dtype, new long[] {step}, arena.allocate(step * dtype.bytes));
      for (long from = 0; from < n; from += step) {
        long count = Math.min(step, n - from);
        var part = chunk.view(0, count);
        part.copyFrom(t.view(from, count));
        writeFully(channel, part.data().asByteBuffer());
      }
    }
  }

  private static void writeFully(FileChannel channel, ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) channel.write(buffer);
  }

  private static void deleteQuietly(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      // What went wrong before this is what the user needs to hear.
    }
  }
}
