package dev.seekr.ops;

/** Random bits that are computed where they are needed, the same in every library. */
final class Hashes {
  private Hashes() {}

  /** mix64 of {@code seekr.h}. */
  static long mix(long z) {
    z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
    z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
    return z ^ z >>> 31;
  }

  /** mix32 of {@code seekr.h}. */
  static int mix(int h) {
    h = (h ^ h >>> 16) * 0x85EBCA6B;
    h = (h ^ h >>> 13) * 0xC2B2AE35;
    return h ^ h >>> 16;
  }
}
