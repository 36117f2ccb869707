package dev.seekr.convert;

import dev.seekr.Failure;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * The fields of one message in Protocol Buffers' wire format, one after the other: {@link #next}
 * goes to a field, and one of the methods below takes its value, or {@link #skip} passes it.
 */
final class Protobuf {
  private static final int VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5;

  private final Path file;
  private final ByteBuffer in;
  private int field, kind;

  Protobuf(Path file, ByteBuffer in) {
    this.file = file;
    this.in = in.order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Goes to the next field; false: there is none. */
  boolean next() {
    if (!in.hasRemaining()) return false;
    long tag = varint();
    field = (int) (tag >>> 3);
    kind = (int) (tag & 7);
    if (tag >>> 3 != field || field <= 0) throw wrong("a field of number " + (tag >>> 3));
    return true;
  }

  /** The number of the field. */
  int field() {
    return field;
  }

  long whole() {
    expect(VARINT);
    return varint();
  }

  boolean flag() {
    return whole() != 0;
  }

  float real() {
    expect(FIXED32);
    try {
      return in.getFloat();
    } catch (BufferUnderflowException e) {
      throw truncated();
    }
  }

  String text() {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(bytes()).toString();
    } catch (CharacterCodingException e) {
      throw wrong("a text that is not UTF-8, in field " + field);
    }
  }

  Protobuf message() {
    return new Protobuf(file, bytes());
  }

  ByteBuffer bytes() {
    expect(BYTES);
    return take(varint());
  }

  void skip() {
    switch (kind) {
      case VARINT -> varint();
      case FIXED64 -> take(8);
      case BYTES -> take(varint());
      case FIXED32 -> take(4);
      default -> throw wrong("field %d of the unknown kind %d".formatted(field, kind));
    }
  }

  private void expect(int expected) {
    if (kind != expected)
      throw wrong("field %d of kind %d in place of %d".formatted(field, kind, expected));
  }

  private ByteBuffer take(long bytes) {
    if (bytes < 0 || bytes > in.remaining()) throw truncated();
    ByteBuffer taken = in.slice(in.position(), (int) bytes);
    in.position(in.position() + (int) bytes);
    return taken;
  }

  private long varint() {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (!in.hasRemaining()) throw truncated();
      byte b = in.get();
      value |= (long) (b & 0x7f) << shift;
      if (b >= 0) return value;
    }
    throw wrong("a number of more than 64 bits");
  }

  private Failure truncated() {
    return wrong("an end in the middle of a field; the file is truncated");
  }

  private Failure wrong(String found) {
    return Failure.data("%s: expected a model of SentencePiece, found %s", file, found);
  }
}
