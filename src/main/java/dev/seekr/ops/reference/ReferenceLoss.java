package dev.seekr.ops.reference;

import dev.seekr.ops.LossRows;
import dev.seekr.ops.Ops.Distance;
import dev.seekr.tensor.Tensor;
import java.util.Arrays;

/** Losses of one row of logits z, and the sum of their weighted gradients with respect to z. */
final class ReferenceLoss {
  private final double[] z;
  private final double lse;
  private final double[] q;
  private final double[] gradient;

  ReferenceLoss(double[] z) {
    this.z = z;
    lse = logSumExp(z);
    q = softmax(z, lse);
    gradient = new double[z.length];
  }

  /** All rows. */
  static void loss(LossRows a) {
    boolean grad = a.grad();
    for (int r = 0; r < a.logits().dim(0); r++) {
      Tensor row = a.logits().rows(r, r + 1);
      var loss = new ReferenceLoss(row.toDoubles());
      int y = a.target().getInt(r);
      a.nll().set(r, y < 0 ? 0 : loss.nll(y, grad ? a.wNll().get(r) : 0));
      if (a.distill() != null) a.distill().set(r, 0);
      if (a.teacher() != null && a.teacherRow().getInt(r) >= 0) {
        long V = a.logits().dim(1);
        double[] stored = a.teacher().view(a.teacherRow().getInt(r) * V, V).toDoubles();
        double weight = grad ? a.wDistill().get(r) : 0;
        a.distill().set(r, loss.distill(stored, a.distance(), weight));
      }
      if (grad) ReferenceOps.store(row, loss.gradient());
    }
  }

  private static double logSumExp(double[] x) {
    double max = Arrays.stream(x).max().orElseThrow();
    return max + Math.log(Arrays.stream(x).map(v -> Math.exp(v - max)).sum());
  }

  private static double[] softmax(double[] x, double lse) {
    return Arrays.stream(x).map(v -> Math.exp(v - lse)).toArray();
  }

  /** lse(z) - z_y; weight (q - onehot_y) is added to the gradient. */
  double nll(int y, double weight) {
    for (int v = 0; v < z.length; v++) gradient[v] += weight * (q[v] - (v == y ? 1 : 0));
    return lse - z[y];
  }

  /**
   * Distance from the teacher's logits t; its gradient (q - p, or 2 (z - t) / V) is added,
   * weighted.
   */
  double distill(double[] t, Distance distance, double weight) {
    double teacherLse = logSumExp(t);
    double[] p = softmax(t, teacherLse);
    int V = z.length;
    double sum = 0;
    for (int v = 0; v < V; v++) {
      double difference = z[v] - t[v];
      // Terms with p = 0 are 0, whatever the logarithms are.
      double share = p[v] == 0 ? 0 : p[v];
      sum +=
          switch (distance) {
            case KL -> share == 0 ? 0 : share * (t[v] - teacherLse - (z[v] - lse));
            case CROSS_ENTROPY -> share == 0 ? 0 : -share * (z[v] - lse);
            case MSE -> difference * difference / V;
          };
      gradient[v] += weight * (distance == Distance.MSE ? 2 * difference / V : q[v] - p[v]);
    }
    return sum;
  }

  double[] gradient() {
    return gradient;
  }
}
