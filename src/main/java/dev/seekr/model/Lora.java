package dev.seekr.model;

import dev.seekr.config.LoraSettings.Projection;
import dev.seekr.ops.Ops;
import dev.seekr.ops.Product;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/**
 * Low-rank adapters beside frozen weights (Hu et al. 2021), for each target projection of each
 * layer:
 *
 * <pre>
 *   y = x W^T + s (D(x) A^T) B^T      A [r,in], B [out,r], s = alpha / r
 *   dB += s dy^T (D(x) A^T)           dA += s (dy B)^T D(x)        dx += D(s (dy B) A)
 * </pre>
 *
 * where D is {@link Dropout}, in the passes of an optimiser's step alone; elsewhere D(x) = x.
 *
 * <p>B begins at zero, so that an adapter begins as no change. Projections that share a matrix are
 * reached by their rows: y [N, width] seen as [N parts, part].
 */
public final class Lora implements Parameters {
  /** The matrices of a layer as {@link Weights} holds them. */
  enum Site {
    QKV,
    O,
    GU,
    DOWN
  }

  /** The matrix whose rows a projection is. */
  private static Site site(Projection projection) {
    return switch (projection) {
      case q_proj, k_proj, v_proj -> Site.QKV;
      case o_proj -> Site.O;
      case gate_proj, up_proj -> Site.GU;
      case down_proj -> Site.DOWN;
    };
  }

  /** As "model.layers.0.self_attn.q_proj". */
  static String path(int l, Projection projection) {
    String module =
        switch (projection) {
          case q_proj, k_proj, v_proj, o_proj -> "self_attn";
          case gate_proj, up_proj, down_proj -> "mlp";
        };
    return "model.layers." + l + "." + module + "." + projection;
  }

  /** Rank r, scale s = alpha / rank, and what is adapted in every layer. */
  public record Shape(int rank, double alpha, List<Projection> targets) {}

  /**
   * One adapter. Its output is parts {@code first} to {@code first + count} of the {@code parts}
   * that a row of its site has.
   */
  private record Adapter(Projection target, Tensor a, Tensor b, int parts, int first, int count) {}

  private final LlamaConfig config;
  private final Ops ops;
  private final Shape shape;
  private final Blocks blocks;
  private final float scale; // s
  private final Adapter[][] layers;
  private final Map<String, Adapter> byWeight = new LinkedHashMap<>();

  /** Zeros. */
  public Lora(LlamaConfig config, Shape shape, Ops ops, Memory memory, String tag) {
    this(config, shape, ops, ops.dtype(), memory, tag);
  }

  private Lora(LlamaConfig config, Shape shape, Ops ops, DType dtype, Memory memory, String tag) {
    this.config = config;
    this.shape = shape;
    this.ops = ops;
    long layer = 0;
    for (Projection t : shape.targets)
      layer += Blocks.align(shape.rank * in(config, t)) + Blocks.align(out(config, t) * shape.rank);
    blocks = new Blocks(ops.allocate(memory, tag, dtype, config.L() * layer));
    scale = (float) (shape.alpha / shape.rank);
    layers = new Adapter[config.L()][];
    for (int l = 0; l < layers.length; l++) {
      layers[l] = shape.targets.stream().map(this::adapter).toArray(Adapter[]::new);
      for (Adapter adapter : layers[l]) byWeight.put(path(l, adapter.target) + ".weight", adapter);
    }
  }

  private Adapter adapter(Projection t) {
    Tensor a = blocks.next(Role.MATRIX, shape.rank, in(config, t));
    Tensor b = blocks.next(Role.MATRIX, out(config, t), shape.rank);
    int NH = config.heads().NH(), NKV = config.heads().NKV();
    return switch (t) {
      case q_proj -> new Adapter(t, a, b, NH + 2 * NKV, 0, NH);
      case k_proj -> new Adapter(t, a, b, NH + 2 * NKV, NH, NKV);
      case v_proj -> new Adapter(t, a, b, NH + 2 * NKV, NH + NKV, NKV);
      case gate_proj -> new Adapter(t, a, b, 2, 0, 1);
      case up_proj -> new Adapter(t, a, b, 2, 1, 1);
      case o_proj, down_proj -> new Adapter(t, a, b, 1, 0, 1);
    };
  }

  private static long in(LlamaConfig config, Projection t) {
    return switch (site(t)) {
      case QKV, GU -> config.C();
      case O -> (long) config.heads().NH() * config.heads().HS();
      case DOWN -> config.F();
    };
  }

  private static long out(LlamaConfig config, Projection t) {
    return switch (t) {
      case q_proj -> (long) config.heads().NH() * config.heads().HS();
      case k_proj, v_proj -> (long) config.heads().NKV() * config.heads().HS();
      case gate_proj, up_proj -> config.F();
      case o_proj, down_proj -> config.C();
    };
  }

  @Override
  public Tensor flat() {
    return blocks.flat();
  }

  @Override
  public List<Blocks.Block> blocks() {
    return blocks.all();
  }

  @Override
  public Lora like(Ops ops, Memory memory, String tag) {
    return like(ops, ops.wide(), memory, tag);
  }

  @Override
  public Lora like(Ops ops, DType dtype, Memory memory, String tag) {
    return new Lora(config, shape, ops, dtype, memory, tag);
  }

  public Shape shape() {
    return shape;
  }

  /** Numbers in adapters of a shape. */
  public static long parameters(LlamaConfig config, Shape shape) {
    long sum = 0;
    for (Projection t : shape.targets) sum += (in(config, t) + out(config, t)) * shape.rank;
    return config.L() * sum;
  }

  /** A of every adapter [r,in], in the order of a forward pass; grads' lie in the same order. */
  public List<Tensor> downs() {
    var downs = new ArrayList<Tensor>();
    for (Adapter[] layer : layers) for (Adapter adapter : layer) downs.add(adapter.a);
    return downs;
  }

  /** Shapes of the {@link #downs} of adapters of a shape. */
  public static List<long[]> downs(LlamaConfig config, Shape shape) {
    var downs = new ArrayList<long[]>();
    for (int l = 0; l < config.L(); l++)
      for (Projection t : shape.targets) downs.add(new long[] {shape.rank, in(config, t)});
    return downs;
  }

  /** A uniform in ±1/sqrt(in), as PEFT does; B zero. */
  public void randomize(RandomGenerator random) {
    for (Adapter[] layer : layers) {
      for (Adapter adapter : layer) {
        double bound = 1 / Math.sqrt(adapter.a.dim(1));
        float[] a = new float[Math.toIntExact(adapter.a.size())];
        for (int i = 0; i < a.length; i++) a[i] = (float) random.nextDouble(-bound, bound);
        adapter.a.copyFrom(a);
        ops.zero(adapter.b);
      }
    }
  }

  /** y += s (D(x) A^T) B^T for the adapters of a site; y [N,width] of the site, x [N,in]. */
  void forward(Site site, int l, Tensor y, Tensor x, Dropout.Masks masks) {
    for (Adapter adapter : layers[l]) {
      if (site(adapter.target) != site) continue;
      try (var memory = new Memory("adapters")) {
        Tensor read = masks.of(x, l, adapter.target, memory);
        Tensor add = ops.allocate(memory, "adapters", x.dim(0), adapter.b.dim(0));
        ops.linearForward(add, low(adapter, read, memory), adapter.b, false);
        Tensor rows = rows(adapter, x.dim(0), memory);
        ops.scatterAdd(parts(adapter, y), own(adapter, add), rows);
      }
    }
  }

  /** dx += D(s (dy B) A). */
  void backwardInput(Site site, int l, Tensor dx, Tensor dy, Dropout.Masks masks) {
    for (Adapter adapter : layers[l]) {
      if (site(adapter.target) != site) continue;
      try (var memory = new Memory("adapters")) {
        Tensor sdu = dlow(adapter, dyOf(adapter, dy, memory), memory);
        Tensor dread = masks.dropNothing() ? dx : ops.allocate(memory, "adapters", dx.shape());
        ops.linearBackwardInput(dread, sdu, adapter.a, dread == dx);
        if (dread != dx) masks.backward(dx, dread, l, adapter.target);
      }
    }
  }

  /** dA += s (dy B)^T D(x) and dB += s dy^T (D(x) A^T), into {@code grads}. */
  void backwardWeight(Site site, int l, Lora grads, Tensor dy, Tensor x, Dropout.Masks masks) {
    for (int i = 0; i < layers[l].length; i++) {
      Adapter adapter = layers[l][i], g = grads.layers[l][i];
      if (site(adapter.target) != site) continue;
      try (var memory = new Memory("adapters")) {
        Tensor own = dyOf(adapter, dy, memory), read = masks.of(x, l, adapter.target, memory);
        ops.linearBackwardWeight(g.b, own, low(adapter, read, memory), true);
        ops.linearBackwardWeight(g.a, dlow(adapter, own, memory), read, true);
      }
    }
  }

  /** s x A^T [N,r]. */
  private Tensor low(Adapter adapter, Tensor x, Memory memory) {
    Tensor su = ops.allocate(memory, "adapters", x.dim(0), shape.rank);
    ops.matmul(new Product(su, x, adapter.a, false, true, scale, false));
    return su;
  }

  /** s dy B [N,r]. */
  private Tensor dlow(Adapter adapter, Tensor dy, Memory memory) {
    Tensor sdu = ops.allocate(memory, "adapters", dy.dim(0), shape.rank);
    ops.matmul(new Product(sdu, dy, adapter.b, false, false, scale, false));
    return sdu;
  }

  /** The adapter's own columns of its site's dy [N,width]: [N,out]. */
  private Tensor dyOf(Adapter adapter, Tensor dy, Memory memory) {
    if (adapter.parts == 1) return dy;
    Tensor own = ops.allocate(memory, "adapters", dy.dim(0), adapter.b.dim(0));
    ops.gather(own(adapter, own), parts(adapter, dy), rows(adapter, dy.dim(0), memory));
    return own;
  }

  /** y [N,width] as [N parts, part]. */
  private static Tensor parts(Adapter adapter, Tensor y) {
    return y.view(0, y.dim(0) * adapter.parts, y.dim(1) / adapter.parts);
  }

  /** y [N,out] as [N count, part]. */
  private static Tensor own(Adapter adapter, Tensor y) {
    return y.view(0, y.dim(0) * adapter.count, y.dim(1) / adapter.count);
  }

  /** Where the adapter's parts lie among those of its site, ascending. */
  private static Tensor rows(Adapter adapter, long N, Memory memory) {
    int[] rows = new int[Math.toIntExact(N * adapter.count)];
    for (int i = 0; i < rows.length; i++)
      rows[i] = i / adapter.count * adapter.parts + adapter.first + i % adapter.count;
    Tensor t = memory.allocate("adapters", DType.I32, rows.length);
    t.copyFrom(rows);
    return t;
  }

  /** W += s B A: the model then does alone what it did with the adapters. */
  public void merge(Weights into) {
    byWeight.keySet().forEach(name -> merge(name, into.byName().get(name)));
  }

  /** Whether a weight, by its name, is one of those adapted. */
  boolean adapts(String name) {
    return byWeight.containsKey(name);
  }

  /** w += s B A of the weight of that name; w may be of {@link Ops#wide}. */
  void merge(String name, Tensor w) {
    Adapter adapter = byWeight.get(name);
    ops.matmul(new Product(w, adapter.b, adapter.a, false, false, scale, true));
  }

  /** All tensors under the names PEFT gives them. */
  @Override
  public Map<String, Tensor> byName() {
    var byName = new LinkedHashMap<String, Tensor>();
    for (int l = 0; l < layers.length; l++) {
      for (Adapter adapter : layers[l]) {
        String at = "base_model.model." + path(l, adapter.target);
        byName.put(at + ".lora_A.weight", adapter.a);
        byName.put(at + ".lora_B.weight", adapter.b);
      }
    }
    return byName;
  }
}
