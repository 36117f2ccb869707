package dev.seekr.ops;

import dev.seekr.ops.Ops.Heads;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Tensor;

/**
 * Attention of {@link PlainOps}: explicit rows in float. Before they are multiplied with values,
 * keys, queries or gradients of the element type, probabilities and gradients of scores are rounded
 * to it, as a product of matrices of that type needs them.
 */
final class PlainAttention {
  private final DType element;
  private final Attention of;
  private final Heads heads;
  private final int HS;
  private final int NH;
  private final float[] x;

  /** {@code qkv}: of this model, or of the other that it is compared with. */
  PlainAttention(DType element, Attention of, Tensor qkv) {
    this.element = element;
    this.of = of;
    this.heads = of.heads();
    HS = heads.HS();
    NH = heads.NH();
    x = qkv.toFloats();
  }

  private int query(int n, int h) {
    return n * heads.qkvWidth() + h * HS;
  }

  private int key(int n, int h) {
    return query(n, NH + h * heads.NKV() / NH);
  }

  private int value(int n, int h) {
    return key(n, h) + heads.NKV() * HS;
  }

  private static float dot(float[] a, int from, float[] b, int at, int n) {
    float sum = 0;
    for (int i = 0; i < n; i++) sum += a[from + i] * b[at + i];
    return sum;
  }

  private static void add(float[] y, int at, float weight, float[] x, int from, int n) {
    for (int i = 0; i < n; i++) y[at + i] += weight * x[from + i];
  }

  private float round(float x) {
    return (float) Noise.rounded(element, x);
  }

  /** Of what the query at {@code pos} sees: keys of.first(pos) to pos. */
  private float[] scores(int first, int pos, int h) {
    int from = of.first(pos);
    float[] S = new float[pos - from + 1];
    for (int j = 0; j < S.length; j++) {
      S[j] = dot(x, query(first + pos, h), x, key(first + from + j, h), HS) * (float) of.scale();
    }
    return S;
  }

  private float[] probabilities(int first, int pos, int h, Tensor lse) {
    float[] A = scores(first, pos, h);
    float sum = (float) lse.get((long) (first + pos) * NH + h);
    for (int j = 0; j < A.length; j++) A[j] = (float) Math.exp(A[j] - sum);
    return A;
  }

  void forward() {
    float[] out = new float[(int) of.o().size()];
    for (int s = 0; s < of.S(); s++) {
      int first = of.cu().getInt(s);
      for (int t = first; t < of.cu().getInt(s + 1); t++) {
        for (int h = 0; h < NH; h++) {
          float[] S = scores(first, t - first, h);
          float sum = PlainOps.logSumExp(S);
          of.lse().set((long) t * NH + h, sum);
          for (int j = 0; j < S.length; j++) {
            float A = (float) Math.exp(S[j] - sum);
            int from = first + of.first(t - first);
            add(out, (t * NH + h) * HS, round(A), x, value(from + j, h), HS);
          }
        }
      }
    }
    of.o().copyFrom(out);
  }

  void backward(AttentionGradient g) {
    float[] d = new float[x.length];
    float[] dO = g.dout().toFloats();
    float[] O = of.o().toFloats();
    float scale = (float) of.scale();
    for (int s = 0; s < of.S(); s++) {
      for (int h = 0; h < NH; h++) {
        float squares = 0;
        for (int first = of.cu().getInt(s), t = first; t < of.cu().getInt(s + 1); t++) {
          int row = (t * NH + h) * HS, from = first + of.first(t - first);
          float[] A = probabilities(first, t - first, h, of.lse());
          float[] dS = new float[A.length];
          float D = dot(dO, row, O, row, HS);
          for (int j = 0; j < A.length; j++) {
            float dA = dot(dO, row, x, value(from + j, h), HS);
            squares += dA * dA;
            dS[j] = A[j] * (dA - D);
            add(d, value(from + j, h), round(A[j]), dO, row, HS);
          }
          if (g.queries() != null) distill(dS, A, g, s, t - first, h);
          for (int j = 0; j < A.length; j++) {
            add(d, query(t, h), scale * round(dS[j]), x, key(from + j, h), HS);
            add(d, key(from + j, h), scale * round(dS[j]), x, query(t, h), HS);
          }
        }
        if (g.sens() != null) g.sens().set((long) s * NH + h, squares);
      }
    }
    g.dqkv().copyFrom(d);
  }

  private void distill(float[] dS, float[] A, AttentionGradient g, int s, int pos, int h) {
    Queries q = g.queries();
    float eps = g.eps();
    for (int i = q.rowStart().getInt(s); i < q.rowStart().getInt(s + 1); i++) {
      for (int k = 0; k < q.H(); k++) {
        if (q.pos().getInt(i) != pos || q.heads().getInt(k) != h) continue;
        int first = of.cu().getInt(s);
        float[] P = q.p().view(block(q, i, k) + of.first(pos), A.length).toFloats();
        float[] S = scores(first, pos, h);
        float sum = (float) of.lse().get((long) (first + pos) * NH + h);
        float weight = (float) q.weight().get(i);
        float divergence = 0;
        float mean = 0;
        for (int j = 0; j < A.length; j++) {
          if (P[j] == 0) continue;
          float logA = eps == 0 ? S[j] - sum : (float) Math.log(A[j] + eps);
          divergence += P[j] * ((float) Math.log(P[j]) - logA);
          if (eps > 0) mean += A[j] * (P[j] / (A[j] + eps));
        }
        for (int j = 0; j < A.length; j++) {
          dS[j] += weight * (eps == 0 ? A[j] - P[j] : A[j] * (mean - P[j] / (A[j] + eps)));
        }
        g.kl().set((long) i * q.H() + k, divergence);
      }
    }
  }

  private static long block(Queries q, int i, int k) {
    return q.H() * (long) q.prefix().get(i) + (long) k * (q.pos().getInt(i) + 1);
  }

  void capture(Queries q) {
    for (int s = 0; s < of.S(); s++) {
      for (int i = q.rowStart().getInt(s); i < q.rowStart().getInt(s + 1); i++) {
        int pos = q.pos().getInt(i), from = of.first(pos);
        for (int k = 0; k < q.H(); k++) {
          float[] A = probabilities(of.cu().getInt(s), pos, q.heads().getInt(k), of.lse());
          float[] row = new float[pos + 1]; // 0 outside the window
          System.arraycopy(A, 0, row, from, A.length);
          q.p().view(block(q, i, k), pos + 1).copyFrom(row);
        }
      }
    }
  }

  void difference(AttentionChange change, PlainAttention other) {
    Queries q = change.queries();
    for (int s = 0; s < of.S(); s++) {
      int first = of.cu().getInt(s);
      int from = q == null ? 0 : q.rowStart().getInt(s);
      int to = q == null ? of.cu().getInt(s + 1) - first : q.rowStart().getInt(s + 1);
      for (int h = 0; h < NH; h++) {
        float sum = 0;
        for (int i = from; i < to; i++) {
          int pos = q == null ? i : q.pos().getInt(i);
          float weight = q == null ? 1 : (float) q.weight().get(i);
          float[] A = probabilities(first, pos, h, of.lse());
          float[] B = other.probabilities(first, pos, h, change.lse2());
          for (int j = 0; j < A.length; j++) sum += weight * ((A[j] - B[j]) * (A[j] - B[j]));
        }
        change.diff().set((long) s * NH + h, sum);
      }
    }
  }

  static void decode(Decode a) {
    Tensor o = a.o(),
        kcache = a.kcache(),
        vcache = a.vcache(),
        qkv = a.qkv(),
        lengths = a.lengths();
    Heads heads = a.heads();
    int HS = heads.HS();
    long T = kcache.dim(2);
    for (long b = 0; b < lengths.size(); b++) {
      int t = lengths.getInt(b);
      long row = b * heads.qkvWidth();
      for (long g = 0; g < heads.NKV(); g++) {
        long to = ((b * heads.NKV() + g) * T + t) * HS;
        kcache.view(to, HS).copyFrom(qkv.view(row + (heads.NH() + g) * HS, HS));
        vcache.view(to, HS).copyFrom(qkv.view(row + (heads.NH() + heads.NKV() + g) * HS, HS));
      }
      for (long h = 0; h < heads.NH(); h++) {
        long cached = (b * heads.NKV() + h * heads.NKV() / heads.NH()) * T * HS;
        float[] q = qkv.view(row + h * HS, HS).toFloats();
        float[] k = kcache.view(cached, t + 1, HS).toFloats();
        float[] v = vcache.view(cached, t + 1, HS).toFloats();
        int from = a.window() == 0 ? 0 : Math.max(0, t + 1 - a.window());
        float[] S = new float[t + 1 - from];
        for (int j = from; j <= t; j++) S[j - from] = dot(q, 0, k, j * HS, HS) * (float) a.scale();
        float lse = PlainOps.logSumExp(S);
        float[] out = new float[HS];
        for (int j = from; j <= t; j++) {
          add(out, 0, (float) Math.exp(S[j - from] - lse), v, j * HS, HS);
        }
        o.view((b * heads.NH() + h) * HS, HS).copyFrom(out);
      }
    }
  }
}
