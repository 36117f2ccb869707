package dev.seekr.ops.reference;

import dev.seekr.ops.Attention;
import dev.seekr.ops.AttentionChange;
import dev.seekr.ops.AttentionGradient;
import dev.seekr.ops.AttentionRows;
import dev.seekr.ops.Decode;
import dev.seekr.ops.Ops.Heads;
import dev.seekr.ops.Queries;
import dev.seekr.tensor.Tensor;

/** Causal attention of the reference: one row of scores at a time, in double. */
final class ReferenceAttention {
  private ReferenceAttention() {}

  /** A row of attention: what the query at {@code t} sees, keys {@code from} to t of the batch. */
  private record Row(int t, int from, double[] S) {
    double logSumExp() {
      return ReferenceAttention.logSumExp(S);
    }

    /** A, from the stored log-sum-exp. */
    double[] probabilities(double lse) {
      double[] A = new double[S.length];
      for (int j = 0; j < A.length; j++) A[j] = Math.exp(S[j] - lse);
      return A;
    }
  }

  /** Packed queries, keys and values in double, addressed by head. */
  private record Packed(Attention of, double[] qkv) {
    Packed(Attention of, Tensor qkv) {
      this(of, qkv.toDoubles());
    }

    Heads heads() {
      return of.heads();
    }

    int query(int n, int h) {
      return n * heads().qkvWidth() + h * heads().HS();
    }

    /** Query head h reads key-value head h / (NH / NKV). */
    int key(int n, int h) {
      return query(n, heads().NH() + h / (heads().NH() / heads().NKV()));
    }

    int value(int n, int h) {
      return key(n, h) + heads().NKV() * heads().HS();
    }

    /** Of the query at position {@code pos} of the sequence that begins at {@code first}. */
    Row row(int first, int pos, int h) {
      int t = first + pos, from = first + of.first(pos);
      double[] S = new double[t - from + 1];
      for (int j = from; j <= t; j++)
        S[j - from] = of.scale() * dot(qkv, query(t, h), qkv, key(j, h), heads().HS());
      return new Row(t, from, S);
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

  /** What is done with each row of each head, sequence after sequence. */
  private interface Each {
    void row(int s, int pos, int h);
  }

  private static void each(Attention a, Each each) {
    for (int s = 0; s < a.S(); s++)
      for (int h = 0; h < a.heads().NH(); h++)
        for (int pos = 0; pos < a.cu().getInt(s + 1) - a.cu().getInt(s); pos++) each.row(s, pos, h);
  }

  static void forward(Attention a) {
    var x = new Packed(a, a.qkv());
    int NH = a.heads().NH(), HS = a.heads().HS();
    double[] out = new double[(int) a.o().size()];
    each(
        a,
        (s, pos, h) -> {
          Row row = x.row(a.cu().getInt(s), pos, h);
          double lse = row.logSumExp();
          a.lse().set((long) row.t * NH + h, lse);
          double[] A = row.probabilities(lse);
          for (int j = 0; j < A.length; j++)
            add(out, (row.t * NH + h) * HS, A[j], x.qkv, x.value(row.from + j, h), HS);
        });
    ReferenceOps.store(a.o(), out);
  }

  static void backward(AttentionGradient g) {
    Attention a = g.of();
    var x = new Packed(a, a.qkv());
    double[] d = new double[x.qkv.length];
    double[] dO = g.dout().toDoubles(), O = a.o().toDoubles();
    int NH = a.heads().NH(), HS = a.heads().HS();
    double[] squares = new double[a.S() * NH];
    each(
        a,
        (s, pos, h) -> {
          Row row = x.row(a.cu().getInt(s), pos, h);
          int t = row.t, head = t * NH + h;
          double lse = a.lse().get(head);
          double[] A = row.probabilities(lse), dS = new double[A.length];
          double D = dot(dO, head * HS, O, head * HS, HS);
          for (int j = 0; j < A.length; j++) {
            double dA = dot(dO, head * HS, x.qkv, x.value(row.from + j, h), HS);
            squares[s * NH + h] += dA * dA;
            dS[j] = A[j] * (dA - D);
            add(d, x.value(row.from + j, h), A[j], dO, head * HS, HS);
          }
          if (g.queries() != null) distill(g, s, pos, h, row, dS);
          for (int j = 0; j < A.length; j++) {
            int key = x.key(row.from + j, h);
            add(d, x.query(t, h), a.scale() * dS[j], x.qkv, key, HS);
            add(d, key, a.scale() * dS[j], x.qkv, x.query(t, h), HS);
          }
        });
    if (g.sens() != null) ReferenceOps.store(g.sens(), squares);
    ReferenceOps.store(g.dqkv(), d);
  }

  /** KL of the row, if it was sampled and its head selected; adds its weighted gradient to dS. */
  private static void distill(AttentionGradient g, int s, int pos, int h, Row row, double[] dS) {
    Queries q = g.queries();
    int at = find(q.heads(), 0, q.H(), h);
    int i = find(q.pos(), q.rowStart().getInt(s), q.rowStart().getInt(s + 1), pos);
    if (at < 0 || i < 0) return;
    double lse = g.of().lse().get((long) row.t * g.of().heads().NH() + h);
    double[] A = row.probabilities(lse);
    double[] P = block(q, i, at, g.of().first(pos), A.length).toDoubles();
    double weight = q.weight().get(i), eps = g.eps(), kl = 0, mean = 0;
    for (int j = 0; j < A.length; j++) {
      if (P[j] == 0) continue;
      kl += P[j] * (Math.log(P[j]) - (eps == 0 ? row.S[j] - lse : Math.log(A[j] + eps)));
      if (eps > 0) mean += A[j] * P[j] / (A[j] + eps);
    }
    for (int j = 0; j < A.length; j++)
      dS[j] += weight * (eps == 0 ? A[j] - P[j] : A[j] * (mean - P[j] / (A[j] + eps)));
    g.kl().set((long) i * q.H() + at, kl);
  }

  /** Index of {@code value} among elements [from, to) of {@code sorted}, or -1. */
  private static int find(Tensor sorted, int from, int to, int value) {
    for (int i = from; i < to; i++) if (sorted.getInt(i) == value) return i;
    return -1;
  }

  /** Entries {@code first} and after of sampled row i, selected head {@code at}, in p. */
  private static Tensor block(Queries q, int i, int at, int first, int n) {
    long begin = q.H() * (long) q.prefix().get(i) + (long) at * (q.pos().getInt(i) + 1);
    return q.p().view(begin + first, n);
  }

  static void capture(AttentionRows rows) {
    Attention a = rows.of();
    Queries q = rows.queries();
    var x = new Packed(a, a.qkv());
    q.p().zero(); // outside the window
    for (int s = 0; s < a.S(); s++) {
      for (int i = q.rowStart().getInt(s); i < q.rowStart().getInt(s + 1); i++) {
        for (int at = 0; at < q.H(); at++) {
          int h = q.heads().getInt(at), pos = q.pos().getInt(i);
          Row row = x.row(a.cu().getInt(s), pos, h);
          double[] A = row.probabilities(a.lse().get((long) row.t * a.heads().NH() + h));
          ReferenceOps.store(block(q, i, at, a.first(pos), A.length), A);
        }
      }
    }
  }

  static void difference(AttentionChange change) {
    Attention a = change.of();
    Queries q = change.queries();
    var x = new Packed(a, a.qkv());
    var y = new Packed(a, change.qkv2());
    int NH = a.heads().NH();
    double[] sums = new double[a.S() * NH];
    each(
        a,
        (s, pos, h) -> {
          int first = a.cu().getInt(s), i = -1;
          if (q != null) {
            i = find(q.pos(), q.rowStart().getInt(s), q.rowStart().getInt(s + 1), pos);
            if (i < 0) return;
          }
          long head = (long) (first + pos) * NH + h;
          double[] A = x.row(first, pos, h).probabilities(a.lse().get(head));
          double[] B = y.row(first, pos, h).probabilities(change.lse2().get(head));
          double weight = q == null ? 1 : q.weight().get(i);
          for (int j = 0; j < A.length; j++)
            sums[s * NH + h] += weight * (A[j] - B[j]) * (A[j] - B[j]);
        });
    ReferenceOps.store(change.diff(), sums);
  }

  static void decode(Decode a) {
    var heads = a.heads();
    int HS = heads.HS(), group = heads.NH() / heads.NKV();
    for (int b = 0; b < a.lengths().size(); b++) {
      int t = a.lengths().getInt(b);
      int from = a.window() == 0 ? 0 : Math.max(0, t - a.window() + 1);
      long row = (long) b * heads.qkvWidth();
      for (int g = 0; g < heads.NKV(); g++) {
        long cached = ((long) b * heads.NKV() + g) * a.T() * HS;
        long key = row + (heads.NH() + g) * HS;
        long value = key + heads.NKV() * HS;
        a.kcache().view(cached + (long) t * HS, HS).copyFrom(a.qkv().view(key, HS));
        a.vcache().view(cached + (long) t * HS, HS).copyFrom(a.qkv().view(value, HS));
        double[] K = a.kcache().view(cached, t + 1, HS).toDoubles();
        double[] V = a.vcache().view(cached, t + 1, HS).toDoubles();
        for (int h = g * group; h < (g + 1) * group; h++) {
          double[] q = a.qkv().view(row + h * HS, HS).toDoubles();
          double[] S = new double[t + 1 - from], out = new double[HS];
          for (int j = from; j <= t; j++) S[j - from] = a.scale() * dot(q, 0, K, j * HS, HS);
          double lse = logSumExp(S);
          for (int j = from; j <= t; j++) add(out, 0, Math.exp(S[j - from] - lse), V, j * HS, HS);
          ReferenceOps.store(a.o().view(((long) b * heads.NH() + h) * HS, HS), out);
        }
      }
    }
  }
}
