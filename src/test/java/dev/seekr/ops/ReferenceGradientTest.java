package dev.seekr.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.seekr.ops.Ops.Distance;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Backward against central differences of forward, in double. The loss is a fixed random mix of all
 * outputs.
 */
class ReferenceGradientTest {
  private final Memory memory = new Memory("test");
  private final Noise noise = new Noise(11);
  private final Ops ops = new ReferenceOps(DType.F64);

  @AfterEach
  void free() {
    memory.close();
  }

  private Tensor normal(long... shape) {
    return Noise.tensor(memory, DType.F64, noise.normal(1, shape), shape);
  }

  private Tensor ints(int... values) {
    Tensor t = memory.allocate("test", DType.I32, values.length);
    t.copyFrom(values);
    return t;
  }

  private Tensor zeros(long... shape) {
    return memory.allocate("test", DType.F64, shape);
  }

  private static double dot(Tensor a, Tensor b) {
    double sum = 0;
    for (long i = 0; i < a.size(); i++) sum += a.get(i) * b.get(i);
    return sum;
  }

  /** {@code gradient} - {@code before} is the derivative of {@code loss} with respect to x. */
  static void check(Tensor x, double[] before, Tensor gradient, DoubleSupplier loss) {
    double h = 1e-5;
    for (int i = 0; i < x.size(); i++) {
      double at = x.get(i);
      x.set(i, at + h);
      double up = loss.getAsDouble();
      x.set(i, at - h);
      double down = loss.getAsDouble();
      x.set(i, at);
      double numeric = (up - down) / (2 * h);
      assertThat(gradient.get(i) - before[i])
          .as("element %d", i)
          .isCloseTo(numeric, within(2e-8 * Math.max(1, Math.abs(numeric))));
    }
  }

  static void check(Tensor x, Tensor gradient, DoubleSupplier loss) {
    check(x, new double[(int) x.size()], gradient, loss);
  }

  @Test
  void rmsnormAddsToBothGradients() {
    Tensor a = normal(3, 7);
    Tensor w = normal(7);
    Tensor y = zeros(3, 7);
    Tensor rstd = zeros(3);
    Tensor mix = normal(3, 7);
    Tensor dx = normal(3, 7);
    Tensor dw = normal(7);
    double[] dxBefore = dx.toDoubles();
    double[] dwBefore = dw.toDoubles();
    DoubleSupplier loss =
        () -> {
          ops.rmsnormForward(y, null, rstd, a, null, w, 1e-5f);
          return dot(mix, y);
        };
    loss.getAsDouble();
    ops.rmsnormBackward(dx, dw, mix, a, rstd, w);
    check(a, dxBefore, dx, loss);
    check(w, dwBefore, dw, loss);
  }

  @Test
  void rmsnormNormalisesTheSum() {
    Tensor a = normal(2, 5);
    Tensor b = normal(2, 5);
    Tensor w = normal(5);
    Tensor x = zeros(2, 5);
    Tensor y = zeros(2, 5);
    Tensor rstd = zeros(2);
    ops.rmsnormForward(y, x, rstd, a, b, w, 0.25f);
    for (int n = 0; n < 2; n++) {
      double squares = 0;
      for (int c = 0; c < 5; c++) squares += Math.pow(a.get(n * 5 + c) + b.get(n * 5 + c), 2);
      assertThat(rstd.get(n)).isCloseTo(1 / Math.sqrt(squares / 5 + 0.25), within(1e-15));
      for (int c = 0; c < 5; c++) {
        int i = n * 5 + c;
        assertThat(x.get(i)).isEqualTo(a.get(i) + b.get(i));
        assertThat(y.get(i)).isCloseTo(x.get(i) * rstd.get(n) * w.get(c), within(1e-15));
      }
    }
  }

  @Test
  void rope() {
    var heads = new Ops.Heads(2, 1, 6);
    Tensor cos = zeros(5, 3);
    Tensor sin = zeros(5, 3);
    for (int i = 0; i < 15; i++) {
      double angle = i / 3 * Math.pow(100, -(i % 3) / 3.0);
      cos.set(i, Math.cos(angle));
      sin.set(i, Math.sin(angle));
    }
    Tensor positions = ints(0, 4, 2);
    Tensor x = normal(3, 24);
    Tensor y = zeros(3, 24);
    Tensor mix = normal(3, 24);
    Tensor dx = zeros(3, 24);
    dx.copyFrom(mix);
    ops.ropeBackward(dx, positions, cos, sin, heads);
    check(
        x,
        dx,
        () -> {
          y.copyFrom(x);
          ops.ropeForward(y, positions, cos, sin, heads);
          return dot(mix, y);
        });
  }

  @Test
  void swigluRecomputesItsOutput() {
    Tensor gu = normal(3, 10);
    Tensor h = zeros(3, 5);
    Tensor mix = normal(3, 5);
    Tensor dgu = zeros(3, 10);
    Tensor dh = zeros(3, 5);
    dh.copyFrom(mix);
    ops.swigluBackward(dgu, dh, gu);
    ops.swigluForward(h, gu);
    assertThat(dh.toDoubles()).containsExactly(h.toDoubles());
    check(
        gu,
        dgu,
        () -> {
          ops.swigluForward(h, gu);
          return dot(mix, h);
        });
  }

  @Test
  void embedding() {
    Tensor w = normal(4, 3);
    Tensor tokens = ints(2, 0, 2, 3, 2);
    Tensor x = zeros(5, 3);
    Tensor mix = normal(5, 3);
    Tensor dw = normal(4, 3);
    double[] before = dw.toDoubles();
    ops.embeddingBackward(dw, tokens, mix);
    check(
        w,
        before,
        dw,
        () -> {
          ops.gather(x, w, tokens);
          return dot(mix, x);
        });
  }

  @Test
  void linear() {
    Tensor x = normal(3, 5);
    Tensor w = normal(2, 5);
    Tensor y = zeros(3, 2);
    Tensor mix = normal(3, 2);
    Tensor dx = normal(3, 5);
    Tensor dw = normal(2, 5);
    double[] dxBefore = dx.toDoubles();
    double[] dwBefore = dw.toDoubles();
    ops.linearBackwardInput(dx, mix, w, true);
    ops.linearBackwardWeight(dw, mix, x, true);
    DoubleSupplier loss =
        () -> {
          ops.linearForward(y, x, w, false);
          return dot(mix, y);
        };
    check(x, dxBefore, dx, loss);
    check(w, dwBefore, dw, loss);
  }

  @Test
  void scatterTransposesGather() {
    Tensor x = normal(5, 3);
    Tensor rows = ints(1, 4);
    Tensor out = zeros(2, 3);
    Tensor mix = normal(2, 3);
    Tensor dx = normal(5, 3);
    ops.scatter(dx, mix, rows);
    check(
        x,
        dx,
        () -> {
          ops.gather(out, x, rows);
          return dot(mix, out);
        });
  }

  @Test
  void scatterAddTransposesGatherToo() {
    Tensor x = normal(5, 3);
    Tensor rows = ints(0, 1, 4);
    Tensor out = zeros(3, 3);
    Tensor mix = normal(3, 3);
    Tensor dx = normal(5, 3);
    double[] before = dx.toDoubles();
    ops.scatterAdd(dx, mix, rows);
    check(
        x,
        before,
        dx,
        () -> {
          ops.gather(out, x, rows);
          return dot(mix, out);
        });
  }

  @ParameterizedTest
  @EnumSource
  void loss(Distance distance) {
    int R = 4;
    int V = 7;
    Tensor logits = normal(R, V);
    Tensor work = zeros(R, V);
    Tensor target = ints(3, -1, 0, -1);
    Tensor teacherRow = ints(-1, 2, 0, -1);
    Tensor teacher = Noise.tensor(memory, DType.F32, noise.normal(1, 3, V), 3, V);
    Tensor wNll = normal(R);
    Tensor wDistill = normal(R);
    Tensor nll = zeros(R);
    Tensor distill = zeros(R);
    DoubleSupplier loss =
        () -> {
          work.copyFrom(logits);
          ops.loss(
              new LossRows(
                  nll,
                  distill,
                  work,
                  target,
                  wNll,
                  teacher,
                  teacherRow,
                  wDistill,
                  distance,
                  false));
          return dot(wNll, nll) + dot(wDistill, distill);
        };
    Tensor gradient = zeros(R, V);
    gradient.copyFrom(logits);
    ops.loss(
        new LossRows(
            nll, distill, gradient, target, wNll, teacher, teacherRow, wDistill, distance, true));
    assertThat(nll.get(1)).isZero();
    assertThat(distill.get(0)).isZero();
    check(logits, gradient, loss);
    loss.getAsDouble();
    assertThat(work.toDoubles())
        .as("grad = false leaves logits")
        .containsExactly(logits.toDoubles());
  }

  @Test
  void distancesOfARow() {
    // p = (1/4, 3/4), q = (1/2, 1/2); logits ln p and ln q shifted by a constant.
    Tensor teacher = Noise.tensor(memory, DType.F32, new double[] {0, (float) Math.log(3)}, 1, 2);
    double ln3 = (float) Math.log(3);
    double p1 = 1 / (1 + Math.exp(ln3));
    double entropy = -p1 * Math.log(p1) - (1 - p1) * Math.log(1 - p1);
    double[] expected = {Math.log(2) - entropy, Math.log(2), (1 + (1 - ln3) * (1 - ln3)) / 2};
    for (Distance d : Distance.values()) {
      Tensor distill = zeros(1);
      Tensor logits = Noise.tensor(memory, DType.F64, new double[] {1, 1}, 1, 2);
      ops.loss(
          new LossRows(
              zeros(1), distill, logits, ints(-1), null, teacher, ints(0), null, d, false));
      assertThat(distill.get(0)).as("%s", d).isCloseTo(expected[d.ordinal()], within(1e-15));
    }
  }

  @Test
  void adamwByHand() {
    // First element: gradients 1, -2, 3 with beta 1/2 and 3/4. Second: always 4, so the step is lr,
    // and decay 1/8.
    Tensor w = Noise.tensor(memory, DType.F64, new double[] {1, 2}, 2);
    Tensor m = zeros(2);
    Tensor v = zeros(2);
    double[] gradients = {1, -2, 3};
    double[] means = {0.5, -0.75, 1.125};
    double[] squares = {0.25, 1.1875, 3.140625};
    double[] corrected = {1, -1, 1.125 / 0.875};
    double[] correctedSquares = {1, 1.1875 / 0.4375, 3.140625 / 0.578125};
    double first = 1;
    double second = 2;
    for (int step = 1; step <= 3; step++) {
      int k = step - 1;
      Tensor g = Noise.tensor(memory, DType.F64, new double[] {2 * gradients[k], 8}, 2);
      ops.adamw(new AdamWStep(w, m, v, g, null, step, 0.25f, 0.5f, 0.75f, 0.5f, 0.125f, 0.5f));
      first -= 0.25 * (corrected[k] / (Math.sqrt(correctedSquares[k]) + 0.5) + 0.125 * first);
      second -= 0.25 * (4 / 4.5 + 0.125 * second);
      assertThat(m.get(0)).isEqualTo(means[k]);
      assertThat(v.get(0)).isEqualTo(squares[k]);
      assertThat(w.get(0)).isCloseTo(first, within(1e-15));
      assertThat(w.get(1)).isCloseTo(second, within(1e-15));
    }
  }

  @Test
  void sumOfSquares() {
    assertThat(ops.sumSquares(Noise.tensor(memory, DType.F64, new double[] {3, -4}, 2)))
        .isEqualTo(25);
    assertThat(ops.sumSquares(Noise.tensor(memory, DType.F64, new double[] {1, Double.NaN}, 2)))
        .isNaN();
  }
}
