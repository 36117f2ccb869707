package dev.seekr.method;

import dev.seekr.model.PromptParameters;
import dev.seekr.ops.Ops;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.Arrays;
import java.util.random.RandomGenerator;

/**
 * The residual network that a progressive prompt comes through while it is trained, row by row:
 *
 * <pre>
 *   P = E + norm(relu(E W1^T + b1) W2^T + b2)        norm(x) = gain (x - mean) / sqrt(var + eps) + offset
 * </pre>
 *
 * E [n,C], W1 [H,C], b1 [H], W2 [C,H], b2, gain and offset [C] are trained. Products are the
 * kernels'; what lies between them are n H and n C numbers, in double precision on the host.
 */
final class PromptNetwork {
  private static final double EPS = 1e-5;

  /** The blocks after the rows E, in this order. */
  private static final int W1 = 0, B1 = 1, W2 = 2, B2 = 3, GAIN = 4, OFFSET = 5;

  private final Ops ops;
  private final PromptParameters w;
  private final int n, C, H;
  private final Tensor h, sumH, sumC, dh, dx;
  private double[] normed, rstd; // [n,C] and [n] of the last forward pass

  /** Shapes of E and the network: what a {@link PromptParameters} is to hold for it. */
  static long[][] shapes(int n, int C, int H) {
    return new long[][] {{n, C}, {H, C}, {H}, {C, H}, {C}, {C}, {C}};
  }

  /** {@code w} of {@link #shapes}; what is computed on the way lies in {@code memory}. */
  PromptNetwork(Ops ops, PromptParameters w, Memory memory) {
    this.ops = ops;
    this.w = w;
    n = (int) w.rows().dim(0);
    C = (int) w.rows().dim(1);
    H = (int) w.more(W1).dim(0);
    h = ops.allocate(memory, "prompts", n, H);
    dh = ops.allocate(memory, "prompts", n, H);
    dx = ops.allocate(memory, "prompts", n, C);
    sumH = ops.allocate(memory, "prompts", ops.wide(), n, H);
    sumC = ops.allocate(memory, "prompts", ops.wide(), n, C);
  }

  /** W and b of both layers uniform in ±1/sqrt(their inputs), gain 1, offset 0. */
  void randomize(RandomGenerator random) {
    for (int block : new int[] {W1, B1, W2, B2}) {
      double bound = 1 / Math.sqrt(block == W1 || block == B1 ? C : H);
      double[] x = new double[Math.toIntExact(w.more(block).size())];
      for (int i = 0; i < x.length; i++) x[i] = random.nextDouble(-bound, bound);
      w.more(block).copyFrom(x);
    }
    double[] ones = new double[C];
    Arrays.fill(ones, 1);
    w.more(GAIN).copyFrom(ones);
    w.more(OFFSET).copyFrom(new double[C]);
  }

  /** P [n,C] into {@code p}. */
  void forward(Tensor p) {
    ops.linearForward(sumH, w.rows(), w.more(W1), false);
    double[] a = sumH.toDoubles(), b1 = w.more(B1).toDoubles();
    for (int i = 0; i < a.length; i++) a[i] = Math.max(0, a[i] + b1[i % H]);
    h.copyFrom(a);
    ops.linearForward(sumC, h, w.more(W2), false);
    double[] x = sumC.toDoubles(), b2 = w.more(B2).toDoubles();
    for (int i = 0; i < x.length; i++) x[i] += b2[i % C];
    normalise(x);
    double[] gain = w.more(GAIN).toDoubles(), offset = w.more(OFFSET).toDoubles();
    double[] out = w.rows().toDoubles();
    for (int i = 0; i < out.length; i++) out[i] += gain[i % C] * normed[i] + offset[i % C];
    p.copyFrom(out);
  }

  private void normalise(double[] x) {
    normed = x;
    rstd = new double[n];
    for (int r = 0; r < n; r++) {
      double mean = 0, squares = 0;
      for (int c = 0; c < C; c++) mean += x[r * C + c] / C;
      for (int c = 0; c < C; c++) squares += Math.pow(x[r * C + c] - mean, 2) / C;
      rstd[r] = 1 / Math.sqrt(squares + EPS);
      for (int c = 0; c < C; c++) x[r * C + c] = (x[r * C + c] - mean) * rstd[r];
    }
  }

  /**
   * Of the last forward pass: g's rows are dP and become dE; the network's gradients are added to.
   */
  void backward(PromptParameters g) {
    double[] dp = g.rows().toDoubles();
    addRows(g.more(OFFSET), dp);
    double[] dgain = new double[dp.length], gain = w.more(GAIN).toDoubles();
    for (int i = 0; i < dp.length; i++) {
      dgain[i] = dp[i] * normed[i];
      dp[i] *= gain[i % C];
    }
    addRows(g.more(GAIN), dgain);
    denormalise(dp);
    addRows(g.more(B2), dp);
    dx.copyFrom(dp);
    ops.linearBackwardWeight(g.more(W2), dx, h, true);
    ops.linearBackwardInput(sumH, dx, w.more(W2), false);
    double[] da = sumH.toDoubles(), a = h.toDoubles();
    for (int i = 0; i < da.length; i++) if (a[i] <= 0) da[i] = 0;
    addRows(g.more(B1), da);
    dh.copyFrom(da);
    ops.linearBackwardWeight(g.more(W1), dh, w.rows(), true);
    ops.linearBackwardInput(g.rows(), dh, w.more(W1), true);
  }

  /** What is the gradient of normalised rows becomes that of the rows before. */
  private void denormalise(double[] d) {
    for (int r = 0; r < n; r++) {
      double mean = 0, along = 0;
      for (int i = r * C; i < (r + 1) * C; i++) {
        mean += d[i] / C;
        along += d[i] * normed[i] / C;
      }
      for (int i = r * C; i < (r + 1) * C; i++) d[i] = rstd[r] * (d[i] - mean - normed[i] * along);
    }
  }

  /** to [width] += the sum of the rows of x [n,width]. */
  private static void addRows(Tensor to, double[] x) {
    double[] sum = to.toDoubles();
    for (int i = 0; i < x.length; i++) sum[i % sum.length] += x[i];
    to.copyFrom(sum);
  }
}
