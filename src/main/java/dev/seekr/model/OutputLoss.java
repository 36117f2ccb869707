package dev.seekr.model;

import dev.seekr.data.Batch;
import dev.seekr.data.Sample;
import dev.seekr.ops.Ops;
import dev.seekr.tensor.Tensor;
import java.util.Arrays;

/**
 * What the output layer is asked for: R packed rows, ascending, each with a label, a row of stored
 * teacher logits, or both.
 *
 * @param rows [R] packed row indices
 * @param target [R] token each row should predict, -1: none
 * @param wNll [R] weight of each row's negative log-likelihood
 * @param teacher [*,V] the teacher's logits over the temperature, F16 or F32, where the model's ops
 *     read them; null when nothing is distilled
 * @param teacherRow [R] row of {@code teacher}, -1: none
 * @param wDistill [R] weight of each row's distillation
 * @param temperature what the model's logits are divided by before they are compared
 */
public record OutputLoss(
    int[] rows,
    int[] target,
    float[] wNll,
    Tensor teacher,
    int[] teacherRow,
    float[] wDistill,
    Ops.Distance distance,
    double temperature) {

  /** Sums of unweighted losses: next-token negative log-likelihood, and distillation. */
  public record Result(double[] nll, double[] distill) {
    public double nllSum() {
      return Arrays.stream(nll).sum();
    }

    public double distillSum() {
      return Arrays.stream(distill).sum();
    }
  }

  public int R() {
    return rows.length;
  }

  /** Labels only: every target token of the batch, sample s weighted by weight[s]. */
  public static OutputLoss labels(Batch batch, float[] weight) {
    int R = batch.targets();
    int[] rows = new int[R], target = new int[R], none = new int[R];
    float[] w = new float[R];
    Arrays.fill(none, -1);
    int r = 0, start = 0;
    for (int s = 0; s < batch.S(); s++) {
      Sample sample = batch.samples().get(s);
      for (int t = sample.answerStart(); t < sample.length(); t++, r++) {
        rows[r] = start + t - 1;
        target[r] = sample.token(t);
        w[r] = weight[s];
      }
      start += sample.length();
    }
    return new OutputLoss(rows, target, w, null, none, new float[R], Ops.Distance.KL, 1);
  }

  /** Labels only, every row weighing the same. */
  public static OutputLoss labels(Batch batch, double weight) {
    float[] w = new float[batch.S()];
    Arrays.fill(w, (float) weight);
    return labels(batch, w);
  }
}
