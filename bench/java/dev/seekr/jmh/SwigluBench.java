package dev.seekr.jmh;

import dev.seekr.tensor.Tensor;
import java.util.Map;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/** SwiGLU over 1024 rows. */
public class SwigluBench extends OpBench {
  private static final int N = 1024;

  @Param({"1536", "11008"})
  public int F;

  private Tensor h, gu, dh, dgu;

  @Setup
  public void setup() {
    h = data.zeros(N, F);
    gu = data.normal(1, N, 2L * F);
    dh = data.normal(1, N, F);
    dgu = data.zeros(N, 2L * F);
    data.check((ops, h) -> ops.swigluForward(h, gu), h);
    // Backward leaves h in dh's place: each side of the comparison gets its own.
    data.check(
        (ops, dgu) -> {
          Tensor own = data.zeros(N, F);
          own.copyFrom(dh);
          ops.swigluBackward(dgu, own, gu);
        },
        dgu);
  }

  @Benchmark
  public void forward() {
    data.ops.swigluForward(h, gu);
  }

  @Benchmark
  public void backward() {
    data.ops.swigluBackward(dgu, dh, gu);
  }

  static Work work(String method, Map<String, String> params) {
    double n = 1.0 * N * Integer.parseInt(params.get("F"));
    return method.equals("forward") ? Work.pass(3 * n, 4) : Work.pass(6 * n, 4);
  }
}
