package dev.seekr.tensor;

/** Element types, with the names that safetensors gives them. */
public enum DType {
  F64(8),
  F32(4),
  F16(2),
  BF16(2),
  I64(8),
  I32(4);

  /** Bytes an element takes. */
  public final int bytes;

  DType(int bytes) {
    this.bytes = bytes;
  }

  public boolean isFloat() {
    return this != I64 && this != I32;
  }

  /** The nearest bfloat16 of {@code x}, ties to even; NaN stays NaN. */
  public static short toBf16(float x) {
    int bits = Float.floatToRawIntBits(x);
    if (Float.isNaN(x)) return (short) (bits >>> 16 | 0x40);
    return (short) (bits + 0x7FFF + (bits >>> 16 & 1) >>> 16);
  }

  /**
   * One of the two bfloat16s that x lies between: the one farther from 0 as often as x is nearer to
   * it.
   *
   * @param random of which the lower 16 bits count
   */
  public static short toBf16(float x, int random) {
    if (!Float.isFinite(x)) return toBf16(x);
    return (short) (Float.floatToRawIntBits(x) + (random & 0xFFFF) >>> 16);
  }

  public static float fromBf16(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }
}
