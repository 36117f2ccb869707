package dev.seekr.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The reference's attention against explicit maps and central differences. Two sequences, grouped
 * heads.
 */
class ReferenceAttentionTest {
  private static final int[] LENGTHS = {5, 1, 7};
  private static final int N = 13;
  private static final Ops.Heads HEADS = new Ops.Heads(4, 2, 3);

  private final Memory memory = new Memory("test");
  private final Noise noise = new Noise(5);
  private final Ops ops = new ReferenceOps(DType.F64);
  private final Tensor cu = Noise.tensor(memory, DType.I32, new double[] {0, 5, 6, 13}, 4);
  private final Tensor qkv = normal(N, HEADS.qkvWidth());
  private final Tensor o = memory.allocate("o", DType.F64, N, 12);
  private final Tensor lse = memory.allocate("lse", DType.F64, N, 4);
  private final Tensor dout = normal(N, 12);
  private final Tensor dqkv = memory.allocate("dqkv", DType.F64, N, HEADS.qkvWidth());

  private int window; // 0: none

  private Attention attention() {
    return new Attention(o, lse, qkv, cu, HEADS, HEADS.scale(), window);
  }

  private AttentionGradient gradient(Tensor sens, Tensor kl, Queries queries, float eps) {
    return new AttentionGradient(attention(), dqkv, dout, sens, kl, queries, eps);
  }

  private Tensor normal(long... shape) {
    return Noise.tensor(memory, DType.F64, noise.normal(1, shape), shape);
  }

  @AfterEach
  void free() {
    memory.close();
  }

  /** Maps [NH][N][position] of all rows, by capture. */
  private double[][][] maps() {
    var rows = Sampling.all(4, LENGTHS).tensors(memory, DType.F64);
    ops.attentionCapture(new AttentionRows(attention(), rows));
    double[][][] A = new double[4][N][];
    for (int n = 0; n < N; n++) {
      int width = rows.pos().getInt(n) + 1;
      for (int h = 0; h < 4; h++) {
        long at = 4 * (long) rows.prefix().get(n) + (long) h * width;
        A[h][n] = rows.p().view(at, width).toDoubles();
      }
    }
    return A;
  }

  private int first(int n) {
    return n < 5 ? 0 : n < 6 ? 5 : 6;
  }

  /** Output of head h, row n, channel c from an explicit map. */
  private double output(double[][][] A, int h, int n, int c) {
    double sum = 0;
    for (int j = 0; j < A[h][n].length; j++) {
      sum += A[h][n][j] * qkv.get((first(n) + j) * 24L + 18 + h / 2 * 3 + c);
    }
    return sum;
  }

  private double loss(double[][][] A) {
    double sum = 0;
    for (int n = 0; n < N; n++) {
      for (int h = 0; h < 4; h++) {
        for (int c = 0; c < 3; c++) sum += dout.get(n * 12L + h * 3 + c) * output(A, h, n, c);
      }
    }
    return sum;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3, 9})
  void rowsAreSoftmaxOfScores(int window) {
    this.window = window;
    ops.attentionForward(attention());
    double[][][] A = maps();
    for (int n = 0; n < N; n++) {
      for (int h = 0; h < 4; h++) {
        double sum = 0;
        for (int j = 0; j < A[h][n].length; j++) {
          double score = 0;
          for (int c = 0; c < 3; c++) {
            score +=
                qkv.get(n * 24L + h * 3 + c) * qkv.get((first(n) + j) * 24L + 12 + h / 2 * 3 + c);
          }
          double exp = Math.exp(score / Math.sqrt(3) - lse.get(n * 4L + h));
          boolean seen = window == 0 || n - first(n) - j < window;
          assertThat(A[h][n][j]).isCloseTo(seen ? exp : 0, within(1e-14));
          sum += A[h][n][j];
        }
        assertThat(sum).isCloseTo(1, within(1e-14));
        for (int c = 0; c < 3; c++) {
          assertThat(o.get(n * 12L + h * 3 + c)).isCloseTo(output(A, h, n, c), within(1e-14));
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3})
  void backward(int window) {
    this.window = window;
    ops.attentionForward(attention());
    ops.attentionBackward(gradient(null, null, null, 0));
    ReferenceGradientTest.check(
        qkv,
        dqkv,
        () -> {
          ops.attentionForward(attention());
          return loss(maps());
        });
  }

  @ParameterizedTest
  @CsvSource({"0, 0", "1e-8, 0", "1e-2, 0", "0, 2", "1e-2, 2"})
  void distillation(float eps, int window) {
    this.window = window;
    var rows = Sampling.random(noise, 4, 2, 3, LENGTHS).seen(window).tensors(memory, DType.F64);
    int R = rows.R();
    assertThat(R).isEqualTo(4);
    Tensor kl = memory.allocate("kl", DType.F64, R, 2);
    Tensor sens = memory.allocate("sens", DType.F64, 3, 4);
    ops.attentionForward(attention());
    ops.attentionBackward(gradient(sens, kl, rows, eps));
    double[] reported = kl.toDoubles();
    ReferenceGradientTest.check(
        qkv,
        dqkv,
        () -> {
          ops.attentionForward(attention());
          double[][][] A = maps();
          double sum = loss(A);
          for (int i = 0; i < R; i++) {
            for (int k = 0; k < 2; k++)
              sum += rows.weight().get(i) * divergence(A, rows, i, k, eps);
          }
          return sum;
        });
    ops.attentionForward(attention());
    double[][][] A = maps();
    for (int i = 0; i < R; i++) {
      for (int k = 0; k < 2; k++) {
        assertThat(reported[i * 2 + k]).isCloseTo(divergence(A, rows, i, k, eps), within(1e-13));
      }
    }
    // The sensitivity is of the loss that came in by dout alone.
    assertSensitivity(sens, A);
  }

  /** KL(P || A) of sampled row i and selected head k. */
  private static double divergence(double[][][] A, Queries rows, int i, int k, double eps) {
    int s = 0;
    while (rows.rowStart().getInt(s + 1) <= i) s++;
    int pos = rows.pos().getInt(i);
    double[] a = A[rows.heads().getInt(k)][new int[] {0, 5, 6}[s] + pos];
    double sum = 0;
    for (int j = 0; j <= pos; j++) {
      double p = rows.p().get(2 * (long) rows.prefix().get(i) + (long) k * (pos + 1) + j);
      if (p > 0) sum += p * (Math.log(p) - Math.log(a[j] + eps));
    }
    return sum;
  }

  @Test
  void sensitivity() {
    ops.attentionForward(attention());
    Tensor sens = memory.allocate("sens", DType.F64, 3, 4);
    ops.attentionBackward(gradient(sens, null, null, 0));
    assertSensitivity(sens, maps());
  }

  /** Squares of numeric derivatives of the loss with respect to every causal entry of the maps. */
  private void assertSensitivity(Tensor sens, double[][][] A) {
    double[][] squares = new double[3][4];
    for (int n = 0; n < N; n++) {
      for (int h = 0; h < 4; h++) {
        for (int j = 0; j < A[h][n].length; j++) {
          double at = A[h][n][j];
          if (window > 0 && n - first(n) - j >= window) continue;
          A[h][n][j] = at + 0.5;
          double up = loss(A);
          A[h][n][j] = at - 0.5;
          double down = loss(A);
          A[h][n][j] = at;
          squares[n < 5 ? 0 : n < 6 ? 1 : 2][h] += (up - down) * (up - down);
        }
      }
    }
    for (int s = 0; s < 3; s++) {
      for (int h = 0; h < 4; h++) {
        assertThat(sens.get(s * 4L + h)).isCloseTo(squares[s][h], within(1e-11));
      }
    }
  }

  @Test
  void difference() {
    Tensor qkv2 = normal(N, HEADS.qkvWidth());
    Tensor lse2 = memory.allocate("lse2", DType.F64, N, 4);
    Tensor o2 = memory.allocate("o2", DType.F64, N, 12);
    ops.attentionForward(attention());
    ops.attentionForward(new Attention(o2, lse2, qkv2, cu, HEADS));
    double[][][] A = maps();
    var second = Sampling.all(4, LENGTHS).tensors(memory, DType.F64);
    ops.attentionCapture(new AttentionRows(new Attention(null, lse2, qkv2, cu, HEADS), second));
    double[][] all = new double[3][4];
    double[][] sampled = new double[3][4];
    var rows = Sampling.random(noise, 4, 2, 3, LENGTHS).tensors(memory, DType.F64);
    for (int n = 0; n < N; n++) {
      int s = n < 5 ? 0 : n < 6 ? 1 : 2;
      double weight = 0;
      for (int i = rows.rowStart().getInt(s); i < rows.rowStart().getInt(s + 1); i++) {
        if (rows.pos().getInt(i) == n - first(n)) weight = rows.weight().get(i);
      }
      for (int h = 0; h < 4; h++) {
        int width = A[h][n].length;
        for (int j = 0; j < width; j++) {
          double b = second.p().get(4 * (long) second.prefix().get(n) + (long) h * width + j);
          all[s][h] += Math.pow(A[h][n][j] - b, 2);
          sampled[s][h] += weight * Math.pow(A[h][n][j] - b, 2);
        }
      }
    }
    Tensor diff = memory.allocate("diff", DType.F64, 3, 4);
    ops.attentionDifference(new AttentionChange(diff, attention(), qkv2, lse2, null));
    assertEach(diff, all);
    ops.attentionDifference(new AttentionChange(diff, attention(), qkv2, lse2, rows));
    assertEach(diff, sampled);
  }

  private static void assertEach(Tensor actual, double[][] expected) {
    for (int s = 0; s < 3; s++) {
      for (int h = 0; h < 4; h++) {
        assertThat(actual.get(s * 4L + h)).isCloseTo(expected[s][h], within(1e-13));
      }
    }
  }

  /** Feeding a sequence token by token gives what the whole sequence gives. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3})
  void decodeContinuesASequence(int window) {
    this.window = window;
    ops.attentionForward(attention());
    Tensor kcache = memory.allocate("k", DType.F64, 1, 2, 8, 3);
    Tensor vcache = memory.allocate("v", DType.F64, 1, 2, 8, 3);
    Tensor lengths = memory.allocate("lengths", DType.I32, 1);
    Tensor out = memory.allocate("out", DType.F64, 1, 12);
    for (int t = 0; t < 7; t++) {
      lengths.set(0, t);
      ops.attentionDecode(
          new Decode(
              out, kcache, vcache, qkv.rows(6 + t, 7 + t), lengths, HEADS, HEADS.scale(), window));
      for (int i = 0; i < 12; i++) {
        assertThat(out.get(i)).isCloseTo(o.get((6 + t) * 12L + i), within(1e-14));
      }
    }
  }
}
