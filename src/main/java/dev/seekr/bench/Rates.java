package dev.seekr.bench;

import dev.seekr.ops.Ops;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;

/** What this machine can do: the bounds that everything timed is held against. */
public final class Rates {
  private Rates() {}

  /** FLOP/s of the best of several matrix products, as large as what computes needs to be busy. */
  public static double matmul(Ops ops) {
    for (int n = 1536; ; n *= 2) {
      double seconds = matmul(ops, n);
      if (seconds > 2e-3 || n > 8192) return 2.0 * n * n * n / seconds;
    }
  }

  private static double matmul(Ops ops, int n) {
    try (var memory = new Memory("matmul rate")) {
      Tensor a = ops.allocate(memory, "bench", n, n), b = ops.allocate(memory, "bench", n, n);
      Tensor y = ops.allocate(memory, "bench", n, n);
      return best(ops, () -> ops.linearForward(y, a, b, false));
    }
  }

  /** Bytes/s that are read by the best of several passes over 256 MiB. */
  public static double bandwidth(Ops ops) {
    long n = 64 << 20;
    try (var memory = new Memory("bandwidth")) {
      Tensor x = ops.allocate(memory, "bench", ops.wide(), n);
      return x.bytes() / best(ops, () -> ops.sumSquares(x));
    }
  }

  private static double best(Ops ops, Runnable work) {
    double best = Double.MAX_VALUE;
    for (int i = 0; i < 8; i++) best = Math.min(best, ops.clock().seconds(work));
    return best;
  }
}
