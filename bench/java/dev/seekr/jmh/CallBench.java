package dev.seekr.jmh;

import dev.seekr.tensor.Tensor;
import java.util.Map;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Setup;

/** What a call of a kernel costs beside its work: checks in Java, FFM, checks in C++. */
public class CallBench extends OpBench {
  private Tensor x;

  @Setup
  public void setup() {
    x = data.normal(1, 1);
    zero();
    Data.same("x", x.toFloats(), new float[] {0});
  }

  @Benchmark
  public void zero() {
    data.ops.zero(x);
  }

  static Work work(String method, Map<String, String> params) {
    return new Work(0, Float.BYTES);
  }
}
