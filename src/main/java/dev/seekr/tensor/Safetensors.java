package dev.seekr.tensor;

import dev.seekr.Failure;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;

/**
 * One safetensors file, mapped into memory: 8 bytes of little-endian header length, the JSON
 * header, the data. Everything is checked on opening; afterwards each tensor listed can be read.
 */
public final class Safetensors implements TensorSource {
  /** The format's own limit. */
  static final long MAX_HEADER = 100_000_000;

  private static final byte[] LFS = "version https://git-lfs".getBytes(StandardCharsets.US_ASCII);

  private final Path file;
  private final Arena arena;
  private final SafetensorsHeader header;
  private final MemorySegment data;

  private Safetensors(Path file, Arena arena, SafetensorsHeader header, MemorySegment data) {
    this.file = file;
    this.arena = arena;
    this.header = header;
    this.data = data;
  }

  /**
   * Checks and maps a file.
   *
   * @throws Failure input when it is missing or unreadable; data, naming file and tensor, when it
   *     is malformed
   */
  public static Safetensors open(Path file) {
    if (!Files.exists(file)) throw Failure.input("%s: no such file", file);
    if (!Files.isRegularFile(file))
      throw Failure.input("%s: expected a file, found a folder or device", file);
    try (var channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long size = channel.size();
      byte[] json = readHeader(file, channel, size);
      long dataStart = 8L + json.length;
      var header = SafetensorsHeader.parse(file, json, size - dataStart);
      var arena = Arena.ofShared();
      try {
        var mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena);
        return new Safetensors(file, arena, header, mapped.asSlice(dataStart));
      } catch (IOException | RuntimeException e) {
        arena.close();
        throw e;
      }
    } catch (IOException e) {
      throw new Failure(Failure.Exit.INPUT, file + ": cannot be read: " + e.getMessage(), e);
    }
  }

  /**
   * The header's bytes; its length is held against the file's size before anything is allocated for
   * it.
   */
  private static byte[] readHeader(Path file, FileChannel channel, long size) throws IOException {
    byte[] head = read(channel, 0, (int) Math.min(size, LFS.length));
    if (Arrays.equals(head, LFS)) {
      throw Failure.data(
          "%s: this is a Git LFS pointer, not the tensors themselves; fetch them with 'git lfs"
              + " pull'",
          file);
    }
    if (size < 8) {
      throw Failure.data(
          "%s: expected at least 8 bytes of header length, found a file of %d bytes", file, size);
    }
    long length = ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN).getLong();
    if (length < 0 || length > MAX_HEADER) {
      throw Failure.data(
          "%s: expected a header of at most %d bytes, found a length of %s; is this a safetensors"
              + " file?",
          file, MAX_HEADER, Long.toUnsignedString(length));
    }
    if (length > size - 8) {
      throw Failure.data(
          "%s: expected a header of %d bytes, found %d bytes after its length; the file is"
              + " truncated",
          file, length, size - 8);
    }
    return read(channel, 8, (int) length);
  }

  private static byte[] read(FileChannel channel, long position, int length) throws IOException {
    var buffer = ByteBuffer.allocate(length);
    while (buffer.hasRemaining()) {
      int n = channel.read(buffer, position + buffer.position());
      if (n < 0) throw new IOException("the file shrank while it was read");
    }
    return buffer.array();
  }

  @Override
  public Set<String> names() {
    return header.entries().keySet();
  }

  @Override
  public Tensor get(String name) {
    var entry = entry(name);
    if (entry.type() == null) {
      throw Failure.data(
          "%s: tensor '%s' is %s; Seekr reads %s",
          file, name, entry.dtype(), Arrays.toString(DType.values()));
    }
    return new Tensor(
        entry.type(),
        entry.shape().clone(),
        data.asSlice(entry.begin(), entry.end() - entry.begin()));
  }

  @Override
  public long[] shape(String name) {
    return entry(name).shape().clone();
  }

  private SafetensorsHeader.Entry entry(String name) {
    var entry = header.entries().get(name);
    if (entry == null) {
      throw Failure.data("%s: no tensor '%s' among its %d", file, name, header.entries().size());
    }
    return entry;
  }

  @Override
  public Map<String, String> metadata() {
    return header.metadata();
  }

  @Override
  public void close() {
    arena.close();
  }
}
