package dev.seekr.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.junit.jupiter.api.Test;

class CharsmapTest {
  private static final int ROOT = 0, VALUE = 1, BLOCK = 256, UNITS = 512;

  /** Maps one character of ASCII to what {@code texts} has up to its first zero. */
  static String map(char from, String texts) {
    return encoded(units(from, 0), texts.getBytes(StandardCharsets.UTF_8));
  }

  /** The root leads to the second block, where the character's unit leads to the value. */
  private static int[] units(char from, int value) {
    int[] units = new int[UNITS];
    units[ROOT] = BLOCK << 10;
    units[BLOCK ^ from] = (BLOCK ^ from ^ VALUE) << 10 | 1 << 8 | from;
    units[VALUE] = 1 << 31 | value;
    return units;
  }

  private static String encoded(int[] units, byte[] texts) {
    var bytes = ByteBuffer.allocate(4 + 4 * units.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putInt(4 * units.length);
    for (int unit : units) bytes.putInt(unit);
    var all = new ByteArrayOutputStream();
    all.writeBytes(bytes.array());
    all.writeBytes(texts);
    return Base64.getEncoder().encodeToString(all.toByteArray());
  }

  private static boolean isSound(int[] units, String texts) {
    return Charsmap.isSound(encoded(units, texts.getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void sound() {
    assertThat(Charsmap.isSound(map('A', "a\0"))).isTrue();
    assertThat(isSound(units('A', 2), "x\0ä\0")).isTrue();
  }

  @Test
  void notEvenAMap() {
    assertThat(Charsmap.isSound("")).isFalse();
    assertThat(Charsmap.isSound("AAAA")).isFalse();
    assertThat(Charsmap.isSound("no base 64!")).isFalse();
    assertThat(Charsmap.isSound("BAAAAP////8=")).as("one unit").isFalse();
    assertThat(Charsmap.isSound("/////w==")).as("a size below zero").isFalse();
    assertThat(Charsmap.isSound(map('A', "a\0").substring(0, 400))).as("cut short").isFalse();
    assertThat(Charsmap.isSound(encoded(units('A', 0), new byte[] {(byte) 0xFF, 0})))
        .as("no UTF-8")
        .isFalse();
  }

  @Test
  void stepsThatLeadOut() {
    int[] root = units('A', 0);
    root[ROOT] = UNITS << 10;
    assertThat(isSound(root, "a\0")).isFalse();
    root[ROOT] |= 1 << 31;
    assertThat(isSound(root, "a\0")).as("whatever else the root is").isFalse();
    int[] child = units('A', 0);
    child[BLOCK ^ 'A'] |= 1 << 9;
    assertThat(isSound(child, "a\0")).as("an offset times 256").isFalse();
  }

  @Test
  void valuesThatAreNoText() {
    assertThat(isSound(units('A', 2), "a\0")).as("behind the end").isFalse();
    assertThat(isSound(units('A', 1), "ä\0")).as("inside of a character").isFalse();
    assertThat(isSound(units('A', 0), "a")).as("without an end").isFalse();
    assertThat(isSound(units('A', 0), "a".repeat(65) + "\0")).as("too long").isFalse();
    assertThat(isSound(units('A', 0), "a".repeat(64) + "\0")).isTrue();
  }
}
