package dev.seekr.jmh;

import dev.seekr.ops.AdamWStep;
import dev.seekr.tensor.Tensor;
import java.util.Map;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/** AdamW and the gradient's norm over n weights. */
public class OptimizerBench extends OpBench {
  @Param({"1000000", "30000000"})
  public int n;

  private Tensor w, m, v, g;

  @Setup
  public void setup() {
    w = data.normal(1, n);
    g = data.normal(1, n);
    m = data.zeros(n);
    v = data.zeros(n);
    data.check(
        (ops, w) -> {
          m.zero();
          v.zero();
          ops.adamw(new AdamWStep(w, m, v, g, null, 1, 1e-2f, 0.9f, 0.95f, 1e-8f, 0.1f, 1));
        },
        w);
    Tensor sum = data.zeros(1);
    data.check((ops, y) -> y.set(0, ops.sumSquares(g)), sum);
  }

  @Benchmark
  public void adamw() {
    data.ops.adamw(new AdamWStep(w, m, v, g, null, 10, 1e-6f, 0.9f, 0.95f, 1e-8f, 0, 1));
  }

  @Benchmark
  public double norm() {
    return data.ops.sumSquares(g);
  }

  static Work work(String method, Map<String, String> params) {
    double n = Double.parseDouble(params.get("n"));
    return method.equals("norm") ? Work.pass(n, 2) : Work.pass(7 * n, 2);
  }
}
