package dev.seekr.jmh;

import dev.seekr.backends.Backends;
import dev.seekr.config.RunConfig;
import dev.seekr.ops.Ops;
import dev.seekr.ops.ffm.FfmOps;
import dev.seekr.ops.ffm.NativeLibrary;
import dev.seekr.ops.ffm.OneDnn;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.SplittableRandom;
import java.util.function.BiConsumer;

/** Kernels, seeded tensors for them, and the comparison that comes before every timing. */
final class Data implements AutoCloseable {
  final Ops ops = Backends.open(RunConfig.DEFAULT.run());
  private final Memory memory = new Memory("bench");
  private final SplittableRandom random = new SplittableRandom(1);

  /**
   * Kernels of bfloat16, multiplied by auto, amx, vdpbf16 or sgemm; a {@link dev.seekr.Failure}
   * where this CPU cannot.
   */
  static Ops bf16(String multiplier) {
    return new FfmOps(NativeLibrary.cpu(), OneDnn.load(), DType.BF16, multiplier, 0, "auto");
  }

  Tensor zeros(long... shape) {
    return ops.allocate(memory, "bench", shape);
  }

  Tensor doubles(long... shape) {
    return memory.allocate("bench", DType.F64, shape);
  }

  Tensor normal(double scale, long... shape) {
    Tensor x = zeros(shape);
    for (long i = 0; i < x.size(); i++) x.set(i, scale * random.nextGaussian());
    return x;
  }

  Tensor ints(int... values) {
    Tensor x = memory.allocate("bench", DType.I32, values.length);
    x.copyFrom(values);
    return x;
  }

  Tensor longs(long... values) {
    Tensor x = memory.allocate("bench", DType.I64, values.length);
    for (int i = 0; i < values.length; i++) x.set(i, values[i]);
    return x;
  }

  int[] tokens(int n, int V) {
    return random.ints(n, 0, V).toArray();
  }

  /** {@code n} ascending, distinct numbers below {@code high}. */
  int[] choose(int n, int high) {
    return random.ints(0, high).distinct().limit(n).sorted().toArray();
  }

  /**
   * Runs {@code op} on the kernels and on the reference, which must put the same into {@code y}.
   */
  void check(BiConsumer<Ops, Tensor> op, Tensor y) {
    try (var reference = new ReferenceOps(ops.dtype());
        var here = new Memory("check")) {
      Tensor expected = reference.allocate(here, "check", y.shape());
      expected.copyFrom(y);
      op.accept(reference, expected);
      op.accept(ops, y);
      same("output", y.toFloats(), expected.toFloats());
    }
  }

  /** Throws where two results differ by more than 1e-3 of the largest element. */
  static void same(String what, float[] found, float[] expected) {
    same(what, found, expected, 1e-3);
  }

  /** The same for another share than 1e-3. */
  static void same(String what, float[] found, float[] expected, double share) {
    if (found.length != expected.length)
      throw new IllegalStateException(
          "%s: %d elements, expected %d".formatted(what, found.length, expected.length));
    double top = 0, worst = 0;
    for (float x : expected) top = Math.max(top, Math.abs(x));
    for (int i = 0; i < found.length; i++) {
      double error = Math.abs(found[i] - expected[i]);
      if (!(error <= worst)) worst = error;
    }
    if (!(worst <= share * top))
      throw new IllegalStateException(
          "%s: differs by %g, expected at most %g of %g".formatted(what, worst, share, top));
  }

  @Override
  public void close() {
    memory.close();
    ops.close();
  }
}
