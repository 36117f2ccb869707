package dev.seekr.jmh;

import dev.seekr.ops.Ops;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.global.torch;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.infra.BenchmarkParams;

/**
 * y [M,N] = x [M,K] w[N,K]^T by the library in use, by libtorch's, and of bfloat16 by each of those
 * that may multiply it.
 */
public class MatmulBench extends OpBench {
  /** M x N x K: SmolLM2-135M's layers and output, a layer of LLaMA-2-7B, one token and sixteen. */
  @Param({
    "1024x960x576",
    "1024x3072x576",
    "1024x576x1536",
    "256x49152x576",
    "512x4096x4096",
    "1x3072x576",
    "16x3072x576",
    "16x49152x576"
  })
  public String shape;

  private int M, N, K;
  private Tensor y, x, w, narrowY, narrowX, narrowW;
  private final Memory memory = new Memory("bfloat16");
  private org.bytedeco.pytorch.Tensor tx, tw;
  private Ops bf16;

  @Setup
  public void setup(BenchmarkParams params) {
    var side = shape.split("x");
    M = Integer.parseInt(side[0]);
    N = Integer.parseInt(side[1]);
    K = Integer.parseInt(side[2]);
    y = data.zeros(M, N);
    x = data.normal(1, M, K);
    w = data.normal(1, N, K);
    tx = Torch.of(x.toFloats(), M, K);
    tw = Torch.of(w.toFloats(), N, K);
    seekr();
    Data.same("libtorch", Torch.floats(torchMm()), y.toFloats());
    if (!params.getBenchmark().endsWith(".torch")) Torch.oneThread();
    String who = params.getBenchmark().replaceAll(".*\\.", "");
    if (!who.equals("amx") && !who.equals("vdpbf16")) return;
    bf16 = Data.bf16(who);
    narrowY = bf16.allocate(memory, "bench", M, N);
    narrowX = bf16.allocate(memory, "bench", M, K);
    narrowW = bf16.allocate(memory, "bench", N, K);
    narrowX.copyFrom(x);
    narrowW.copyFrom(w);
    bf16.linearForward(narrowY, narrowX, narrowW, false);
    // Each element of an operand is off by at most 2^-9: a sum of K products, by far less than
    // this.
    Data.same(who, narrowY.toFloats(), Torch.floats(torchMm()), 1e-2);
  }

  @TearDown
  public void closeBf16() {
    memory.close();
    if (bf16 != null) bf16.close();
  }

  @Benchmark
  public void seekr() {
    data.ops.linearForward(y, x, w, false);
  }

  @Benchmark
  public void vdpbf16() {
    bf16.linearForward(narrowY, narrowX, narrowW, false);
  }

  @Benchmark
  public void amx() {
    bf16.linearForward(narrowY, narrowX, narrowW, false);
  }

  @Benchmark
  public void torch() {
    try (var _ = new PointerScope()) {
      torchMm();
    }
  }

  private org.bytedeco.pytorch.Tensor torchMm() {
    return torch.mm(tx, tw.transpose(0, 1));
  }

  static Work work(String method, Map<String, String> params) {
    var side = params.get("shape").split("x");
    double M = Double.parseDouble(side[0]),
        N = Double.parseDouble(side[1]),
        K = Double.parseDouble(side[2]);
    return new Work(2 * M * N * K, (M * K + N * K + M * N) * Float.BYTES);
  }
}
