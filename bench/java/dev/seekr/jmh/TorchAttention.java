package dev.seekr.jmh;

import dev.seekr.ops.Ops.Heads;
import dev.seekr.ops.Queries;
import java.util.Arrays;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * The layer that {@link AttentionBench} times, in libtorch: forward and, by autograd, backward of
 * sum(o dout) and of the rows' divergence. Callers hold a PointerScope, which frees what is made.
 */
final class TorchAttention {
  /** Results, in the layout of the kernels; null or 0 where they were not asked for. */
  record Result(float[] o, float[] dqkv, double kl, float[] sens) {}

  private final Heads heads;
  private final int T;
  private final float weight;
  private final Tensor q, k, v, dout, mask, picked, pos, stored;

  /** Autograd's leaves and what was computed from them. */
  private record Graph(Tensor q, Tensor k, Tensor v, Tensor map, Tensor o, Tensor kl) {}

  TorchAttention(
      dev.seekr.tensor.Tensor qkv, dev.seekr.tensor.Tensor dout, Heads heads, Queries rows) {
    this.heads = heads;
    T = (int) qkv.dim(0);
    weight = (float) rows.weight().get(0);
    float[] x = qkv.toFloats();
    q = heads(x, 0, heads.NH(), heads.qkvWidth());
    k = heads(x, heads.NH(), heads.NKV(), heads.qkvWidth());
    v = heads(x, heads.NH() + heads.NKV(), heads.NKV(), heads.qkvWidth());
    this.dout = heads(dout.toFloats(), 0, heads.NH(), heads.NH() * heads.HS());
    mask =
        torch
            .ones(T, T)
            .triu(1)
            .mul(Torch.scalar(-1e30)); // not infinite: 0 times infinity is no number
    picked = Torch.of(rows.heads().toInts());
    pos = Torch.of(rows.pos().toInts());
    stored = stored(rows);
  }

  /** Heads {@code from} to {@code from + n} of packed rows, as [n, T, HS]. */
  private Tensor heads(float[] packed, int from, int n, int width) {
    int HS = heads.HS();
    var x = new float[n * T * HS];
    for (int h = 0; h < n; h++)
      for (int t = 0; t < T; t++)
        System.arraycopy(packed, t * width + (from + h) * HS, x, (h * T + t) * HS, HS);
    return Torch.of(x, n, T, HS);
  }

  /** The stored rows, padded with zeros to [H, R, T]. */
  private Tensor stored(Queries rows) {
    float[] p = rows.p().toFloats();
    int H = rows.H(), R = rows.R();
    var x = new float[H * R * T];
    for (int i = 0, from = 0; i < R; i++)
      for (int h = 0, n = rows.pos().getInt(i) + 1; h < H; h++, from += n)
        System.arraycopy(p, from, x, (h * R + i) * T, n);
    return Torch.of(x, H, R, T);
  }

  private Graph eagerGraph(boolean distil, boolean sens) {
    Tensor q = Torch.leaf(this.q), k = Torch.leaf(this.k), v = Torch.leaf(this.v);
    int G = heads.NH() / heads.NKV();
    Tensor map = softmax(torch.matmul(q, Torch.shared(k, G).transpose(1, 2)));
    if (sens) map.retain_grad();
    Tensor o = torch.matmul(map, Torch.shared(v, G));
    Tensor loss = o.mul(dout).sum(), kl = null;
    if (distil) {
      Tensor rows = map.index_select(0, picked).index_select(1, pos);
      kl = torch.kl_div(rows.add(Torch.scalar(AttentionBench.EPS)).log(), stored, 2, false);
      loss = loss.add(kl.mul(Torch.scalar(weight)));
    }
    loss.backward();
    return new Graph(q, k, v, map, o, kl);
  }

  /** Takes the products q.k, and lets go of every map but the last at once, as Python would. */
  private Tensor softmax(Tensor products) {
    try (products;
        Tensor scaled = products.mul(Torch.scalar(1 / Math.sqrt(heads.HS())));
        Tensor masked = scaled.add(mask)) {
      return torch.softmax(masked, -1);
    }
  }

  private Graph sdpaGraph() {
    Tensor q = Torch.leaf(this.q), k = Torch.leaf(this.k), v = Torch.leaf(this.v);
    int G = heads.NH() / heads.NKV();
    Tensor o =
        torch
            .scaled_dot_product_attention(
                q.unsqueeze(0),
                Torch.shared(k, G).unsqueeze(0),
                Torch.shared(v, G).unsqueeze(0),
                new TensorOptional(),
                0,
                true,
                new DoubleOptional(),
                false)
            .squeeze(0);
    o.mul(dout).sum().backward();
    return new Graph(q, k, v, null, o, null);
  }

  /** Sums of squares of a map's gradient [NH, T, T] by head. */
  private static Tensor squares(Tensor gradient) {
    return gradient.pow(Torch.scalar(2)).sum(1, 2);
  }

  /** For timing: as the authors do it, and nothing is copied out. */
  void run(boolean distil, boolean sens) {
    Graph g = eagerGraph(distil, sens);
    if (sens) squares(g.map.grad());
  }

  void runSdpa() {
    sdpaGraph();
  }

  /** Sensitivity is that of entries a query sees. */
  Result eager(boolean distil, boolean sens) {
    Graph g = eagerGraph(distil, sens);
    double kl = distil ? g.kl.item_float() : 0;
    return new Result(
        packed(g.o), dqkv(g), kl, sens ? Torch.floats(squares(g.map.grad().tril())) : null);
  }

  Result sdpa() {
    Graph g = sdpaGraph();
    return new Result(packed(g.o), dqkv(g), 0, null);
  }

  /** [n, T, HS] as rows [T, n HS]. */
  private static float[] packed(Tensor x) {
    return Torch.floats(x.transpose(0, 1));
  }

  private float[] dqkv(Graph g) {
    int width = heads.qkvWidth();
    var out = new float[T * width];
    int from = 0;
    for (Tensor x : Arrays.asList(g.q, g.k, g.v)) {
      float[] rows = packed(x.grad());
      int n = rows.length / T;
      for (int t = 0; t < T; t++) System.arraycopy(rows, t * n, out, t * width + from, n);
      from += n;
    }
    return out;
  }
}
