package dev.seekr.ops;

import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import java.util.stream.IntStream;

/** Sampled queries of selected heads, in plain arrays; p is a distribution in each row. */
record Sampling(
    double[] heads, double[] rowStart, double[] pos, double[] prefix, double[] weight, double[] p) {

  /**
   * {@code H} heads of {@code NH}; about {@code rows} rows of each sequence, none of every third.
   */
  static Sampling random(Noise noise, int NH, int H, int rows, int... lengths) {
    double[] rowStart = new double[lengths.length + 1];
    double[] pos = {};
    for (int s = 0; s < lengths.length; s++) {
      int n = s % 3 == 2 ? 0 : Math.min(rows, lengths[s]);
      rowStart[s + 1] = rowStart[s] + n;
      pos = concat(pos, noise.choose(n, lengths[s]));
    }
    double[] prefix = new double[pos.length];
    double[] p = {};
    for (int i = 0; i < pos.length; i++) {
      if (i > 0) prefix[i] = prefix[i - 1] + pos[i - 1] + 1;
      for (int h = 0; h < H; h++) p = concat(p, noise.distribution((int) pos[i] + 1));
    }
    double[] weight = noise.about(1, 0.2, pos.length);
    return new Sampling(noise.choose(H, NH), rowStart, pos, prefix, weight, p);
  }

  /** Every row of every head, with weight 1 and p still to be captured. */
  static Sampling all(int NH, int... lengths) {
    double[] rowStart = new double[lengths.length + 1];
    double[] pos = {};
    for (int s = 0; s < lengths.length; s++) {
      rowStart[s + 1] = rowStart[s] + lengths[s];
      pos = concat(pos, IntStream.range(0, lengths[s]).asDoubleStream().toArray());
    }
    double[] prefix = new double[pos.length];
    double total = 0;
    for (int i = 0; i < pos.length; i++) {
      prefix[i] = total;
      total += pos[i] + 1;
    }
    double[] weight = new double[pos.length];
    java.util.Arrays.fill(weight, 1);
    double[] heads = IntStream.range(0, NH).asDoubleStream().toArray();
    return new Sampling(heads, rowStart, pos, prefix, weight, new double[(int) (NH * total)]);
  }

  /** The same, rows being distributions over what a window leaves of them; 0: all. */
  Sampling seen(int window) {
    if (window == 0) return this;
    double[] q = p.clone();
    for (int i = 0, at = 0; i < pos.length; i++) {
      for (int h = 0; h < heads.length; h++, at += (int) pos[i] + 1) {
        int from = Math.max(0, (int) pos[i] + 1 - window);
        double sum = 0;
        for (int j = from; j <= pos[i]; j++) sum += p[at + j] + 0.1;
        for (int j = 0; j <= pos[i]; j++) q[at + j] = j < from ? 0 : (p[at + j] + 0.1) / sum;
      }
    }
    return new Sampling(heads, rowStart, pos, prefix, weight, q);
  }

  Queries tensors(Memory memory, DType dtype) {
    return new Queries(
        Noise.tensor(memory, DType.I32, heads, heads.length),
        Noise.tensor(memory, DType.I32, rowStart, rowStart.length),
        Noise.tensor(memory, DType.I32, pos, pos.length),
        Noise.tensor(memory, DType.I64, prefix, prefix.length),
        Noise.tensor(memory, dtype, weight, weight.length),
        Noise.tensor(memory, dtype, p, p.length));
  }

  static double[] concat(double[] a, double[] b) {
    double[] c = java.util.Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, c, a.length, b.length);
    return c;
  }
}
