package dev.seekr.jmh;

import dev.seekr.ops.Attention;
import dev.seekr.ops.AttentionGradient;
import dev.seekr.ops.AttentionRows;
import dev.seekr.ops.Ops.Heads;
import dev.seekr.ops.Queries;
import dev.seekr.tensor.Tensor;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/**
 * Attention of one layer over one sequence, with SEEKR's taps in it: 5 heads' 100 sampled rows are
 * distilled, all heads' sensitivity is measured. libtorch does the same with whole maps, as the
 * authors' code does, and the plain part by its fused attention.
 */
public class AttentionBench extends OpBench {
  private static final Map<String, Heads> SHAPES =
      Map.of("llama-2-7b", new Heads(32, 32, 128), "smollm2-135m", new Heads(9, 3, 64));
  static final int SAMPLED_HEADS = 5, SAMPLED_ROWS = 100;

  /** Added to probabilities before their logarithm, as the released code does. */
  static final float EPS = 1e-8f;

  @Param({"llama-2-7b", "smollm2-135m"})
  public String model;

  @Param({"512", "1024", "2048", "4096"})
  public int T;

  private Heads heads;
  private Tensor qkv, o, lse, cu, dout, dqkv, sens, kl;
  private Queries rows;
  private TorchAttention torch;

  @Setup
  public void setup() {
    heads = SHAPES.get(model);
    int width = heads.NH() * heads.HS();
    cu = data.ints(0, T);
    o = data.zeros(T, width);
    lse = data.zeros(T, heads.NH());
    dqkv = data.zeros(T, heads.qkvWidth());
    sens = data.doubles(1, heads.NH());
    rows = rows();
    kl = data.doubles(rows.R(), rows.H());
    // What is distilled are rows of another model: of other queries and keys.
    qkv = data.normal(1, T, heads.qkvWidth());
    forward();
    data.ops.attentionCapture(new AttentionRows(attention(), rows));
    qkv.copyFrom(data.normal(1, T, heads.qkvWidth()));
    dout = data.normal(0.1, T, width);
    torch = new TorchAttention(qkv, dout, heads, rows);
    check();
  }

  private Queries rows() {
    int[] pos = data.choose(SAMPLED_ROWS, T);
    var prefix = new long[pos.length];
    for (int i = 1; i < pos.length; i++) prefix[i] = prefix[i - 1] + pos[i - 1] + 1;
    long entries = Arrays.stream(pos).sum() + pos.length;
    Tensor weight = data.zeros(pos.length);
    for (int i = 0; i < pos.length; i++) weight.set(i, 0.1);
    return new Queries(
        data.ints(data.choose(SAMPLED_HEADS, heads.NH())),
        data.ints(0, pos.length),
        data.ints(pos),
        data.longs(prefix),
        weight,
        data.zeros(SAMPLED_HEADS * entries));
  }

  private void check() {
    try (var _ = new PointerScope()) {
      fused();
      var all = torch.eager(true, false);
      Data.same("o", o.toFloats(), all.o());
      Data.same("dqkv", dqkv.toFloats(), all.dqkv());
      double sum = IntStream.range(0, (int) kl.size()).mapToDouble(kl::get).sum();
      Data.same("kl", new float[] {(float) sum}, new float[] {(float) all.kl()});
      Data.same("sens", sens.toFloats(), torch.eager(false, true).sens());
      backward();
      Data.same("plain dqkv", dqkv.toFloats(), torch.sdpa().dqkv());
    }
  }

  @Benchmark
  public void forward() {
    data.ops.attentionForward(attention());
  }

  @Benchmark
  public void backward() {
    backward(null, null, null);
  }

  @Benchmark
  public void backwardDistillation() {
    backward(null, kl, rows);
  }

  @Benchmark
  public void backwardSensitivity() {
    backward(sens, null, null);
  }

  /** Forward and backward without taps: what libtorch's fused attention does. */
  @Benchmark
  public void plain() {
    forward();
    backward();
  }

  /** Forward, and backward with both taps. */
  @Benchmark
  public void fused() {
    forward();
    backward(sens, kl, rows);
  }

  @Benchmark
  public void torchEagerFused() {
    try (var _ = new PointerScope()) {
      torch.run(true, true);
    }
  }

  @Benchmark
  public void torchEagerPlain() {
    try (var _ = new PointerScope()) {
      torch.run(false, false);
    }
  }

  @Benchmark
  public void torchSdpa() {
    try (var _ = new PointerScope()) {
      torch.runSdpa();
    }
  }

  private void backward(Tensor sens, Tensor kl, Queries rows) {
    data.ops.attentionBackward(new AttentionGradient(attention(), dqkv, dout, sens, kl, rows, EPS));
  }

  private Attention attention() {
    return new Attention(o, lse, qkv, cu, heads);
  }

  static Work work(String method, Map<String, String> params) {
    Heads h = SHAPES.get(params.get("model"));
    double T = Double.parseDouble(params.get("T"));
    double product = 2.0 * h.HS() * T * (T + 1) / 2 * h.NH();
    double rows = T * (h.qkvWidth() + h.NH() * h.HS()) * Float.BYTES;
    return switch (method) {
      case "forward" -> new Work(2 * product, rows);
      case "backward", "backwardDistillation", "backwardSensitivity" ->
          new Work(5 * product, 3 * rows);
      default -> new Work(7 * product, 4 * rows);
    };
  }
}
