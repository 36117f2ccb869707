package dev.seekr.ops;

import dev.seekr.tensor.DType;
import dev.seekr.tensor.Tensor;

/**
 * The kernels as one would first write them: arithmetic in single precision throughout, sums one
 * term after the other, results rounded to the type of elements when they are stored. Its error is
 * the yardstick for theirs.
 */
final class PlainOps implements Ops {
  private final DType element;

  PlainOps(DType element) {
    this.element = element;
  }

  @Override
  public DType dtype() {
    return element;
  }

  @Override
  public String description() {
    return "plain " + element;
  }

  @Override
  public void run(Op op, Arguments arguments) {
    switch (arguments) {
      case Product a -> multiply(a);
      case EmbeddingGradient(Tensor dw, Tensor tokens, Tensor dx) ->
          embeddingGradient(dw, tokens, dx);
      case Norm(Tensor y, Tensor x, Tensor rstd, Tensor a, Tensor b, Tensor w, float eps) ->
          rmsnorm(y, x, rstd, a, b, w, eps);
      case NormGradient(Tensor dx, Tensor dw, Tensor dy, Tensor x, Tensor rstd, Tensor w) ->
          rmsnormGradient(dx, dw, dy, x, rstd, w);
      case Rotation a -> rotate(a, op == Op.ROPE_FWD ? 1 : -1);
      case SwiGlu(Tensor h, Tensor gu) -> swiglu(h, gu);
      case SwiGluGradient(Tensor dgu, Tensor dh, Tensor gu) -> swigluGradient(dgu, dh, gu);
      case Rows(Op how, Tensor x, Tensor d, Tensor rows) -> rows(how, x, d, rows);
      case DroppedRows a -> dropout(a);
      case Attention a -> plain(a).forward();
      case AttentionGradient a -> plain(a.of()).backward(a);
      case AttentionRows a -> plain(a.of()).capture(a.queries());
      case AttentionChange a ->
          plain(a.of()).difference(a, new PlainAttention(element, a.of(), a.qkv2()));
      case Decode a -> PlainAttention.decode(a);
      case LossRows a -> lossRows(a);
      case AdamWStep a -> adamwStep(a);
      case Pair(Tensor out, Tensor x, Tensor y) -> out.set(0, product(x, y));
      case Scaled(Op how, Tensor y, Tensor x, float scale) -> {
        for (long i = 0; i < y.size(); i++) {
          float v = how == Op.ADD_SQUARES ? f(x, i) * f(x, i) : f(x, i);
          y.set(i, f(y, i) + scale * v);
        }
      }
      case Pull(Tensor out, Tensor g, Tensor w, Tensor fisher, Tensor anchor, float lambda) ->
          out.set(0, pull(g, w, fisher, anchor, lambda));
      case Vector v -> v.x().zero();
      default -> throw new IllegalArgumentException(arguments.toString());
    }
  }

  private PlainAttention plain(Attention a) {
    return new PlainAttention(element, a, a.qkv());
  }

  private static float f(Tensor t, long i) {
    return (float) t.get(i);
  }

  private static float exp(float x) {
    return (float) Math.exp(x);
  }

  private static float log(float x) {
    return (float) Math.log(x);
  }

  private static void multiply(Product p) {
    int M = (int) p.M();
    int N = (int) p.N();
    int K = (int) p.K();
    boolean ta = p.ta(), tb = p.tb(), plus = p.accumulate() && p.alpha() == 1;
    Tensor y = p.y();
    float[] left = p.a().toFloats();
    float[] right = p.b().toFloats();
    for (int i = 0; i < M; i++) {
      for (int j = 0; j < N; j++) {
        float sum = plus ? f(y, (long) i * N + j) : 0;
        for (int k = 0; k < K; k++) {
          sum += left[ta ? k * M + i : i * K + k] * right[tb ? j * K + k : k * N + j];
        }
        long at = (long) i * N + j;
        float product = p.alpha() * sum;
        y.set(at, p.accumulate() && !plus ? product + f(y, at) : product);
      }
    }
  }

  private static void embeddingGradient(Tensor dw, Tensor tokens, Tensor dx) {
    long C = dw.dim(1);
    int N = (int) tokens.size();
    for (int n = 0; n < N; n++) {
      if (tokens.getInt(n) < 0) continue;
      for (long c = 0; c < C; c++) {
        long at = tokens.getInt(n) * C + c;
        dw.set(at, f(dw, at) + f(dx, n * C + c));
      }
    }
  }

  private static void rmsnorm(
      Tensor y, Tensor x, Tensor rstd, Tensor a, Tensor b, Tensor w, float eps) {
    int C = (int) w.size();
    for (long n = 0; n < rstd.size(); n++) {
      float squares = 0;
      Tensor from = b == null ? a : x;
      for (int c = 0; c < C; c++) {
        if (b != null) x.set(n * C + c, f(a, n * C + c) + f(b, n * C + c));
        float v = f(from, n * C + c);
        squares += v * v;
      }
      float r = 1 / (float) Math.sqrt(squares / C + eps);
      rstd.set(n, r);
      for (long c = 0; c < C; c++) y.set(n * C + c, f(from, n * C + c) * r * f(w, c));
    }
  }

  private static void rmsnormGradient(
      Tensor dx, Tensor dw, Tensor dy, Tensor x, Tensor rstd, Tensor w) {
    int C = (int) w.size();
    int N = (int) rstd.size();
    for (int n = 0; n < N; n++) {
      float r = f(rstd, n);
      float sum = 0;
      for (int c = 0; c < C; c++) {
        long i = n * C + c;
        sum += f(dy, i) * f(w, c) * (f(x, i) * r);
        if (dw != null) dw.set(c, f(dw, c) + f(dy, i) * (f(x, i) * r));
      }
      for (long c = 0; c < C; c++) {
        long i = n * C + c;
        dx.set(i, f(dx, i) + r * (f(dy, i) * f(w, c) - f(x, i) * r * (sum / C)));
      }
    }
  }

  private static void rotate(Rotation a, int sign) {
    Tensor qkv = a.qkv(), positions = a.positions(), cos = a.cos(), sin = a.sin();
    Heads heads = a.heads();
    int half = heads.HS() / 2;
    for (long n = 0; n < positions.size(); n++) {
      for (long h = 0; h < heads.NH() + heads.NKV(); h++) {
        for (long i = 0; i < half; i++) {
          long at = n * heads.qkvWidth() + h * heads.HS() + i;
          float c = f(cos, (long) positions.getInt(n) * half + i);
          float s = sign * f(sin, (long) positions.getInt(n) * half + i);
          float u = f(qkv, at);
          float v = f(qkv, at + half);
          qkv.set(at, u * c - v * s);
          qkv.set(at + half, v * c + u * s);
        }
      }
    }
  }

  private static void swiglu(Tensor h, Tensor gu) {
    long F = h.dim(1);
    for (long i = 0; i < h.size(); i++) {
      float gate = f(gu, i / F * 2 * F + i % F);
      h.set(i, gate / (1 + exp(-gate)) * f(gu, i / F * 2 * F + F + i % F));
    }
  }

  private static void swigluGradient(Tensor dgu, Tensor dh, Tensor gu) {
    long F = dh.dim(1);
    for (long i = 0; i < dh.size(); i++) {
      long at = i / F * 2 * F + i % F;
      float gate = f(gu, at);
      float up = f(gu, at + F);
      float sig = 1 / (1 + exp(-gate));
      float d = f(dh, i);
      dgu.set(at, d * up * sig * (1 + gate * (1 - sig)));
      dgu.set(at + F, d * gate * sig);
      dh.set(i, gate * sig * up);
    }
  }

  private static void rows(Op how, Tensor x, Tensor d, Tensor rows) {
    long C = x.dim(1);
    if (how == Op.SCATTER) x.zero();
    for (long i = 0; i < d.size(); i++) {
      long at = rows.getInt(i / C) * C + i % C;
      if (at < 0) continue;
      switch (how) {
        case GATHER -> d.set(i, x.get(at));
        case SCATTER -> x.set(at, d.get(i));
        default -> x.set(at, f(x, at) + f(d, i));
      }
    }
  }

  private static void dropout(DroppedRows a) {
    for (long i = 0; i < a.N() * a.C(); i++) {
      float v = a.keeps(i / a.C(), i % a.C()) ? f(a.x(), i) / (1 - a.p()) : 0;
      a.y().set(i, a.accumulate() ? f(a.y(), i) + v : v);
    }
  }

  private static void lossRows(LossRows a) {
    Tensor nll = a.nll(), distill = a.distill(), logits = a.logits(), target = a.target();
    Tensor wNll = a.wNll(), teacher = a.teacher(), teacherRow = a.teacherRow();
    Tensor wDistill = a.wDistill();
    Distance distance = a.distance();
    boolean grad = a.grad();
    int V = (int) logits.dim(1);
    for (int r = 0; r < logits.dim(0); r++) {
      float[] z = logits.rows(r, r + 1).toFloats();
      float lse = logSumExp(z);
      float[] d = new float[V];
      int y = target.getInt(r);
      nll.set(r, y < 0 ? 0 : lse - z[y]);
      for (int v = 0; grad && y >= 0 && v < V; v++) {
        d[v] = f(wNll, r) * (exp(z[v] - lse) - (v == y ? 1 : 0));
      }
      if (distill != null) distill.set(r, 0);
      if (teacher != null && teacherRow.getInt(r) >= 0) {
        float[] t = teacher.view((long) teacherRow.getInt(r) * V, V).toFloats();
        float tlse = logSumExp(t);
        float sum = 0;
        for (int v = 0; v < V; v++) {
          float p = exp(t[v] - tlse);
          float logQ = z[v] - lse;
          switch (distance) {
            case KL -> sum += p * (t[v] - tlse - logQ);
            case CROSS_ENTROPY -> sum -= p * logQ;
            case MSE -> sum += (z[v] - t[v]) * (z[v] - t[v]) / V;
          }
          float slope = distance == Distance.MSE ? 2 * (z[v] - t[v]) / V : exp(logQ) - p;
          if (grad) d[v] += f(wDistill, r) * slope;
        }
        distill.set(r, sum);
      }
      if (grad) logits.rows(r, r + 1).copyFrom(d);
    }
  }

  static float logSumExp(float[] x) {
    float max = Float.NEGATIVE_INFINITY;
    for (float v : x) max = Math.max(max, v);
    float sum = 0;
    for (float v : x) sum += exp(v - max);
    return max + log(sum);
  }

  private static void adamwStep(AdamWStep a) {
    Tensor w = a.w(), m = a.m(), v = a.v(), g = a.g(), rounded = a.rounded();
    float lr = a.lr(), beta1 = a.beta1(), beta2 = a.beta2(), eps = a.eps(), decay = a.decay();
    float gradScale = a.gradScale();
    long step = a.step();
    float c1 = 1 - (float) Math.pow(beta1, step);
    float c2 = 1 - (float) Math.pow(beta2, step);
    for (long i = 0; i < w.size(); i++) {
      float d = gradScale * f(g, i);
      float mean = beta1 * f(m, i) + (1 - beta1) * d;
      float square = beta2 * f(v, i) + (1 - beta2) * d * d;
      m.set(i, mean);
      v.set(i, square);
      float change = mean / c1 / ((float) Math.sqrt(square / c2) + eps) + decay * f(w, i);
      w.set(i, f(w, i) - lr * change);
      if (rounded != null) rounded.set(i, f(w, i));
    }
  }

  private static double product(Tensor x, Tensor y) {
    float sum = 0;
    for (long i = 0; i < x.size(); i++) sum += f(x, i) * f(y, i);
    return sum;
  }

  private static double pull(Tensor g, Tensor w, Tensor fisher, Tensor anchor, float lambda) {
    float penalty = 0;
    for (long i = 0; i < g.size(); i++) {
      float away = f(w, i) - f(anchor, i);
      penalty += lambda * f(fisher, i) * away * away / 2;
      g.set(i, f(g, i) + lambda * f(fisher, i) * away);
    }
    return penalty;
  }

  @Override
  public void close() {}
}
