package dev.seekr.model;

import dev.seekr.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Cuts one flat tensor into blocks. Each begins at a cache line; the gaps stay zero, so that passes
 * over the flat tensor need not know them.
 */
final class Blocks {
  private static final int ALIGN = 16;

  final Tensor flat;
  private final List<Tensor> all = new ArrayList<>();
  private long used;

  /** flat: zeros, as many as the blocks' {@link #align aligned} sizes come to. */
  Blocks(Tensor flat) {
    this.flat = flat;
  }

  /** The next block. */
  Tensor next(long... shape) {
    Tensor block = flat.view(used, shape);
    used += align(Tensor.size(shape));
    all.add(block);
    return block;
  }

  List<Tensor> all() {
    return all;
  }

  /** What a block of n elements takes. */
  static long align(long n) {
    return (n + ALIGN - 1) / ALIGN * ALIGN;
  }
}
