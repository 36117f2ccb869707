package dev.seekr.jmh;

import dev.seekr.ops.LossRows;
import dev.seekr.ops.Ops;
import dev.seekr.ops.Ops.Distance;
import dev.seekr.tensor.Tensor;
import java.util.Map;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/**
 * The output layer and the loss of 128 label rows, forward and gradient: {@code labels} alone, or
 * with the distillation of stored logits beside them.
 */
public class LossBench extends OpBench {
  private static final int R = 128;
  private static final Map<String, int[]> SHAPES =
      Map.of("llama-2-7b", new int[] {4096, 32000}, "smollm2-135m", new int[] {576, 49152});

  @Param({"llama-2-7b", "smollm2-135m"})
  public String model;

  private Tensor logits, x, w, dx, target, weight, teacher, teacherRow, nll, distill;

  @Setup
  public void setup() {
    int C = SHAPES.get(model)[0], V = SHAPES.get(model)[1];
    logits = data.normal(1, R, V);
    x = data.normal(1, R, C);
    dx = data.zeros(R, C);
    w = data.normal(1 / Math.sqrt(C), V, C);
    target = data.ints(data.tokens(R, V));
    weight = data.zeros(R);
    for (int r = 0; r < R; r++) weight.set(r, 0.5);
    teacher = data.normal(1, R, V);
    int[] each = new int[R];
    for (int r = 0; r < R; r++) each[r] = r;
    teacherRow = data.ints(each);
    nll = data.doubles(R);
    distill = data.doubles(R);
    // The products around it are MatmulBench's to check.
    data.check((ops, z) -> loss(ops, z, false), logits);
    data.check((ops, z) -> loss(ops, z, true), logits);
  }

  @Benchmark
  public void labels() {
    run(false);
  }

  @Benchmark
  public void distillation() {
    run(true);
  }

  private void run(boolean distil) {
    data.ops.linearForward(logits, x, w, false);
    loss(data.ops, logits, distil);
    data.ops.linearBackwardInput(dx, logits, w, false);
  }

  private void loss(Ops ops, Tensor z, boolean distil) {
    ops.loss(
        new LossRows(
            nll,
            distill,
            z,
            target,
            weight,
            distil ? teacher : null,
            distil ? teacherRow : null,
            distil ? weight : null,
            Distance.KL,
            true));
  }

  static Work work(String method, Map<String, String> params) {
    int[] shape = SHAPES.get(params.get("model"));
    double C = shape[0], V = shape[1];
    return new Work(4 * R * C * V, 2 * C * V * Float.BYTES);
  }
}
