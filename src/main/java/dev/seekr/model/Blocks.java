package dev.seekr.model;

import dev.seekr.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Cuts one flat tensor into blocks. Each begins at a cache line; the gaps stay zero, so that passes
 * over the flat tensor need not know them.
 */
public final class Blocks {
  private static final int ALIGN = 16;

  final Tensor flat;
  private final List<Block> all = new ArrayList<>();
  private long used;

  /** flat: zeros, as many as the blocks' {@link #align aligned} sizes come to. */
  Blocks(Tensor flat) {
    this.flat = flat;
  }

  /** A block, and what it is. */
  public record Block(Tensor tensor, Role role) {}

  /** The next block. */
  Tensor next(Role role, long... shape) {
    Tensor block = flat.view(used, shape);
    used += align(Tensor.size(shape));
    all.add(new Block(block, role));
    return block;
  }

  List<Block> all() {
    return all;
  }

  /** What a block of n elements takes. */
  static long align(long n) {
    return (n + ALIGN - 1) / ALIGN * ALIGN;
  }
}
