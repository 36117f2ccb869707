package dev.seekr.ops;

import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

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
  private record Layer(double[] qkv, double[] o, double[] lse) {}

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
    for (int[] s :
        new int[][] {{1, 1, 1, 1, 2}, {3, 4, 2, 7, 6}, {2, 6, 3, 130, 64}, {5, 2, 2, 65, 33}}) {
      c.decode(s[0], new Ops.Heads(s[1], s[2], s[4]), s[3]);
    }
    return c.cases;
  }

  private OpCase add(String name, Ops.Heads heads, int[] lengths, Object... more) {
    var c = new OpCase(name + heads + Arrays.toString(lengths) + List.of(more), element);
    cases.add(c);
    return c;
  }

  private void layer(Ops.Heads heads, double scale, int... lengths) {
    double[] cu = new double[lengths.length + 1];
    for (int s = 0; s < lengths.length; s++) cu[s + 1] = cu[s] + lengths[s];
    int N = (int) cu[lengths.length];
    int S = lengths.length;
    Layer x = layer(heads, cu, scale);
    Layer y = layer(heads, cu, scale);
    int width = heads.NH() * heads.HS();

    add("attentionForward", heads, lengths)
        .out("o", N, width)
        .wideOut("lse", N, heads.NH())
        .in("qkv", x.qkv, N, heads.qkvWidth())
        .ints("cu", cu)
        .run(
            (o, t) ->
                o.attentionForward(t.get("o"), t.get("lse"), t.get("qkv"), t.get("cu"), heads));

    // No sampled rows, then exact log, then the released code's epsilon and one that matters.
    for (float eps : new float[] {-1, 0, 1e-8f, 1e-2f}) {
      for (boolean sens : eps < 0 ? new boolean[] {false, true} : new boolean[] {true}) {
        var c =
            add(
                "attentionBackward",
                heads,
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
          var rows = Sampling.random(noise, heads.NH(), (heads.NH() + 1) / 2, 20, lengths);
          c.rows(rows, false).doubles("kl", rows.pos().length, rows.heads().length);
          c.terms("kl", 1);
        }
        c.run(
            (o, t) ->
                o.attentionBackward(
                    t.get("dqkv"),
                    t.get("sens"),
                    t.get("kl"),
                    t.get("dout"),
                    t.get("qkv"),
                    t.get("o"),
                    t.get("lse"),
                    t.get("cu"),
                    heads,
                    eps < 0 ? null : OpCase.rows(t),
                    Math.max(eps, 0)));
      }
    }

    for (boolean every : new boolean[] {false, true}) {
      var rows =
          every
              ? Sampling.all(heads.NH(), lengths)
              : Sampling.random(noise, heads.NH(), 1, 9, lengths);
      add("attentionCapture", heads, lengths, every ? "all" : "sampled")
          .rows(rows, true)
          .in("qkv", x.qkv, N, heads.qkvWidth())
          .wideIn("lse", x.lse, N, heads.NH())
          .ints("cu", cu)
          .run(
              (o, t) ->
                  o.attentionCapture(
                      OpCase.rows(t), t.get("qkv"), t.get("lse"), t.get("cu"), heads));
      var c = add("attentionDifference", heads, lengths, every ? "all" : "sampled");
      // Probabilities of up to 1 cancel, in a few rows at least.
      c.doubles("diff", S, heads.NH()).ints("cu", cu).terms("diff", 4);
      c.in("qkv", x.qkv, N, heads.qkvWidth()).wideIn("lse", x.lse, N, heads.NH());
      c.in("qkv2", y.qkv, N, heads.qkvWidth()).wideIn("lse2", y.lse, N, heads.NH());
      if (!every) c.rows(rows, false);
      c.run(
          (o, t) ->
              o.attentionDifference(
                  t.get("diff"),
                  t.get("qkv"),
                  t.get("lse"),
                  t.get("qkv2"),
                  t.get("lse2"),
                  t.get("cu"),
                  heads,
                  every ? null : OpCase.rows(t)));
    }
  }

  private Layer layer(Ops.Heads heads, double[] cu, double scale) {
    int N = (int) cu[cu.length - 1];
    double[] qkv = noise.normal(scale, N, heads.qkvWidth());
    int width = heads.NH() * heads.HS();
    try (var memory = new Memory("layer")) {
      var o = memory.allocate("o", element, N, width);
      var lse = memory.allocate("lse", DType.F32, N, heads.NH());
      new ReferenceOps(element)
          .attentionForward(
              o,
              lse,
              Noise.tensor(memory, element, qkv, N, heads.qkvWidth()),
              Noise.tensor(memory, DType.I32, cu, cu.length),
              heads);
      return new Layer(qkv, o.toDoubles(), lse.toDoubles());
    }
  }

  private void decode(int B, Ops.Heads heads, int T) {
    int[] shape = {B, heads.NKV(), T, heads.HS()};
    double[] lengths = noise.ints(0, T, B);
    lengths[B - 1] = T - 1;
    add("attentionDecode", heads, shape)
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
                    t.get("o"),
                    t.get("kcache"),
                    t.get("vcache"),
                    t.get("qkv"),
                    t.get("lengths"),
                    heads));
  }
}
