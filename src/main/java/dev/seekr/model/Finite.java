package dev.seekr.model;

import dev.seekr.ops.Ops;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Tensor;
import java.util.Optional;

/** Looks for numbers that are not finite: nothing computed from them is a result. */
public final class Finite {
  private static final long CHUNK = 1 << 20;

  private Finite() {}

  /** The name of the first tensor that holds NaN or an infinity; empty where all is finite. */
  public static Optional<String> exception(Parameters of, Ops ops) {
    var all = of.vectors();
    boolean known = all.stream().allMatch(t -> t.dtype() != DType.F16);
    if (known && all.stream().allMatch(t -> Double.isFinite(ops.sumSquares(t))))
      return Optional.empty();
    return of.byName().entrySet().stream()
        .filter(e -> !all(e.getValue()))
        .map(e -> e.getKey())
        .findFirst();
  }

  /** Whether all elements of a tensor are finite. */
  public static boolean all(Tensor t) {
    for (long from = 0, n = t.size(); from < n; from += CHUNK) {
      if (!all(t.view(from, Math.min(CHUNK, n - from)).toFloats())) return false;
    }
    return true;
  }

  static boolean all(float[] values) {
    for (float v : values) if (!Float.isFinite(v)) return false;
    return true;
  }
}
