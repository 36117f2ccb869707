package dev.seekr.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Products of bfloat16 of many pieces, ragged at both ends, and of sums in several stretches, by
 * everyone who multiplies on this CPU, against sums in double: sums are float and rounded once.
 */
class Bf16ProductsTest {
  @ParameterizedTest
  @CsvSource({"900, 500, 70", "391, 801, 333", "130, 97, 4300", "17, 1500, 260"})
  void sumsAreFloatsAndRoundedOnce(int M, int N, int K) {
    var noise = new Noise(M);
    double[] left = noise.normal(1, M, K), right = noise.normal(1, K, N);
    double[] before = noise.normal(1, M, N);
    round(left);
    round(right);
    round(before);
    double[] sum = new double[M * N], terms = new double[M * N];
    for (int i = 0; i < M; i++)
      for (int k = 0; k < K; k++)
        for (int j = 0; j < N; j++) {
          double term = left[i * K + k] * right[k * N + j];
          sum[i * N + j] += term;
          terms[i * N + j] += Math.abs(term);
        }
    for (String by : Kernels.multipliers(Kernels.isas().getFirst()))
      for (int mode = 0; mode < 16; mode++) {
        boolean ta = (mode & 1) != 0, tb = (mode & 2) != 0, add = (mode & 4) != 0;
        DType type = (mode & 8) != 0 ? DType.F32 : DType.BF16;
        float alpha = mode % 3 == 0 ? 1 : 0.75f;
        var operands =
            List.of(ta ? transposed(left, M, K) : left, tb ? transposed(right, K, N) : right);
        float[] y =
            multiply(
                by,
                2,
                operands,
                before,
                new Product(null, null, null, ta, tb, alpha, add),
                type,
                M,
                N,
                K);
        for (int i = 0; i < y.length; i++) {
          double exact = alpha * sum[i] + (add ? before[i] : 0);
          double rounding = type == DType.F32 ? 0x1p-22 : 0x1p-8;
          assertThat(Math.abs(y[i] - exact))
              .as("%s, mode %d, element %d: %s for %s", by, mode, i, y[i], exact)
              .isLessThanOrEqualTo(0x1p-21 * terms[i] + rounding * Math.abs(exact));
        }
        assertThat(
                multiply(
                    by,
                    3,
                    operands,
                    before,
                    new Product(null, null, null, ta, tb, alpha, add),
                    type,
                    M,
                    N,
                    K))
            .as("%s, mode %d, by three threads", by, mode)
            .isEqualTo(y);
      }
  }

  private static float[] multiply(
      String by,
      int threads,
      List<double[]> operands,
      double[] before,
      Product how,
      DType type,
      int M,
      int N,
      int K) {
    try (var memory = new Memory("test");
        var ops = Kernels.open(DType.BF16, by, threads, "auto")) {
      Tensor y = Noise.tensor(memory, type, before, M, N);
      Tensor a =
          Noise.tensor(memory, DType.BF16, operands.getFirst(), how.ta() ? K : M, how.ta() ? M : K);
      Tensor b =
          Noise.tensor(memory, DType.BF16, operands.getLast(), how.tb() ? N : K, how.tb() ? K : N);
      ops.matmul(new Product(y, a, b, how.ta(), how.tb(), how.alpha(), how.accumulate()));
      return y.toFloats();
    }
  }

  private static void round(double[] x) {
    for (int i = 0; i < x.length; i++) x[i] = Noise.rounded(DType.BF16, x[i]);
  }

  private static double[] transposed(double[] x, int rows, int columns) {
    double[] t = new double[x.length];
    for (int r = 0; r < rows; r++)
      for (int c = 0; c < columns; c++) t[c * rows + r] = x[r * columns + c];
    return t;
  }
}
