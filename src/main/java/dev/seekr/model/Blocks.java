package dev.seekr.model;

import dev.seekr.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Cuts one flat tensor into blocks, or two: one for matrices, and one for what is not. Each begins
 * at a cache line; the gaps stay zero, so that passes over the flat tensors need not know them.
 */
public final class Blocks {
  private static final int ALIGN = 16;

  /** One vector. */
  private static final class Run {
    final Tensor flat;
    long used;

    Run(Tensor flat) {
      this.flat = flat;
    }

    Tensor next(long... shape) {
      Tensor block = flat.view(used, shape);
      used += align(Tensor.size(shape));
      return block;
    }
  }

  private final Run matrices, others; // the same where all lie in one
  private final List<Block> all = new ArrayList<>();

  /** flat: zeros, as many as the blocks' {@link #align aligned} sizes come to. */
  Blocks(Tensor flat) {
    matrices = others = new Run(flat);
  }

  /** The same of blocks that are {@link Role#MATRIX} and of those that are not. */
  Blocks(Tensor matrices, Tensor others) {
    this.matrices = new Run(matrices);
    this.others = new Run(others);
  }

  /** Everything, which lies in one vector. */
  Tensor flat() {
    if (matrices != others) throw new IllegalStateException("these are two vectors");
    return matrices.flat;
  }

  /** Everything, in one vector or two. */
  List<Tensor> vectors() {
    return matrices == others ? List.of(matrices.flat) : List.of(matrices.flat, others.flat);
  }

  /** Where the next block begins, of those in one vector. */
  long used() {
    return matrices.used;
  }

  /** A block, and what it is. */
  public record Block(Tensor tensor, Role role) {}

  /** The next block. */
  Tensor next(Role role, long... shape) {
    Tensor block = (role == Role.MATRIX ? matrices : others).next(shape);
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
