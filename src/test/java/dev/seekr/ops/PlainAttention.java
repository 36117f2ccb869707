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
  private final Heads heads;
  private final int HS;
  private final int NH;
  private final float[] x;

  PlainAttention(DType element, Heads heads, Tensor qkv) {
    this.element = element;
    this.heads = heads;
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

  private float[] scores(int first, int t, int h) {
    float[] S = new float[t - first + 1];
    for (int j = 0; j < S.length; j++) {
      S[j] = dot(x, query(t, h), x, key(first + j, h), HS) / (float) Math.sqrt(HS);
    }
    return S;
  }

  private float[] probabilities(int first, int t, int h, Tensor lse) {
    float[] A = scores(first, t, h);
    float sum = (float) lse.get((long) t * NH + h);
    for (int j = 0; j < A.length; j++) A[j] = (float) Math.exp(A[j] - sum);
    return A;
  }

  void forward(Tensor o, Tensor lse, Tensor cu) {
    float[] out = new float[(int) o.size()];
    for (int s = 0; s + 1 < cu.size(); s++) {
      for (int first = cu.getInt(s), t = first; t < cu.getInt(s + 1); t++) {
        for (int h = 0; h < NH; h++) {
          float[] S = scores(first, t, h);
          float sum = PlainOps.logSumExp(S);
          lse.set((long) t * NH + h, sum);
          for (int j = 0; j < S.length; j++) {
            float A = (float) Math.exp(S[j] - sum);
            add(out, (t * NH + h) * HS, round(A), x, value(first + j, h), HS);
          }
        }
      }
    }
    o.copyFrom(out);
  }

  void backward(
      Tensor dqkv,
      Tensor sens,
      Tensor kl,
      Tensor dout,
      Tensor o,
      Tensor lse,
      Tensor cu,
      AttentionRows rows,
      float eps) {
    float[] d = new float[x.length];
    float[] dO = dout.toFloats();
    float[] O = o.toFloats();
    float scale = 1 / (float) Math.sqrt(HS);
    for (int s = 0; s + 1 < cu.size(); s++) {
      for (int h = 0; h < NH; h++) {
        float squares = 0;
        for (int first = cu.getInt(s), t = first; t < cu.getInt(s + 1); t++) {
          int row = (t * NH + h) * HS;
          float[] A = probabilities(first, t, h, lse);
          float[] dS = new float[A.length];
          float D = dot(dO, row, O, row, HS);
          for (int j = 0; j < A.length; j++) {
            float dA = dot(dO, row, x, value(first + j, h), HS);
            squares += dA * dA;
            dS[j] = A[j] * (dA - D);
            add(d, value(first + j, h), round(A[j]), dO, row, HS);
          }
          if (rows != null) distill(dS, A, rows, kl, s, t - first, h, lse, first, eps);
          for (int j = 0; j < A.length; j++) {
            add(d, query(t, h), scale * round(dS[j]), x, key(first + j, h), HS);
            add(d, key(first + j, h), scale * round(dS[j]), x, query(t, h), HS);
          }
        }
        if (sens != null) sens.set((long) s * NH + h, squares);
      }
    }
    dqkv.copyFrom(d);
  }

  private void distill(
      float[] dS,
      float[] A,
      AttentionRows rows,
      Tensor kl,
      int s,
      int pos,
      int h,
      Tensor lse,
      int first,
      float eps) {
    for (int i = rows.rowStart().getInt(s); i < rows.rowStart().getInt(s + 1); i++) {
      for (int k = 0; k < rows.H(); k++) {
        if (rows.pos().getInt(i) != pos || rows.heads().getInt(k) != h) continue;
        long at = rows.H() * (long) rows.prefix().get(i) + (long) k * (pos + 1);
        float[] P = rows.p().view(at, pos + 1).toFloats();
        float[] S = scores(first, first + pos, h);
        float sum = (float) lse.get((long) (first + pos) * NH + h);
        float weight = (float) rows.weight().get(i);
        float divergence = 0;
        float mean = 0;
        for (int j = 0; j <= pos; j++) {
          if (P[j] == 0) continue;
          float logA = eps == 0 ? S[j] - sum : (float) Math.log(A[j] + eps);
          divergence += P[j] * ((float) Math.log(P[j]) - logA);
          if (eps > 0) mean += A[j] * (P[j] / (A[j] + eps));
        }
        for (int j = 0; j <= pos; j++) {
          dS[j] += weight * (eps == 0 ? A[j] - P[j] : A[j] * (mean - P[j] / (A[j] + eps)));
        }
        kl.set((long) i * rows.H() + k, divergence);
      }
    }
  }

  void capture(AttentionRows rows, Tensor lse, Tensor cu) {
    for (int s = 0; s + 1 < cu.size(); s++) {
      for (int i = rows.rowStart().getInt(s); i < rows.rowStart().getInt(s + 1); i++) {
        int pos = rows.pos().getInt(i);
        for (int k = 0; k < rows.H(); k++) {
          long at = rows.H() * (long) rows.prefix().get(i) + (long) k * (pos + 1);
          float[] A = probabilities(cu.getInt(s), cu.getInt(s) + pos, rows.heads().getInt(k), lse);
          rows.p().view(at, pos + 1).copyFrom(A);
        }
      }
    }
  }

  void difference(
      Tensor diff,
      Tensor lse,
      PlainAttention other,
      Tensor otherLse,
      Tensor cu,
      AttentionRows rows) {
    for (int s = 0; s + 1 < cu.size(); s++) {
      int first = cu.getInt(s);
      int from = rows == null ? 0 : rows.rowStart().getInt(s);
      int to = rows == null ? cu.getInt(s + 1) - first : rows.rowStart().getInt(s + 1);
      for (int h = 0; h < NH; h++) {
        float sum = 0;
        for (int i = from; i < to; i++) {
          int t = first + (rows == null ? i : rows.pos().getInt(i));
          float weight = rows == null ? 1 : (float) rows.weight().get(i);
          float[] A = probabilities(first, t, h, lse);
          float[] B = other.probabilities(first, t, h, otherLse);
          for (int j = 0; j < A.length; j++) sum += weight * ((A[j] - B[j]) * (A[j] - B[j]));
        }
        diff.set((long) s * NH + h, sum);
      }
    }
  }

  static void decode(
      Tensor o, Tensor kcache, Tensor vcache, Tensor qkv, Tensor lengths, Heads heads) {
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
        float[] S = new float[t + 1];
        for (int j = 0; j <= t; j++) S[j] = dot(q, 0, k, j * HS, HS) / (float) Math.sqrt(HS);
        float lse = PlainOps.logSumExp(S);
        float[] out = new float[HS];
        for (int j = 0; j <= t; j++) {
          add(out, 0, (float) Math.exp(S[j] - lse), v, j * HS, HS);
        }
        o.view((b * heads.NH() + h) * HS, HS).copyFrom(out);
      }
    }
  }
}
