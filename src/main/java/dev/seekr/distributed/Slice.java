package dev.seekr.distributed;

import dev.seekr.tensor.Tensor;

/**
 * The elements {@code [from, from + n)} of a flat tensor that belong to one process.
 *
 * @param n 0 or more
 */
public record Slice(long from, long n) {
  /** Elements that begin at a multiple of it are aligned for every type and vector. */
  private static final long ALIGNED = 64;

  /**
   * Of {@code size} elements, process {@code rank}'s. All have equally many but the last ones,
   * which have what is left.
   */
  public static Slice of(long size, int rank, int ranks) {
    long each = (Math.ceilDiv(size, ranks) + ALIGNED - 1) / ALIGNED * ALIGNED;
    long from = Math.min(size, rank * each);
    return new Slice(from, Math.min(each, size - from));
  }

  /** Its elements [n] of a flat tensor, a view. */
  public Tensor of(Tensor flat) {
    return flat.view(from, n);
  }
}
