package dev.seekr.jmh;

/**
 * What one call computes and moves at the least: what its time is held against.
 *
 * @param flops floating-point operations, a multiplication and an addition counted as two
 * @param bytes that must be read or written, each once
 */
record Work(double flops, double bytes) {
  /** Of {@code n} floats that are read or written and take {@code flops} operations each. */
  static Work pass(double n, double flops) {
    return new Work(n * flops, n * Float.BYTES);
  }
}
