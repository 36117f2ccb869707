package dev.seekr.tokenizer;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/**
 * SentencePiece's precompiled map of characters, as a normalizer of type Precompiled has it in
 * Base64: the bytes of a double-array trie, its units (32 bits, little-endian), and the texts that
 * its values point into, each ended by a zero. The library follows it without a check.
 */
final class Charsmap {
  /** Of units that one node's children may lie among. */
  private static final int BLOCK = 256;

  /** Most bytes of a text; SentencePiece's own have at most 33. */
  private static final int LONGEST = 64;

  private Charsmap() {}

  /** Whether every step and every value stays inside, whatever the text. */
  static boolean isSound(String base64) {
    byte[] bytes;
    try {
      bytes = Base64.getDecoder().decode(base64);
    } catch (IllegalArgumentException e) {
      return false;
    }
    if (bytes.length < Integer.BYTES) return false;
    var data = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int size = data.getInt();
    if (size <= 0 || size % (BLOCK * Integer.BYTES) != 0 || size > data.remaining()) return false;
    int[] units = new int[size / Integer.BYTES];
    data.asIntBuffer().get(units);
    byte[] texts = new byte[data.remaining() - size];
    data.position(Integer.BYTES + size).get(texts);
    try {
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(texts));
    } catch (CharacterCodingException e) {
      return false;
    }
    for (int i = 0; i < units.length; i++) {
      // A value; no step but the very first leads on from it.
      if (units[i] < 0 && i > 0) continue;
      long to = i ^ offset(units[i]);
      if (to >= units.length) return false;
      boolean leaf = (units[i] >> 8 & 1) == 1;
      if (leaf && !isText(texts, units[(int) to] & Integer.MAX_VALUE)) return false;
    }
    return true;
  }

  /** From a unit to the block of its children, as an exclusive or. */
  private static long offset(int unit) {
    return (long) (unit >>> 10) << ((unit & 1 << 9) >> 6);
  }

  private static boolean isText(byte[] texts, int from) {
    if (from >= texts.length || (texts[from] & 0xC0) == 0x80) return false;
    for (int i = from; i < texts.length && i <= from + LONGEST; i++) {
      if (texts[i] == 0) return true;
    }
    return false;
  }
}
