package dev.seekr.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads what TensorBoard would: its own framing, checksums bit by bit, and protocol buffers without
 * their schema.
 */
public final class EventReader {
  /** A number of a step. */
  public record Scalar(String tag, long step, float value) {}

  /** An event: fields by their numbers, each a Long, a Float, a Double or bytes. */
  public record Event(Map<Integer, List<Object>> fields) {
    public long step() {
      return (long) fields.getOrDefault(2, List.of(0L)).getFirst();
    }

    /** Messages in a field. */
    public List<Event> inner(int field) {
      return fields.getOrDefault(field, List.of()).stream()
          .map(bytes -> new Event(message((byte[]) bytes)))
          .toList();
    }

    public String text(int field) {
      return new String((byte[]) fields.get(field).getFirst(), StandardCharsets.UTF_8);
    }
  }

  private EventReader() {}

  /** The events of a file; fails where a checksum is not right, or bytes are left over. */
  public static List<Event> events(Path file) throws IOException {
    var bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    var events = new ArrayList<Event>();
    while (bytes.hasRemaining()) {
      byte[] length = new byte[8];
      bytes.get(length);
      assertThat(bytes.getInt()).isEqualTo(masked(length));
      byte[] data =
          new byte[Math.toIntExact(ByteBuffer.wrap(length).order(bytes.order()).getLong())];
      bytes.get(data);
      assertThat(bytes.getInt()).isEqualTo(masked(data));
      events.add(new Event(message(data)));
    }
    return events;
  }

  /** All numbers of a folder, file by file in the order of names. */
  public static List<Scalar> scalars(Path folder) throws IOException {
    var scalars = new ArrayList<Scalar>();
    try (var files = Files.list(folder)) {
      for (Path file : (Iterable<Path>) files.sorted()::iterator)
        for (Event event : events(file))
          for (Event summary : event.inner(5))
            for (Event value : summary.inner(1))
              if (value.fields.containsKey(2))
                scalars.add(
                    new Scalar(
                        value.text(1), event.step(), (float) value.fields.get(2).getFirst()));
    }
    return scalars;
  }

  static int masked(byte[] bytes) {
    int crc = crc(bytes);
    return ((crc >>> 15) | (crc << 17)) + 0xa282ead8;
  }

  /** CRC-32C by its polynomial. */
  static int crc(byte[] bytes) {
    int crc = -1;
    for (byte b : bytes) {
      crc ^= b & 0xff;
      for (int bit = 0; bit < 8; bit++) crc = crc >>> 1 ^ ((crc & 1) == 0 ? 0 : 0x82f63b78);
    }
    return ~crc;
  }

  private static Map<Integer, List<Object>> message(byte[] data) {
    var in = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
    var fields = new LinkedHashMap<Integer, List<Object>>();
    while (in.hasRemaining()) {
      long key = varint(in);
      Object value =
          switch ((int) (key & 7)) {
            case 0 -> varint(in);
            case 1 -> in.getDouble();
            case 2 -> {
              byte[] chunk = new byte[(int) varint(in)];
              in.get(chunk);
              yield chunk;
            }
            case 5 -> in.getFloat();
            default -> throw new AssertionError("field of kind " + (key & 7));
          };
      fields.computeIfAbsent((int) (key >>> 3), _ -> new ArrayList<>()).add(value);
    }
    return fields;
  }

  private static long varint(ByteBuffer in) {
    long value = 0;
    for (int shift = 0; ; shift += 7) {
      byte b = in.get();
      value |= (b & 0x7fL) << shift;
      if (b >= 0) return value;
    }
  }
}
