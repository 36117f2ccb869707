package dev.seekr.ops;

import dev.seekr.ops.Ops.Distance;
import dev.seekr.tensor.DType;
import java.util.ArrayList;
import java.util.List;

/** Every operation of {@link Ops} but attention, on odd shapes. */
final class OpCases {
  /**
   * How many cases there are, different {@link OpCase#signature signatures} of them, and arguments
   * of those that have a type. Raise them with every case added: a suite that shrinks unnoticed
   * proves nothing.
   */
  static final int CASES = 584, SIGNATURES = 35, ARGUMENTS = 159;

  private static final int[] ODD = {1, 2, 7, 63, 65, 127};
  private final DType element;
  private final Noise noise;
  private final List<OpCase> cases = new ArrayList<>();

  private OpCases(DType element, int draw) {
    this.element = element;
    noise = new Noise(draw);
  }

  /**
   * For libraries of this element type: the same operations and shapes in every draw, with other
   * data; tensors of even draws are aligned.
   */
  static List<OpCase> all(DType element, int draw) {
    var c = new OpCases(element, draw);
    c.matmul();
    c.embedding();
    c.rmsnorm();
    c.rope();
    c.swiglu();
    c.rows();
    c.dropout();
    c.loss();
    c.optimizer();
    c.anchor();
    c.cases.addAll(AttentionCases.all(element, draw));
    for (OpCase each : c.cases) each.canaries(draw % 2 == 0 ? OpCase.ALIGNED : OpCase.ODD);
    return c.cases;
  }

  private OpCase add(String name, Object... shape) {
    var c = new OpCase(name + List.of(shape), element);
    cases.add(c);
    return c;
  }

  private void matmul() {
    int[][] shapes = {
      {1, 1, 1}, {2, 7, 63}, {63, 2, 7}, {65, 127, 7}, {7, 65, 127}, {130, 1, 65}, {3, 300, 257}
    };
    for (int[] s : shapes) {
      int M = s[0];
      int N = s[1];
      int K = s[2];
      for (int bits = 0; bits < 16; bits++) {
        boolean ta = (bits & 1) != 0;
        boolean tb = (bits & 2) != 0;
        boolean accumulate = (bits & 4) != 0;
        boolean wide = (bits & 8) != 0;
        float alpha = M % 2 == 0 ? 1 : -0.375f;
        String sign = (wide ? "F32 " : "") + (accumulate ? "+=" : "=");
        var c = add("matmul", M, N, K, ta ? "T" : "N", tb ? "T" : "N", sign);
        c.in("a", noise.normal(1, M, K), ta ? K : M, ta ? M : K);
        c.in("b", noise.normal(1, K, N), tb ? N : K, tb ? K : N);
        double[] y = noise.normal(1, M, N);
        if (wide && accumulate) c.wideInout("y", y, M, N);
        else if (wide) c.wideOut("y", M, N);
        else if (accumulate) c.inout("y", y, M, N);
        else c.out("y", M, N);
        c.run(
            (o, t) ->
                o.matmul(
                    new Product(t.get("y"), t.get("a"), t.get("b"), ta, tb, alpha, accumulate)));
      }
    }
  }

  private void embedding() {
    int[][] shapes = {{1, 1, 1}, {7, 2, 65}, {65, 63, 7}, {127, 65, 3}, {300, 7, 2}};
    for (int[] s : shapes) {
      int N = s[0];
      int C = s[1];
      int V = s[2];
      double[] tokens = noise.ints(-1, V, N);
      add("gatherSome", N, C, V)
          .inout("d", noise.normal(1, N, C), N, C)
          .in("x", noise.normal(1, V, C), V, C)
          .ints("rows", tokens)
          .run((o, t) -> o.gather(t.get("d"), t.get("x"), t.get("rows")));
      add("embeddingBackward", N, C, V)
          .wideInout("dw", noise.normal(1, V, C), V, C)
          .ints("tokens", tokens)
          .in("dx", noise.normal(1, N, C), N, C)
          .run((o, t) -> o.embeddingBackward(t.get("dw"), t.get("tokens"), t.get("dx")));
    }
  }

  private void rmsnorm() {
    for (int C : ODD) {
      for (int N : new int[] {1, 7, 130}) {
        double[] w = noise.about(1, 0.3, C);
        for (boolean sum : new boolean[] {false, true}) {
          var c = add("rmsnormForward", N, C, sum ? "a+b" : "a").out("y", N, C).wideOut("rstd", N);
          c.in("a", noise.normal(2, N, C), N, C).in("w", w, C);
          if (sum) c.in("b", noise.normal(1, N, C), N, C).out("x", N, C);
          c.run(
              (o, t) ->
                  o.rmsnormForward(
                      t.get("y"),
                      t.get("x"),
                      t.get("rstd"),
                      t.get("a"),
                      t.get("b"),
                      t.get("w"),
                      1e-5f));
        }
        for (boolean weights : new boolean[] {false, true}) {
          var c = add("rmsnormBackward", N, C, weights ? "dx, dw" : "dx");
          c.inout("dx", noise.normal(1, N, C), N, C);
          if (weights) c.wideInout("dw", noise.normal(1, C), C);
          c.in("dy", noise.normal(1, N, C), N, C).in("x", noise.normal(2, N, C), N, C);
          c.wideIn("rstd", noise.about(0.5, 0.1, N), N).in("w", w, C);
          c.run(
              (o, t) ->
                  o.rmsnormBackward(
                      t.get("dx"),
                      t.get("dw"),
                      t.get("dy"),
                      t.get("x"),
                      t.get("rstd"),
                      t.get("w")));
        }
      }
    }
  }

  private void rope() {
    int[][] shapes = {{1, 1, 1, 2}, {7, 2, 1, 6}, {65, 4, 2, 14}, {63, 3, 3, 64}, {127, 6, 2, 34}};
    for (int[] s : shapes) {
      int N = s[0];
      var heads = new Ops.Heads(s[1], s[2], s[3]);
      int P = 70;
      int half = heads.HS() / 2;
      double[] cos = new double[P * half];
      double[] sin = new double[P * half];
      for (int i = 0; i < cos.length; i++) {
        double angle = i / half * Math.pow(10000, -(double) (i % half) / half);
        cos[i] = (float) Math.cos(angle);
        sin[i] = (float) Math.sin(angle);
      }
      for (boolean forward : new boolean[] {true, false}) {
        add(forward ? "ropeForward" : "ropeBackward", N, heads)
            .inout("qkv", noise.normal(1, N, heads.qkvWidth()), N, heads.qkvWidth())
            .ints("positions", noise.ints(0, P, N))
            .wideIn("cos", cos, P, half)
            .wideIn("sin", sin, P, half)
            .run(
                (o, t) -> {
                  if (forward)
                    o.ropeForward(
                        t.get("qkv"), t.get("positions"), t.get("cos"), t.get("sin"), heads);
                  else
                    o.ropeBackward(
                        t.get("qkv"), t.get("positions"), t.get("cos"), t.get("sin"), heads);
                });
      }
    }
  }

  private void swiglu() {
    for (int F : ODD) {
      for (int N : new int[] {1, 7, 65}) {
        // Wide enough that exp of some gates overflows or vanishes in float.
        double[] gu = noise.normal(N == 7 ? 40 : 2, N, 2 * F);
        add("swigluForward", N, F)
            .out("h", N, F)
            .in("gu", gu, N, 2 * F)
            .run((o, t) -> o.swigluForward(t.get("h"), t.get("gu")));
        add("swigluBackward", N, F)
            .out("dgu", N, 2 * F)
            .inout("dh", noise.normal(1, N, F), N, F)
            .in("gu", gu, N, 2 * F)
            .run((o, t) -> o.swigluBackward(t.get("dgu"), t.get("dh"), t.get("gu")));
      }
    }
  }

  private void rows() {
    int[][] shapes = {{1, 1, 1}, {7, 2, 3}, {65, 63, 65}, {127, 65, 2}, {130, 7, 64}};
    for (int[] s : shapes) {
      int N = s[0];
      int C = s[1];
      int R = s[2];
      double[] rows = noise.choose(R, N);
      add("gather", N, C, R)
          .out("d", R, C)
          .in("x", noise.normal(1, N, C), N, C)
          .ints("rows", rows)
          .run((o, t) -> o.gather(t.get("d"), t.get("x"), t.get("rows")));
      add("scatter", N, C, R)
          .out("x", N, C)
          .in("d", noise.normal(1, R, C), R, C)
          .ints("rows", rows)
          .run((o, t) -> o.scatter(t.get("x"), t.get("d"), t.get("rows")));
      add("scatterAdd", N, C, R)
          .inout("x", noise.normal(1, N, C), N, C)
          .in("d", noise.normal(1, R, C), R, C)
          .ints("rows", rows)
          .run((o, t) -> o.scatterAdd(t.get("x"), t.get("d"), t.get("rows")));
    }
  }

  private void dropout() {
    int[][] shapes = {{1, 1}, {7, 2}, {2, 63}, {65, 127}, {3, 1027}};
    for (int[] s : shapes) {
      int N = s[0];
      int C = s[1];
      double[] keys = noise.ints(Integer.MIN_VALUE, Integer.MAX_VALUE, N);
      for (boolean accumulate : new boolean[] {false, true}) {
        var c = add("dropout", N, C, accumulate ? "+=" : "=");
        if (accumulate) c.inout("y", noise.normal(1, N, C), N, C);
        else c.out("y", N, C);
        c.in("x", noise.normal(1, N, C), N, C).in("keys", DType.I64, keys, N);
        c.run((o, t) -> o.dropout(t.get("y"), t.get("x"), t.get("keys"), N - 9, 0.1f, accumulate));
      }
    }
  }

  private void loss() {
    int[][] shapes = {{1, 1}, {2, 2}, {7, 63}, {63, 7}, {5, 65}, {3, 1027}};
    for (int[] s : shapes) {
      int R = s[0];
      int V = s[1];
      for (boolean grad : new boolean[] {false, true}) {
        lossCase(R, V, null, Distance.KL, grad);
        for (DType stored : List.of(DType.F16, DType.F32)) {
          for (Distance d : Distance.values()) lossCase(R, V, stored, d, grad);
        }
      }
    }
  }

  private void lossCase(int R, int V, DType stored, Distance distance, boolean grad) {
    var c =
        add(
            "loss",
            R,
            V,
            stored == null ? "labels only" : stored + " " + distance,
            grad ? "grad" : "no grad");
    c.doubles("nll", R).doubles("distill", R);
    c.inout("logits", noise.normal(R == 7 ? 15 : 3, R, V), R, V);
    c.ints("target", noise.ints(-1, V, R));
    // Probabilities, times weights of about 1.
    if (grad) c.terms("logits", 1);
    if (grad) c.wideIn("wNll", noise.about(1, 0.2, R), R);
    if (stored != null) {
      int rows = 3;
      c.in("teacher", stored, noise.normal(3, rows, V), rows, V);
      c.ints("teacherRow", noise.ints(-1, rows, R));
      if (grad) c.wideIn("wDistill", noise.about(1, 0.2, R), R);
    }
    c.run(
        (o, t) ->
            o.loss(
                new LossRows(
                    t.get("nll"),
                    t.get("distill"),
                    t.get("logits"),
                    t.get("target"),
                    t.get("wNll"),
                    t.get("teacher"),
                    t.get("teacherRow"),
                    t.get("wDistill"),
                    distance,
                    grad)));
  }

  private void optimizer() {
    for (int n : new int[] {1, 2, 7, 63, 65, 127, 5003}) {
      for (long step : new long[] {1, 10, 100_000}) {
        double[] squares = noise.normal(0.01, n);
        for (int i = 0; i < n; i++) squares[i] = (float) (squares[i] * squares[i]);
        for (boolean masters : new boolean[] {false, true}) {
          var c =
              add("adamw", n, step, masters ? "rounded" : "")
                  .wideInout("w", noise.normal(1, n), n)
                  .wideInout("m", noise.normal(0.01, n), n)
                  .wideInout("v", squares, n)
                  .wideIn("g", noise.normal(0.02, n), n);
          if (masters) c.out("rounded", n);
          c.run(
              (o, t) ->
                  o.adamw(
                      new AdamWStep(
                          t.get("w"),
                          t.get("m"),
                          t.get("v"),
                          t.get("g"),
                          t.get("rounded"),
                          step,
                          0.01f,
                          0.9f,
                          0.95f,
                          1e-8f,
                          0.1f,
                          0.5f)));
        }
      }
      add("dot", n)
          .wideIn("x", noise.normal(1, n), n)
          .wideIn("y", noise.about(1, 0.5, n), n)
          .doubles("sum", 1)
          .run((o, t) -> t.get("sum").set(0, o.dot(t.get("x"), t.get("y"))));
      add("sumSquares", n)
          .wideIn("x", noise.normal(1, n), n)
          .doubles("sum", 1)
          .run((o, t) -> t.get("sum").set(0, o.sumSquares(t.get("x"))));
      add("addScaled", n)
          .wideInout("y", noise.normal(1, n), n)
          .wideIn("x", noise.normal(1, n), n)
          .run((o, t) -> o.addScaled(t.get("y"), t.get("x"), -0.3f));
      add("zero", n).out("x", n).run((o, t) -> o.zero(t.get("x")));
      add("zero", n, "F32").wideOut("x", n).run((o, t) -> o.zero(t.get("x")));
    }
  }

  private void anchor() {
    for (int n : new int[] {1, 2, 7, 63, 65, 127, 1027, 40_001}) {
      double[] fisher = noise.normal(1, n);
      for (int i = 0; i < n; i++) fisher[i] *= fisher[i];
      add("addSquares", n)
          .wideInout("y", noise.about(1, 0.1, n), n)
          .wideIn("x", noise.normal(3, n), n)
          .run((o, t) -> o.addSquares(t.get("y"), t.get("x"), 0.3f));
      add("anchor", n)
          .wideInout("g", noise.normal(0.1, n), n)
          .wideIn("w", noise.normal(1, n), n)
          .wideIn("fisher", fisher, n)
          .wideIn("anchor", noise.normal(1, n), n)
          .doubles("penalty", 1)
          .run(
              (o, t) ->
                  t.get("penalty")
                      .set(
                          0,
                          o.anchor(
                              t.get("g"), t.get("w"), t.get("fisher"), t.get("anchor"), 0.7f)));
    }
  }
}
