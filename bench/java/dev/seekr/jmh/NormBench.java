package dev.seekr.jmh;

import dev.seekr.tensor.Tensor;
import java.util.Map;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/** RMSNorm over 1024 rows, residual added on the way in. */
public class NormBench extends OpBench {
  private static final int N = 1024;
  private static final float EPS = 1e-5f;

  @Param({"576", "4096"})
  public int C;

  private Tensor y, x, rstd, a, b, w, dx, dy;

  @Setup
  public void setup() {
    y = data.zeros(N, C);
    x = data.zeros(N, C);
    dx = data.zeros(N, C);
    rstd = data.zeros(N);
    a = data.normal(1, N, C);
    b = data.normal(1, N, C);
    dy = data.normal(1, N, C);
    w = data.normal(1, C);
    data.check((ops, y) -> ops.rmsnormForward(y, x, rstd, a, b, w, EPS), y);
    data.check((ops, dx) -> ops.rmsnormBackward(dx, null, dy, x, rstd, w), dx);
  }

  @Benchmark
  public void forward() {
    data.ops.rmsnormForward(y, x, rstd, a, b, w, EPS);
  }

  @Benchmark
  public void backward() {
    data.ops.rmsnormBackward(dx, null, dy, x, rstd, w);
  }

  /** Either way four arrays of N C pass by: a, b, x, y, or dy, x, and dx in and out. */
  static Work work(String method, Map<String, String> params) {
    return Work.pass(4.0 * N * Integer.parseInt(params.get("C")), 2);
  }
}
