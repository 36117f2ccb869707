package dev.seekr.ops;

import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/** Reproducible test data, every value of it a float. */
final class Noise {
  private final RandomGenerator random;

  Noise(long seed) {
    random = new SplittableRandom(seed);
  }

  /** Normal values times {@code scale}. */
  double[] normal(double scale, long... shape) {
    double[] x = new double[(int) Tensor.size(shape)];
    for (int i = 0; i < x.length; i++) x[i] = (float) (scale * random.nextGaussian());
    return x;
  }

  /** As {@link #normal}, about {@code mean}. */
  double[] about(double mean, double scale, long... shape) {
    double[] x = normal(scale, shape);
    for (int i = 0; i < x.length; i++) x[i] = (float) (x[i] + mean);
    return x;
  }

  /** Whole numbers from {@code low} to {@code high} - 1. */
  double[] ints(int low, int high, int n) {
    double[] x = new double[n];
    for (int i = 0; i < n; i++) x[i] = random.nextInt(low, high);
    return x;
  }

  /** {@code n} ascending, distinct numbers below {@code high}. */
  double[] choose(int n, int high) {
    double[] x = new double[n];
    for (int i = 0, taken = 0; i < high && taken < n; i++) {
      if (random.nextInt(high - i) < n - taken) x[taken++] = i;
    }
    return x;
  }

  /** A probability row of which every fifth entry or so is 0. */
  double[] distribution(int n) {
    double[] p = new double[n];
    double sum = 0;
    for (int i = 0; i < n; i++) sum += p[i] = random.nextInt(5) == 0 ? 0 : random.nextDouble();
    for (int i = 0; i < n; i++) p[i] = sum == 0 ? (i == 0 ? 1 : 0) : (float) (p[i] / sum);
    return p;
  }

  /** The nearest number of that type. */
  static double rounded(DType dtype, double x) {
    return switch (dtype) {
      case F32 -> (float) x;
      case F16 -> Float.float16ToFloat(Float.floatToFloat16((float) x));
      case BF16 -> DType.fromBf16(DType.toBf16((float) x));
      case F64, I64, I32 -> x;
    };
  }

  /** A tensor of the given values. */
  static Tensor tensor(Memory memory, DType dtype, double[] values, long... shape) {
    Tensor t = memory.allocate("test", dtype, shape);
    for (int i = 0; i < values.length; i++) t.set(i, values[i]);
    return t;
  }
}
