package dev.seekr.ops;

import dev.seekr.ops.Ops.Heads;
import dev.seekr.tensor.Tensor;

/** Causal attention of the reference: one row of scores at a time, in double. */
final class ReferenceAttention {
  private final Checks checks;

  ReferenceAttention(Checks checks) {
    this.checks = checks;
  }

  /** Packed queries, keys and values in double, addressed by head. */
  private record Packed(double[] qkv, Heads heads) {
    Packed(Tensor qkv, Heads heads) {
      this(qkv.toDoubles(), heads);
    }

    int query(int n, int h) {
      return n * heads.qkvWidth() + h * heads.HS();
    }

    /** Query head h reads key-value head h / (NH / NKV). */
    int key(int n, int h) {
      return query(n, heads.NH() + h / (heads.NH() / heads.NKV()));
    }

    int value(int n, int h) {
      return key(n, h) + heads.NKV() * heads.HS();
    }

    /** S of the row that ends at query t: scale q_t k_j for rows j from {@code first} to t. */
    double[] scores(int first, int t, int h) {
      double[] S = new double[t - first + 1];
      for (int j = first; j <= t; j++) {
        S[j - first] = dot(qkv, query(t, h), qkv, key(j, h), heads.HS()) / Math.sqrt(heads.HS());
      }
      return S;
    }

    /** A of the row, from the stored log-sum-exp. */
    double[] probabilities(int first, int t, int h, double lse) {
      double[] A = scores(first, t, h);
      for (int j = 0; j < A.length; j++) A[j] = Math.exp(A[j] - lse);
      return A;
    }
  }

  private static double dot(double[] a, int from, double[] b, int at, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += a[from + i] * b[at + i];
    return sum;
  }

  /** y += weight x. */
  private static void add(double[] y, int at, double weight, double[] x, int from, int n) {
    for (int i = 0; i < n; i++) y[at + i] += weight * x[from + i];
  }

  private static double logSumExp(double[] S) {
    double max = Double.NEGATIVE_INFINITY;
    for (double s : S) max = Math.max(max, s);
    double sum = 0;
    for (double s : S) sum += Math.exp(s - max);
    return max + Math.log(sum);
  }

  void forward(Tensor o, Tensor lse, Tensor qkv, Tensor cu, Heads heads) {
    checks.attentionForward(o, lse, qkv, cu, heads);
    var x = new Packed(qkv, heads);
    double[] out = new double[(int) o.size()];
    for (int s = 0; s + 1 < cu.size(); s++) {
      for (int h = 0; h < heads.NH(); h++) {
        for (int first = cu.getInt(s), t = first; t < cu.getInt(s + 1); t++) {
          double[] S = x.scores(first, t, h);
          double sum = logSumExp(S);
          lse.set((long) t * heads.NH() + h, sum);
          int to = (t * heads.NH() + h) * heads.HS();
          for (int j = first; j <= t; j++) {
            add(out, to, Math.exp(S[j - first] - sum), x.qkv, x.value(j, h), heads.HS());
          }
        }
      }
    }
    ReferenceOps.store(o, out);
  }

  void backward(
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
    checks.attentionBackward(dqkv, sens, kl, dout, qkv, o, lse, cu, heads, rows);
    var x = new Packed(qkv, heads);
    double[] d = new double[x.qkv.length];
    double[] dO = dout.toDoubles();
    double[] O = o.toDoubles();
    int HS = heads.HS();
    double scale = 1 / Math.sqrt(HS);
    for (int s = 0; s + 1 < cu.size(); s++) {
      for (int h = 0; h < heads.NH(); h++) {
        double squares = 0;
        for (int first = cu.getInt(s), t = first; t < cu.getInt(s + 1); t++) {
          int head = t * heads.NH() + h;
          double[] A = x.probabilities(first, t, h, lse.get(head));
          double D = dot(dO, head * HS, O, head * HS, HS);
          double[] dS = new double[A.length];
          for (int j = first; j <= t; j++) {
            double dA = dot(dO, head * HS, x.qkv, x.value(j, h), HS);
            squares += dA * dA;
            dS[j - first] = A[j - first] * (dA - D);
            add(d, x.value(j, h), A[j - first], dO, head * HS, HS);
          }
          if (rows != null) {
            int at = find(rows.heads(), 0, rows.H(), h);
            int i =
                find(
                    rows.pos(),
                    rows.rowStart().getInt(s),
                    rows.rowStart().getInt(s + 1),
                    t - first);
            if (at >= 0 && i >= 0) {
              double[] logA = x.scores(first, t, h);
              for (int j = 0; j < logA.length; j++) logA[j] -= lse.get(head);
              kl.set((long) i * rows.H() + at, distill(dS, A, logA, rows, i, at, eps));
            }
          }
          for (int j = first; j <= t; j++) {
            add(d, x.query(t, h), scale * dS[j - first], x.qkv, x.key(j, h), HS);
            add(d, x.key(j, h), scale * dS[j - first], x.qkv, x.query(t, h), HS);
          }
        }
        if (sens != null) sens.set((long) s * heads.NH() + h, squares);
      }
    }
    ReferenceOps.store(dqkv, d);
  }

  /** Index of {@code value} among elements [from, to) of {@code sorted}, or -1. */
  private static int find(Tensor sorted, int from, int to, int value) {
    for (int i = from; i < to; i++) if (sorted.getInt(i) == value) return i;
    return -1;
  }

  /** First element of sampled row i, selected head {@code at}, in p. */
  private static long block(AttentionRows rows, int i, int at) {
    return rows.H() * (long) rows.prefix().get(i) + (long) at * (rows.pos().getInt(i) + 1);
  }

  /** KL of sampled row i, selected head {@code at}; adds its weighted gradient to dS. */
  private static double distill(
      double[] dS, double[] A, double[] logA, AttentionRows rows, int i, int at, float eps) {
    double weight = rows.weight().get(i);
    double[] P = rows.p().view(block(rows, i, at), A.length).toDoubles();
    double kl = 0;
    double mean = 0;
    for (int j = 0; j < A.length; j++) {
      if (P[j] == 0) continue;
      kl += P[j] * (Math.log(P[j]) - (eps == 0 ? logA[j] : Math.log(A[j] + eps)));
      if (eps > 0) mean += A[j] * P[j] / (A[j] + eps);
    }
    for (int j = 0; j < A.length; j++) {
      dS[j] += weight * (eps == 0 ? A[j] - P[j] : A[j] * (mean - P[j] / (A[j] + eps)));
    }
    return kl;
  }

  void capture(AttentionRows rows, Tensor qkv, Tensor lse, Tensor cu, Heads heads) {
    checks.attentionCapture(rows, qkv, lse, cu, heads);
    var x = new Packed(qkv, heads);
    for (int s = 0; s + 1 < cu.size(); s++) {
      for (int i = rows.rowStart().getInt(s); i < rows.rowStart().getInt(s + 1); i++) {
        int t = cu.getInt(s) + rows.pos().getInt(i);
        for (int at = 0; at < rows.H(); at++) {
          int h = rows.heads().getInt(at);
          double[] A = x.probabilities(cu.getInt(s), t, h, lse.get((long) t * heads.NH() + h));
          ReferenceOps.store(rows.p().view(block(rows, i, at), A.length), A);
        }
      }
    }
  }

  void difference(
      Tensor diff,
      Tensor qkv,
      Tensor lse,
      Tensor qkv2,
      Tensor lse2,
      Tensor cu,
      Heads heads,
      AttentionRows rows) {
    checks.attentionDifference(diff, qkv, lse, qkv2, lse2, cu, heads, rows);
    var x = new Packed(qkv, heads);
    var y = new Packed(qkv2, heads);
    for (int s = 0; s + 1 < cu.size(); s++) {
      int first = cu.getInt(s);
      int from = rows == null ? 0 : rows.rowStart().getInt(s);
      int to = rows == null ? cu.getInt(s + 1) - first : rows.rowStart().getInt(s + 1);
      for (int h = 0; h < heads.NH(); h++) {
        double sum = 0;
        for (int i = from; i < to; i++) {
          int t = first + (rows == null ? i : rows.pos().getInt(i));
          double weight = rows == null ? 1 : rows.weight().get(i);
          long head = (long) t * heads.NH() + h;
          double[] A = x.probabilities(first, t, h, lse.get(head));
          double[] B = y.probabilities(first, t, h, lse2.get(head));
          for (int j = 0; j < A.length; j++) sum += weight * (A[j] - B[j]) * (A[j] - B[j]);
        }
        diff.set((long) s * heads.NH() + h, sum);
      }
    }
  }

  void decode(Tensor o, Tensor kcache, Tensor vcache, Tensor qkv, Tensor lengths, Heads heads) {
    long T = checks.attentionDecode(o, kcache, vcache, qkv, lengths, heads);
    int HS = heads.HS();
    for (int b = 0; b < lengths.size(); b++) {
      int t = lengths.getInt(b);
      long row = (long) b * heads.qkvWidth();
      for (int g = 0; g < heads.NKV(); g++) {
        long cached = ((long) b * heads.NKV() + g) * T * HS;
        long key = row + (heads.NH() + g) * HS;
        long value = key + heads.NKV() * HS;
        kcache.view(cached + (long) t * HS, HS).copyFrom(qkv.view(key, HS));
        vcache.view(cached + (long) t * HS, HS).copyFrom(qkv.view(value, HS));
        double[] K = kcache.view(cached, t + 1, HS).toDoubles();
        double[] V = vcache.view(cached, t + 1, HS).toDoubles();
        int group = heads.NH() / heads.NKV();
        for (int h = g * group; h < (g + 1) * group; h++) {
          double[] q = qkv.view(row + h * HS, HS).toDoubles();
          double[] S = new double[t + 1];
          for (int j = 0; j <= t; j++) S[j] = dot(q, 0, K, j * HS, HS) / Math.sqrt(HS);
          double lse = logSumExp(S);
          double[] out = new double[HS];
          for (int j = 0; j <= t; j++) add(out, 0, Math.exp(S[j] - lse), V, j * HS, HS);
          ReferenceOps.store(o.view(((long) b * heads.NH() + h) * HS, HS), out);
        }
      }
    }
  }
}
