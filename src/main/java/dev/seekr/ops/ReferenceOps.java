package dev.seekr.ops;

import dev.seekr.tensor.DType;
import dev.seekr.tensor.Place;
import dev.seekr.tensor.Tensor;

/**
 * What the kernels must compute: the formulas of {@code seekr.h}, written down in double, one loop
 * after the other. Results are rounded once, when they are stored. It is what kernels are tested
 * against, and slow.
 */
public final class ReferenceOps implements Ops {
  private final DType dtype, products;
  private final Checks checks;
  private final ReferenceAttention attention;

  /** {@code dtype}: E, any floating type. In F64 nothing is rounded. */
  public ReferenceOps(DType dtype) {
    this(dtype, dtype);
  }

  /** {@code products} BF16: operands of {@link #matmul} are rounded to it. */
  public ReferenceOps(DType dtype, DType products) {
    if (dtype == DType.I32 || dtype == DType.I64)
      throw new IllegalArgumentException("reference in " + dtype);
    this.dtype = dtype;
    this.products = products;
    this.checks = new Checks(dtype, wide(), Place.HOST);
    this.attention = new ReferenceAttention(checks);
  }

  @Override
  public DType dtype() {
    return dtype;
  }

  @Override
  public String description() {
    return "reference: double arithmetic, %s storage, %s products, 1 thread"
        .formatted(dtype, products);
  }

  /** Rounds and stores all of {@code values}. */
  static void store(Tensor t, double[] values) {
    for (int i = 0; i < values.length; i++) t.set(i, values[i]);
  }

  @Override
  public void matmul(Tensor y, Tensor a, Tensor b, boolean ta, boolean tb, boolean accumulate) {
    int K = (int) checks.matmul(y, a, b, ta, tb);
    int M = (int) y.dim(0);
    int N = (int) y.dim(1);
    double[] left = operand(a);
    double[] right = operand(b);
    for (int i = 0; i < M; i++) {
      for (int j = 0; j < N; j++) {
        double sum = accumulate ? y.get((long) i * N + j) : 0;
        for (int k = 0; k < K; k++) {
          sum += left[ta ? k * M + i : i * K + k] * right[tb ? j * K + k : k * N + j];
        }
        y.set((long) i * N + j, sum);
      }
    }
  }

  private double[] operand(Tensor t) {
    double[] values = t.toDoubles();
    if (products == DType.BF16)
      for (int i = 0; i < values.length; i++)
        values[i] = DType.fromBf16(DType.toBf16((float) values[i]));
    return values;
  }

  @Override
  public void embeddingForward(Tensor x, Tensor tokens, Tensor w) {
    checks.embedding(x, tokens, w);
    copyRows(x, w, tokens, w.dim(1));
  }

  private static void copyRows(Tensor out, Tensor from, Tensor rows, long C) {
    for (long n = 0; n < rows.size(); n++) {
      long row = rows.getInt(n);
      if (row < 0) continue;
      for (long c = 0; c < C; c++) out.set(n * C + c, from.get(row * C + c));
    }
  }

  @Override
  public void embeddingBackward(Tensor dw, Tensor tokens, Tensor dx) {
    checks.embeddingBackward(dw, tokens, dx);
    int C = (int) dw.dim(1);
    double[] sum = dw.toDoubles();
    for (int n = 0; n < tokens.size(); n++) {
      if (tokens.getInt(n) < 0) continue;
      for (int c = 0; c < C; c++) sum[tokens.getInt(n) * C + c] += dx.get(n * C + c);
    }
    store(dw, sum);
  }

  @Override
  public void rmsnormForward(
      Tensor y, Tensor x, Tensor rstd, Tensor a, Tensor b, Tensor w, float eps) {
    checks.rmsnorm(y, x, rstd, a, b, w);
    int C = (int) w.size();
    for (int n = 0; n < rstd.size(); n++) {
      double[] row = new double[C];
      double squares = 0;
      for (int c = 0; c < C; c++) {
        long i = (long) n * C + c;
        if (b != null) x.set(i, a.get(i) + b.get(i));
        // The stored x is what the backward pass will see, so it is what is normalised.
        row[c] = b == null ? a.get(i) : x.get(i);
        squares += row[c] * row[c];
      }
      double r = 1 / Math.sqrt(squares / C + eps);
      rstd.set(n, r);
      for (int c = 0; c < C; c++) y.set((long) n * C + c, row[c] * r * w.get(c));
    }
  }

  @Override
  public void rmsnormBackward(Tensor dx, Tensor dw, Tensor dy, Tensor x, Tensor rstd, Tensor w) {
    checks.rmsnormBackward(dx, dw, dy, x, rstd, w);
    int C = (int) w.size();
    double[] weightGradient = dw == null ? new double[C] : dw.toDoubles();
    for (int n = 0; n < rstd.size(); n++) {
      double r = rstd.get(n);
      double mean = 0;
      for (int c = 0; c < C; c++) {
        long i = (long) n * C + c;
        double xhat = x.get(i) * r;
        mean += dy.get(i) * w.get(c) * xhat / C;
        weightGradient[c] += dy.get(i) * xhat;
      }
      for (int c = 0; c < C; c++) {
        long i = (long) n * C + c;
        dx.add(i, r * (dy.get(i) * w.get(c) - x.get(i) * r * mean));
      }
    }
    if (dw != null) store(dw, weightGradient);
  }

  @Override
  public void ropeForward(Tensor qkv, Tensor positions, Tensor cos, Tensor sin, Heads heads) {
    rotate(qkv, positions, cos, sin, heads, 1);
  }

  @Override
  public void ropeBackward(Tensor dqkv, Tensor positions, Tensor cos, Tensor sin, Heads heads) {
    rotate(dqkv, positions, cos, sin, heads, -1);
  }

  private void rotate(Tensor qkv, Tensor positions, Tensor cos, Tensor sin, Heads heads, int sign) {
    checks.rope(qkv, positions, cos, sin, heads);
    int half = heads.HS() / 2;
    for (long n = 0; n < positions.size(); n++) {
      long at = (long) positions.getInt(n) * half;
      for (long h = 0; h < heads.NH() + heads.NKV(); h++) {
        long first = n * heads.qkvWidth() + h * heads.HS();
        for (long i = 0; i < half; i++) {
          double u = qkv.get(first + i);
          double v = qkv.get(first + i + half);
          double c = cos.get(at + i);
          double s = sign * sin.get(at + i);
          qkv.set(first + i, u * c - v * s);
          qkv.set(first + i + half, v * c + u * s);
        }
      }
    }
  }

  @Override
  public void attentionForward(Tensor o, Tensor lse, Tensor qkv, Tensor cu, Heads heads) {
    attention.forward(o, lse, qkv, cu, heads);
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
    attention.backward(dqkv, sens, kl, dout, qkv, o, lse, cu, heads, rows, eps);
  }

  @Override
  public void attentionCapture(AttentionRows rows, Tensor qkv, Tensor lse, Tensor cu, Heads heads) {
    attention.capture(rows, qkv, lse, cu, heads);
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
    attention.difference(diff, qkv, lse, qkv2, lse2, cu, heads, rows);
  }

  @Override
  public void attentionDecode(
      Tensor o, Tensor kcache, Tensor vcache, Tensor qkv, Tensor lengths, Heads heads) {
    attention.decode(o, kcache, vcache, qkv, lengths, heads);
  }

  private static double sigmoid(double z) {
    return 1 / (1 + Math.exp(-z));
  }

  @Override
  public void swigluForward(Tensor h, Tensor gu) {
    checks.swiglu(h, gu);
    long F = h.dim(1);
    for (long n = 0; n < h.dim(0); n++) {
      for (long f = 0; f < F; f++) {
        double gate = gu.get(n * 2 * F + f);
        h.set(n * F + f, gate * sigmoid(gate) * gu.get(n * 2 * F + F + f));
      }
    }
  }

  @Override
  public void swigluBackward(Tensor dgu, Tensor dh, Tensor gu) {
    checks.swigluBackward(dgu, dh, gu);
    long F = dh.dim(1);
    for (long n = 0; n < dh.dim(0); n++) {
      for (long f = 0; f < F; f++) {
        double gate = gu.get(n * 2 * F + f);
        double up = gu.get(n * 2 * F + F + f);
        double sig = sigmoid(gate);
        double d = dh.get(n * F + f);
        dgu.set(n * 2 * F + f, d * up * sig * (1 + gate * (1 - sig)));
        dgu.set(n * 2 * F + F + f, d * gate * sig);
        dh.set(n * F + f, gate * sig * up);
      }
    }
  }

  @Override
  public void gather(Tensor out, Tensor x, Tensor rows) {
    checks.gather(out, x, rows);
    copyRows(out, x, rows, x.dim(1));
  }

  @Override
  public void scatter(Tensor dx, Tensor d, Tensor rows) {
    checks.scatter(dx, d, rows);
    dx.zero();
    addRows(dx, d, rows);
  }

  @Override
  public void scatterAdd(Tensor x, Tensor d, Tensor rows) {
    checks.scatterAdd(x, d, rows);
    addRows(x, d, rows);
  }

  private static void addRows(Tensor x, Tensor d, Tensor rows) {
    long C = x.dim(1);
    for (long r = 0; r < rows.size(); r++) {
      for (long c = 0; c < C; c++) x.add(rows.getInt(r) * C + c, d.get(r * C + c));
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
    checks.loss(nll, distill, logits, target, wNll, teacher, teacherRow, wDistill, grad);
    for (int r = 0; r < logits.dim(0); r++) {
      Tensor row = logits.rows(r, r + 1);
      var loss = new ReferenceLoss(row.toDoubles());
      nll.set(r, target.getInt(r) < 0 ? 0 : loss.nll(target.getInt(r), grad ? wNll.get(r) : 0));
      if (distill != null) distill.set(r, 0);
      if (teacher != null && teacherRow.getInt(r) >= 0) {
        int from = teacherRow.getInt(r);
        double[] stored = teacher.view(from * logits.dim(1), logits.dim(1)).toDoubles();
        distill.set(r, loss.distill(stored, distance, grad ? wDistill.get(r) : 0));
      }
      if (grad) store(row, loss.gradient());
    }
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
    checks.adamw(w, m, v, g, rounded, step);
    double b1 = beta1;
    double b2 = beta2;
    for (long i = 0; i < w.size(); i++) {
      double gradient = gradScale * g.get(i);
      double mean = b1 * m.get(i) + (1 - b1) * gradient;
      double square = b2 * v.get(i) + (1 - b2) * gradient * gradient;
      double change =
          mean / (1 - Math.pow(b1, step)) / (Math.sqrt(square / (1 - Math.pow(b2, step))) + eps);
      m.set(i, mean);
      v.set(i, square);
      w.add(i, -lr * (change + decay * w.get(i)));
      if (rounded != null) rounded.set(i, w.get(i));
    }
  }

  @Override
  public double dot(Tensor x, Tensor y) {
    checks.dot(x, y);
    double sum = 0;
    for (long i = 0; i < x.size(); i++) sum += x.get(i) * y.get(i);
    return sum;
  }

  @Override
  public void addScaled(Tensor y, Tensor x, float scale) {
    checks.addScaled(y, x);
    for (long i = 0; i < y.size(); i++) y.add(i, scale * x.get(i));
  }

  @Override
  public void addSquares(Tensor f, Tensor g, float scale) {
    checks.addSquares(f, g);
    for (long i = 0; i < f.size(); i++) f.add(i, scale * g.get(i) * g.get(i));
  }

  @Override
  public double anchor(Tensor g, Tensor w, Tensor fisher, Tensor anchor, float lambda) {
    checks.anchor(g, w, fisher, anchor);
    double penalty = 0;
    for (long i = 0; i < g.size(); i++) {
      double away = w.get(i) - anchor.get(i);
      penalty += lambda * fisher.get(i) * away * away / 2;
      g.add(i, lambda * fisher.get(i) * away);
    }
    return penalty;
  }

  @Override
  public void zero(Tensor x) {
    checks.zero(x);
    x.zero();
  }

  @Override
  public void close() {}
}
