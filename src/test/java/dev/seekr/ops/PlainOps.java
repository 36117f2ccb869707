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

  private static float f(Tensor t, long i) {
    return (float) t.get(i);
  }

  private static float exp(float x) {
    return (float) Math.exp(x);
  }

  private static float log(float x) {
    return (float) Math.log(x);
  }

  @Override
  public void matmul(Tensor y, Tensor a, Tensor b, boolean ta, boolean tb, boolean accumulate) {
    int M = (int) y.dim(0);
    int N = (int) y.dim(1);
    int K = (int) a.dim(ta ? 0 : 1);
    float[] left = a.toFloats();
    float[] right = b.toFloats();
    for (int i = 0; i < M; i++) {
      for (int j = 0; j < N; j++) {
        float sum = accumulate ? f(y, (long) i * N + j) : 0;
        for (int k = 0; k < K; k++) {
          sum += left[ta ? k * M + i : i * K + k] * right[tb ? j * K + k : k * N + j];
        }
        y.set((long) i * N + j, sum);
      }
    }
  }

  @Override
  public void embeddingForward(Tensor x, Tensor tokens, Tensor w) {
    long C = w.dim(1);
    for (long n = 0; n < tokens.size(); n++) {
      if (tokens.getInt(n) < 0) continue;
      for (long c = 0; c < C; c++) x.set(n * C + c, w.get(tokens.getInt(n) * C + c));
    }
  }

  @Override
  public void embeddingBackward(Tensor dw, Tensor tokens, Tensor dx) {
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

  @Override
  public void rmsnormForward(
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

  @Override
  public void rmsnormBackward(Tensor dx, Tensor dw, Tensor dy, Tensor x, Tensor rstd, Tensor w) {
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

  @Override
  public void ropeForward(Tensor qkv, Tensor positions, Tensor cos, Tensor sin, Heads heads) {
    rotate(qkv, positions, cos, sin, heads, 1);
  }

  @Override
  public void ropeBackward(Tensor dqkv, Tensor positions, Tensor cos, Tensor sin, Heads heads) {
    rotate(dqkv, positions, cos, sin, heads, -1);
  }

  private static void rotate(
      Tensor qkv, Tensor positions, Tensor cos, Tensor sin, Heads heads, int sign) {
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

  @Override
  public void attentionForward(Tensor o, Tensor lse, Tensor qkv, Tensor cu, Heads heads) {
    new PlainAttention(element, heads, qkv).forward(o, lse, cu);
  }

  @Override
  public void attentionBackward(
      Tensor dqkv,
      Tensor sens,
      Tensor kl,
      Tensor dout,
      Tensor qkv,
      Tensor o,
      Tensor lse,
      Tensor cu,
      Heads heads,
      AttentionRows rows,
      float eps) {
    new PlainAttention(element, heads, qkv).backward(dqkv, sens, kl, dout, o, lse, cu, rows, eps);
  }

  @Override
  public void attentionCapture(AttentionRows rows, Tensor qkv, Tensor lse, Tensor cu, Heads heads) {
    new PlainAttention(element, heads, qkv).capture(rows, lse, cu);
  }

  @Override
  public void attentionDifference(
      Tensor diff,
      Tensor qkv,
      Tensor lse,
      Tensor qkv2,
      Tensor lse2,
      Tensor cu,
      Heads heads,
      AttentionRows rows) {
    new PlainAttention(element, heads, qkv)
        .difference(diff, lse, new PlainAttention(element, heads, qkv2), lse2, cu, rows);
  }

  @Override
  public void attentionDecode(
      Tensor o, Tensor kcache, Tensor vcache, Tensor qkv, Tensor lengths, Heads heads) {
    PlainAttention.decode(o, kcache, vcache, qkv, lengths, heads);
  }

  @Override
  public void swigluForward(Tensor h, Tensor gu) {
    long F = h.dim(1);
    for (long i = 0; i < h.size(); i++) {
      float gate = f(gu, i / F * 2 * F + i % F);
      h.set(i, gate / (1 + exp(-gate)) * f(gu, i / F * 2 * F + F + i % F));
    }
  }

  @Override
  public void swigluBackward(Tensor dgu, Tensor dh, Tensor gu) {
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

  @Override
  public void gather(Tensor out, Tensor x, Tensor rows) {
    long C = x.dim(1);
    for (long i = 0; i < out.size(); i++) out.set(i, x.get(rows.getInt(i / C) * C + i % C));
  }

  @Override
  public void scatter(Tensor dx, Tensor d, Tensor rows) {
    long C = dx.dim(1);
    dx.zero();
    for (long i = 0; i < d.size(); i++) dx.set(rows.getInt(i / C) * C + i % C, d.get(i));
  }

  @Override
  public void scatterAdd(Tensor x, Tensor d, Tensor rows) {
    long C = x.dim(1);
    for (long i = 0; i < d.size(); i++) {
      long at = rows.getInt(i / C) * C + i % C;
      x.set(at, f(x, at) + f(d, i));
    }
  }

  @Override
  public void loss(
      Tensor nll,
      Tensor distill,
      Tensor logits,
      Tensor target,
      Tensor wNll,
      Tensor teacher,
      Tensor teacherRow,
      Tensor wDistill,
      Distance distance,
      boolean grad) {
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

  @Override
  public void adamw(
      Tensor w,
      Tensor m,
      Tensor v,
      Tensor g,
      Tensor rounded,
      float lr,
      float beta1,
      float beta2,
      float eps,
      float decay,
      float gradScale,
      long step) {
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

  @Override
  public double dot(Tensor x, Tensor y) {
    float sum = 0;
    for (long i = 0; i < x.size(); i++) sum += f(x, i) * f(y, i);
    return sum;
  }

  @Override
  public void addScaled(Tensor y, Tensor x, float scale) {
    for (long i = 0; i < y.size(); i++) y.set(i, f(y, i) + scale * f(x, i));
  }

  @Override
  public void addSquares(Tensor f, Tensor g, float scale) {
    for (long i = 0; i < f.size(); i++) f.set(i, f(f, i) + scale * f(g, i) * f(g, i));
  }

  @Override
  public double anchor(Tensor g, Tensor w, Tensor fisher, Tensor anchor, float lambda) {
    float penalty = 0;
    for (long i = 0; i < g.size(); i++) {
      float away = f(w, i) - f(anchor, i);
      penalty += lambda * f(fisher, i) * away * away / 2;
      g.set(i, f(g, i) + lambda * f(fisher, i) * away);
    }
    return penalty;
  }

  @Override
  public void zero(Tensor x) {
    x.zero();
  }

  @Override
  public void close() {}
}
