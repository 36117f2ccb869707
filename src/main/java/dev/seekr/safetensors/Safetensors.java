package dev.seekr.safetensors;

import dev.seekr.Failure;
import dev.seekr.disk.Reading;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * One safetensors file: 8 bytes of little-endian header length, the JSON header, the data.
 * Everything but the data is checked on opening; tensors are read when they are asked for.
 */
public final class Safetensors implements TensorSource {
  /** The format's own limit. */
  static final long MAX_HEADER = 100_000_000;

  private static final int CHUNK = 1 << 22;
  private static final byte[] LFS = "version https://git-lfs".getBytes(StandardCharsets.US_ASCII);

  private final Path file;
  private final FileChannel channel;
  private final SafetensorsHeader header;
  private final long dataStart;
  private final Arena arena = Arena.ofShared(); // of tensors that were got

  private Safetensors(Path file, FileChannel channel, SafetensorsHeader header, long dataStart) {
    this.file = file;
    this.channel = channel;
    this.header = header;
    this.dataStart = dataStart;
  }

  /**
   * Opens and checks a file.
   *
   * @throws Failure input when it is missing or unreadable; data, naming file and tensor, when it
   *     is malformed
   */
  public static Safetensors open(Path file) {
    if (!Files.exists(file)) throw Failure.input("%s: no such file", file);
    if (!Files.isRegularFile(file))
      throw Failure.input("%s: expected a file, found a folder or device", file);
    FileChannel channel = null;
    try {
      channel = Reading.open(file);
      long size = channel.size();
      byte[] json = readHeader(file, channel, size);
      long dataStart = 8L + json.length;
      return new Safetensors(
          file, channel, SafetensorsHeader.parse(file, json, size - dataStart), dataStart);
    } catch (IOException e) {
      close(channel);
      throw new Failure(Failure.Exit.INPUT, file + ": cannot be read: " + Reading.reason(e), e);
    } catch (RuntimeException e) {
      close(channel);
      throw e;
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
    byte[] bytes = new byte[length];
    Reading.fully(channel, position, MemorySegment.ofArray(bytes));
    return bytes;
  }

  @Override
  public Set<String> names() {
    return header.entries().keySet();
  }

  @Override
  public Tensor get(String name) {
    var entry = readable(name);
    long bytes = entry.end() - entry.begin();
    var memory = arena.allocate(Math.max(1, bytes), 64).asSlice(0, bytes);
    read(name, entry, 0, memory);
    return new Tensor(entry.type(), entry.shape().clone(), memory);
  }

  /**
   * The elements of a tensor of whole numbers.
   *
   * @throws Failure data when there is no such tensor, or it holds anything but ints
   */
  public int[] ints(String name) {
    if (type(name).isFloat())
      throw Failure.data("%s: tensor '%s' is %s; expected whole numbers", file, name, type(name));
    try {
      return get(name).toInts();
    } catch (ArithmeticException e) {
      throw Failure.data("%s: tensor '%s' holds a number beyond 32 bits", file, name);
    }
  }

  /** Names it in messages. */
  public Path file() {
    return file;
  }

  @Override
  public void read(String name, long first, Tensor into) {
    var entry = readable(name);
    long n = into.size();
    Objects.checkFromIndexSize(first, n, Tensor.size(entry.shape()));
    DType type = entry.type();
    try (var chunk = Arena.ofConfined()) {
      long step = Math.min(n, CHUNK / type.bytes);
      var memory = chunk.allocate(Math.max(1, step * type.bytes), 64);
      for (long from = 0; from < n; from += step) {
        long count = Math.min(step, n - from);
        var part = memory.asSlice(0, count * type.bytes);
        read(name, entry, (first + from) * type.bytes, part);
        into.view(from, count).copyFrom(new Tensor(type, new long[] {count}, part));
      }
    }
  }

  private void read(String name, SafetensorsHeader.Entry entry, long from, MemorySegment into) {
    try {
      Reading.fully(channel, dataStart + entry.begin() + from, into);
    } catch (IOException e) {
      throw new Failure(
          Failure.Exit.IO,
          "%s: tensor '%s' cannot be read: %s"
              .formatted(file, Failure.plain(name), Reading.reason(e)),
          e);
    }
  }

  /** Of a type that Seekr knows. */
  private SafetensorsHeader.Entry readable(String name) {
    var entry = entry(name);
    if (entry.type() == null) {
      throw Failure.data(
          "%s: tensor '%s' is %s; Seekr reads %s",
          file, name, entry.dtype(), Arrays.toString(DType.values()));
    }
    return entry;
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
  public DType type(String name) {
    return readable(name).type();
  }

  @Override
  public void close() {
    close(channel);
    if (arena.scope().isAlive()) arena.close();
  }

  private static void close(FileChannel channel) {
    try {
      if (channel != null) channel.close();
    } catch (IOException e) {
      // It was only read.
    }
  }
}
