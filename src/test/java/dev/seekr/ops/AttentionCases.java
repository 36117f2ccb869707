package dev.seekr.ops;

import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Every attention operation: packed sequences of odd lengths (1 to several tiles), grouped heads,
 * odd head sizes.
 */
final class AttentionCases {
  private final DType element;
  private final Noise noise;
  private final List<OpCase> cases = new ArrayList<>();

  private AttentionCases(DType element, int draw) {
    this.element = element;
    noise = new Noise(draw);
  }

  /** One layer's data: what forward computes from qkv is rounded as it would be stored. */
  private record Layer(double[] qkv, double[] o, double[] lse) {
    /** No score is larger: the longest query times the longest key. */
    double scores(Shape shape) {
      int HS = shape.heads.HS(), all = shape.heads.qkvWidth() / HS;
      double q = 0, k = 0;
      for (int i = 0; i * HS < qkv.length; i++) {
        double squares = 0;
        for (int j = i * HS; j < (i + 1) * HS; j++) squares += qkv[j] * qkv[j];
        if (i % all < shape.heads.NH()) q = Math.max(q, squares);
        else if (i % all < shape.heads.NH() + shape.heads.NKV()) k = Math.max(k, squares);
      }
      return Math.sqrt(q * k) * shape.scale;
    }
  }

  static List<OpCase> all(DType element, int draw) {
    var c = new AttentionCases(element, draw);
    c.layer(new Ops.Heads(1, 1, 2), 1, 1);
    c.layer(new Ops.Heads(2, 1, 7), 1, 2);
    c.layer(new Ops.Heads(4, 2, 6), 1, 7, 3, 2);
    c.layer(new Ops.Heads(3, 3, 64), 1, 63);
    c.layer(new Ops.Heads(6, 2, 16), 1, 65, 1, 5);
    c.layer(new Ops.Heads(2, 2, 65), 1, 127, 2);
    c.layer(new Ops.Heads(9, 3, 64), 1, 130, 33);
    // Scores of some tens: most probabilities vanish.
    c.layer(new Ops.Heads(4, 4, 32), 4, 64, 128);
    c.layer(new Ops.Heads(2, 1, 128), 1, 300);
    // Windows: a query sees itself alone, some keys, a tile and one more, all.
    c.layer(new Shape(new Ops.Heads(4, 2, 6), 0.5, 1), 1, 7, 3, 2);
    c.layer(new Shape(new Ops.Heads(6, 2, 16), 0.2, 5), 1, 65, 1, 5);
    c.layer(new Shape(new Ops.Heads(3, 1, 32), 0.1, 65), 1, 130, 33, 64);
    c.layer(new Shape(new Ops.Heads(2, 2, 7), 0.3, 100), 1, 127, 2);
    for (int[] s :
        new int[][] {{1, 1, 1, 1, 2}, {3, 4, 2, 7, 6}, {2, 6, 3, 130, 64}, {5, 2, 2, 65, 33}}) {
      for (int window : new int[] {0, 1, 9})
        c.decode(s[0], new Ops.Heads(s[1], s[2], s[4]), s[3], window);
    }
    return c.cases;
  }

  private OpCase add(String name, Object shape, int[] lengths, Object... more) {
    var c = new OpCase(name + shape + Arrays.toString(lengths) + List.of(more), element);
    if (shape instanceof Shape(var heads, _, _))
      c.products(
          Math.max(heads.HS(), Arrays.stream(lengths).max().orElse(0)) * heads.NH() / heads.NKV());
    cases.add(c);
    return c;
  }

  /** What scores are multiplied by, and how many keys a query sees. */
  private record Shape(Ops.Heads heads, double scale, int window) {
    @Override
    public String toString() {
      return "[%s, scale %.3g, window %d]".formatted(heads, scale, window);
    }

    Attention of(Map<String, Tensor> t) {
      return new Attention(
          t.get("o"), t.get("lse"), t.get("qkv"), t.get("cu"), heads, scale, window);
    }
  }

  private void layer(Ops.Heads heads, double spread, int... lengths) {
    layer(new Shape(heads, heads.scale(), 0), spread, lengths);
  }

  private void layer(Shape shape, double spread, int... lengths) {
    var heads = shape.heads;
    double[] cu = new double[lengths.length + 1];
    for (int s = 0; s < lengths.length; s++) cu[s + 1] = cu[s] + lengths[s];
    int N = (int) cu[lengths.length];
    int S = lengths.length;
    Layer x = layer(shape, cu, spread);
    Layer y = layer(shape, cu, spread);
    int width = heads.NH() * heads.HS();

    add("attentionForward", shape, lengths)
        .out("o", N, width)
        .wideOut("lse", N, heads.NH())
        .in("qkv", x.qkv, N, heads.qkvWidth())
        .ints("cu", cu)
        .run((o, t) -> o.attentionForward(shape.of(t)));

    // No sampled rows, then exact log, then the released code's epsilon and one that matters.
    for (float eps : new float[] {-1, 0, 1e-8f, 1e-2f}) {
      for (boolean sens : eps < 0 ? new boolean[] {false, true} : new boolean[] {true}) {
        var c =
            add(
                "attentionBackward",
                shape,
                lengths,
                eps < 0 ? "no rows" : "eps " + eps,
                sens ? "sens" : "");
        c.out("dqkv", N, heads.qkvWidth()).in("dout", noise.normal(1, N, width), N, width);
        c.in("qkv", x.qkv, N, heads.qkvWidth())
            .in("o", x.o, N, width)
            .wideIn("lse", x.lse, N, heads.NH());
        c.ints("cu", cu);
        if (sens) c.doubles("sens", S, heads.NH());
        if (eps >= 0) {
          var rows =
              Sampling.random(noise, heads.NH(), (heads.NH() + 1) / 2, 20, lengths)
                  .seen(shape.window);
          c.queries(rows, false).doubles("kl", rows.pos().length, rows.heads().length);
          c.terms("kl", 1);
          // Of one key all probability is its own: dA - D and the distillation's gradient, of some
          // units each, times keys of some units, leave nothing but rounding.
          if (shape.window == 1) c.terms("dqkv", 16);
        }
        c.run(
            (o, t) ->
                o.attentionBackward(
                    new AttentionGradient(
                        shape.of(t),
                        t.get("dqkv"),
                        t.get("dout"),
                        t.get("sens"),
                        t.get("kl"),
                        eps < 0 ? null : OpCase.queries(t),
                        Math.max(eps, 0))));
      }
    }

    for (boolean every : new boolean[] {false, true}) {
      var rows =
          every
              ? Sampling.all(heads.NH(), lengths)
              : Sampling.random(noise, heads.NH(), 1, 9, lengths);
      add("attentionCapture", shape, lengths, every ? "all" : "sampled")
          .queries(rows, true)
          .in("qkv", x.qkv, N, heads.qkvWidth())
          .wideIn("lse", x.lse, N, heads.NH())
          .ints("cu", cu)
          .run((o, t) -> o.attentionCapture(new AttentionRows(shape.of(t), OpCase.queries(t))));
      var c = add("attentionDifference", shape, lengths, every ? "all" : "sampled");
      // Probabilities of up to 1 cancel, in a few rows at least.
      c.doubles("diff", S, heads.NH()).ints("cu", cu).terms("diff", 4);
      c.products(heads.HS()).exponentialOf(Math.max(x.scores(shape), y.scores(shape)));
      c.in("qkv", x.qkv, N, heads.qkvWidth()).wideIn("lse", x.lse, N, heads.NH());
      c.in("qkv2", y.qkv, N, heads.qkvWidth()).wideIn("lse2", y.lse, N, heads.NH());
      if (!every) c.queries(rows, false);
      c.run(
          (o, t) ->
              o.attentionDifference(
                  new AttentionChange(
                      t.get("diff"),
                      shape.of(t),
                      t.get("qkv2"),
                      t.get("lse2"),
                      every ? null : OpCase.queries(t))));
    }
  }

  private Layer layer(Shape shape, double[] cu, double spread) {
    var heads = shape.heads;
    int N = (int) cu[cu.length - 1];
    double[] qkv = noise.normal(spread, N, heads.qkvWidth());
    int width = heads.NH() * heads.HS();
    try (var memory = new Memory("layer")) {
      var o = memory.allocate("o", element, N, width);
      var lse = memory.allocate("lse", DType.F32, N, heads.NH());
      new ReferenceOps(element)
          .attentionForward(
              new Attention(
                  o,
                  lse,
                  Noise.tensor(memory, element, qkv, N, heads.qkvWidth()),
                  Noise.tensor(memory, DType.I32, cu, cu.length),
                  heads,
                  shape.scale,
                  shape.window));
      return new Layer(qkv, o.toDoubles(), lse.toDoubles());
    }
  }

  private void decode(int B, Ops.Heads heads, int T, int window) {
    int[] shape = {B, heads.NKV(), T, heads.HS()};
    double[] lengths = noise.ints(0, T, B);
    lengths[B - 1] = T - 1;
    add("attentionDecode", heads, shape, "window " + window)
        .out("o", B, heads.NH() * heads.HS())
        .inout(
            "kcache", noise.normal(1, B, heads.NKV(), T, heads.HS()), B, heads.NKV(), T, heads.HS())
        .inout(
            "vcache", noise.normal(1, B, heads.NKV(), T, heads.HS()), B, heads.NKV(), T, heads.HS())
        .in("qkv", noise.normal(1, B, heads.qkvWidth()), B, heads.qkvWidth())
        .ints("lengths", lengths)
        .run(
            (o, t) ->
                o.attentionDecode(
                    new Decode(
                        t.get("o"),
                        t.get("kcache"),
                        t.get("vcache"),
                        t.get("qkv"),
                        t.get("lengths"),
                        heads,
                        window == 0 ? heads.scale() : 0.3,
                        window)));
  }
}
