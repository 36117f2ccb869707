package dev.seekr.report;

import dev.seekr.disk.Appender;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * A file of events as TensorBoard reads it. A record is a length, its checksum, a message and its
 * checksum; the messages are protocol buffers of TensorFlow's event.proto, of which this writes the
 * few fields it needs.
 */
public final class EventFile implements AutoCloseable {
  private static final int STRING = 7, SESSION_START = 1; // DT_STRING, SessionLog.START

  private final InstantSource clock;
  private final Appender file;

  /** Makes a file, whose first record says which version it has. */
  public EventFile(Path path) {
    this(path, InstantSource.system());
  }

  EventFile(Path path, InstantSource clock) {
    this.clock = clock;
    file = new Appender(path);
    add(event(0).text(3, "brain.Event:2"));
  }

  /**
   * Says that a session begins: a reader drops what it has read of steps from this one on.
   *
   * @param step the first to come
   */
  public void begins(long step) {
    add(event(step).message(7, new Message().whole(1, SESSION_START)));
  }

  /** Numbers of a step by their tags, held as floats. */
  public void scalars(long step, Map<String, Double> values) {
    var summary = new Message();
    values.forEach(
        (tag, value) ->
            summary.message(1, new Message().text(1, tag).single(2, value.floatValue())));
    add(event(step).message(5, summary));
  }

  /** A text in Markdown, at step 0. */
  public void text(String tag, String markdown) {
    var metadata = new Message().message(1, new Message().text(1, "text"));
    var tensor = new Message().whole(1, STRING).message(2, new Message()).text(8, markdown);
    var value = new Message().text(1, tag).message(8, tensor).message(9, metadata);
    add(event(0).message(5, new Message().message(1, value)));
  }

  /** An event of now. A step of 0 is not written, as no number of 0 is. */
  private Message event(long step) {
    Instant now = clock.instant();
    return new Message().real(1, now.getEpochSecond() + now.getNano() / 1e9).whole(2, step);
  }

  private void add(Message event) {
    byte[] data = event.bytes.toByteArray();
    var record = ByteBuffer.allocate(data.length + 16).order(ByteOrder.LITTLE_ENDIAN);
    record.putLong(data.length).putInt(masked(record.array(), 8)).put(data);
    file.add(record.putInt(masked(data, data.length)).array());
  }

  /** CRC-32C of the first bytes, turned and shifted, so that checksums of checksums do no harm. */
  private static int masked(byte[] bytes, int n) {
    var crc = new CRC32C();
    crc.update(bytes, 0, n);
    return Integer.rotateRight((int) crc.getValue(), 15) + 0xa282ead8;
  }

  /** Waits until all is on the disk; returns how many bytes it is. */
  public long force() {
    return file.force();
  }

  @Override
  public void close() {
    file.close();
  }

  /** A protocol buffer: fields by their numbers, each behind its number and kind. */
  private static final class Message {
    private static final int WHOLE = 0, EIGHT_BYTES = 1, LENGTH = 2, FOUR_BYTES = 5;

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    /** From 0 on; 0 is left out. */
    Message whole(int field, long value) {
      return value == 0 ? this : key(field, WHOLE).varint(value);
    }

    Message real(int field, double value) {
      return key(field, EIGHT_BYTES).fixed(8, Double.doubleToLongBits(value));
    }

    Message single(int field, float value) {
      return key(field, FOUR_BYTES).fixed(4, Float.floatToIntBits(value));
    }

    Message text(int field, String text) {
      return chunk(field, text.getBytes(StandardCharsets.UTF_8));
    }

    Message message(int field, Message inner) {
      return chunk(field, inner.bytes.toByteArray());
    }

    private Message chunk(int field, byte[] content) {
      key(field, LENGTH).varint(content.length).bytes.writeBytes(content);
      return this;
    }

    private Message key(int field, int kind) {
      return varint((long) field << 3 | kind);
    }

    /** Seven bits a byte, the lowest first; all but the last byte have the highest bit. */
    private Message varint(long value) {
      for (; value > 0x7f; value >>>= 7) bytes.write((int) (value & 0x7f | 0x80));
      bytes.write((int) value);
      return this;
    }

    private Message fixed(int n, long bits) {
      for (int i = 0; i < n; i++) bytes.write((int) (bits >>> 8 * i));
      return this;
    }
  }
}
