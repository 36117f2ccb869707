package dev.seekr.ops.reference;

import dev.seekr.ops.DroppedRows;
import dev.seekr.ops.EmbeddingGradient;
import dev.seekr.ops.Norm;
import dev.seekr.ops.NormGradient;
import dev.seekr.ops.Op;
import dev.seekr.ops.Rotation;
import dev.seekr.ops.Rows;
import dev.seekr.ops.SwiGlu;
import dev.seekr.ops.SwiGluGradient;

/** Norms, rotation, activation, dropout and rows of the reference. */
final class ReferenceElementwise {
  private ReferenceElementwise() {}

  static void embeddingBackward(EmbeddingGradient a) {
    int C = (int) a.dw().dim(1);
    double[] sum = a.dw().toDoubles();
    for (int n = 0; n < a.tokens().size(); n++) {
      if (a.tokens().getInt(n) < 0) continue;
      for (int c = 0; c < C; c++) sum[a.tokens().getInt(n) * C + c] += a.dx().get(n * C + c);
    }
    ReferenceOps.store(a.dw(), sum);
  }

  static void rmsnorm(Norm a) {
    int C = (int) a.w().size();
    for (int n = 0; n < a.rstd().size(); n++) {
      double[] row = new double[C];
      double squares = 0;
      for (int c = 0; c < C; c++) {
        long i = (long) n * C + c;
        if (a.b() != null) a.x().set(i, a.a().get(i) + a.b().get(i));
        // The stored x is what the backward pass will see, so it is what is normalised.
        row[c] = a.b() == null ? a.a().get(i) : a.x().get(i);
        squares += row[c] * row[c];
      }
      double r = 1 / Math.sqrt(squares / C + a.eps());
      a.rstd().set(n, r);
      for (int c = 0; c < C; c++) a.y().set((long) n * C + c, row[c] * r * a.w().get(c));
    }
  }

  static void rmsnormBackward(NormGradient a) {
    int C = (int) a.w().size();
    double[] weightGradient = a.dw() == null ? new double[C] : a.dw().toDoubles();
    for (int n = 0; n < a.rstd().size(); n++) {
      double r = a.rstd().get(n);
      double mean = 0;
      for (int c = 0; c < C; c++) {
        long i = (long) n * C + c;
        double xhat = a.x().get(i) * r;
        mean += a.dy().get(i) * a.w().get(c) * xhat / C;
        weightGradient[c] += a.dy().get(i) * xhat;
      }
      for (int c = 0; c < C; c++) {
        long i = (long) n * C + c;
        a.dx().add(i, r * (a.dy().get(i) * a.w().get(c) - a.x().get(i) * r * mean));
      }
    }
    if (a.dw() != null) ReferenceOps.store(a.dw(), weightGradient);
  }

  static void rotate(Rotation a, int sign) {
    var heads = a.heads();
    int half = heads.HS() / 2;
    for (long n = 0; n < a.positions().size(); n++) {
      long at = (long) a.positions().getInt(n) * half;
      for (long h = 0; h < heads.NH() + heads.NKV(); h++) {
        long first = n * heads.qkvWidth() + h * heads.HS();
        for (long i = 0; i < half; i++) {
          double u = a.qkv().get(first + i), v = a.qkv().get(first + i + half);
          double c = a.cos().get(at + i), s = sign * a.sin().get(at + i);
          a.qkv().set(first + i, u * c - v * s);
          a.qkv().set(first + i + half, v * c + u * s);
        }
      }
    }
  }

  private static double sigmoid(double z) {
    return 1 / (1 + Math.exp(-z));
  }

  static void swiglu(SwiGlu a) {
    long F = a.h().dim(1);
    for (long n = 0; n < a.h().dim(0); n++) {
      for (long f = 0; f < F; f++) {
        double gate = a.gu().get(n * 2 * F + f);
        a.h().set(n * F + f, gate * sigmoid(gate) * a.gu().get(n * 2 * F + F + f));
      }
    }
  }

  static void swigluBackward(SwiGluGradient a) {
    long F = a.dh().dim(1);
    for (long n = 0; n < a.dh().dim(0); n++) {
      for (long f = 0; f < F; f++) {
        double gate = a.gu().get(n * 2 * F + f), up = a.gu().get(n * 2 * F + F + f);
        double sig = sigmoid(gate);
        double d = a.dh().get(n * F + f);
        a.dgu().set(n * 2 * F + f, d * up * sig * (1 + gate * (1 - sig)));
        a.dgu().set(n * 2 * F + F + f, d * gate * sig);
        a.dh().set(n * F + f, gate * sig * up);
      }
    }
  }

  static void dropout(DroppedRows a) {
    for (int n = 0; n < a.N(); n++) {
      for (int c = 0; c < a.C(); c++) {
        long i = n * a.C() + c;
        double v = a.keeps(n, c) ? a.x().get(i) / (1 - (double) a.p()) : 0;
        a.y().set(i, a.accumulate() ? a.y().get(i) + v : v);
      }
    }
  }

  static void rows(Rows a) {
    long C = a.x().dim(1);
    if (a.op() == Op.SCATTER) a.x().zero();
    for (long r = 0; r < a.rows().size(); r++) {
      long row = a.rows().getInt(r);
      for (long c = 0; row >= 0 && c < C; c++) {
        if (a.op() == Op.GATHER) a.d().set(r * C + c, a.x().get(row * C + c));
        else a.x().add(row * C + c, a.d().get(r * C + c));
      }
    }
  }
}
