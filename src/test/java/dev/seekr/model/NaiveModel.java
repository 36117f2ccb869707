package dev.seekr.model;

import dev.seekr.tensor.Tensor;

/**
 * A LLaMA over one sequence in plain loops of doubles, which holds every attention map; it shares
 * no code with passes but the frequencies of rotation.
 */
final class NaiveModel {
  private final Weights w;
  private final LlamaConfig config;
  private final int T, NH, NKV, HS;
  private double[][] x; // [T][C] the residual stream

  NaiveModel(Weights w, int[] tokens) {
    this.w = w;
    config = w.config;
    T = tokens.length;
    NH = config.heads().NH();
    NKV = config.heads().NKV();
    HS = config.heads().HS();
    x = new double[T][config.C()];
    for (int t = 0; t < T; t++)
      for (int c = 0; c < config.C(); c++) x[t][c] = w.wte.get((long) tokens[t] * config.C() + c);
  }

  /** Logits [T][V], with the attention of {@code old} at some heads; null: all. */
  double[][] logits(NaiveModel old, boolean[][] heads) {
    for (int l = 0; l < config.L(); l++) {
      double[][][] own = attention(l), other = old.attention(l), mixed = new double[NH][][];
      for (int h = 0; h < NH; h++) mixed[h] = heads == null || heads[l][h] ? other[h] : own[h];
      old.layer(l, other);
      layer(l, mixed);
    }
    return linear(norm(x, w.lnf), w.head, 0, config.V());
  }

  /** Probabilities [NH][T][T] of layer l. */
  private double[][][] attention(int l) {
    double[][] y = norm(x, w.layer(l).ln1());
    double[][] q = rotated(linear(y, w.layer(l).qkv(), 0, NH * HS));
    double[][] k = rotated(linear(y, w.layer(l).qkv(), NH * HS, NKV * HS));
    double[][][] a = new double[NH][T][T];
    for (int h = 0; h < NH; h++)
      for (int t = 0; t < T; t++) {
        double sum = 0;
        for (int j = 0; j <= t; j++) {
          double s = 0;
          for (int i = 0; i < HS; i++) s += q[t][h * HS + i] * k[j][h / (NH / NKV) * HS + i];
          sum += a[h][t][j] = Math.exp(s / Math.sqrt(HS));
        }
        for (int j = 0; j <= t; j++) a[h][t][j] /= sum;
      }
    return a;
  }

  /** Layer l with these probabilities. */
  private void layer(int l, double[][][] a) {
    var layer = w.layer(l);
    double[][] v = linear(norm(x, layer.ln1()), layer.qkv(), (NH + NKV) * HS, NKV * HS);
    double[][] o = new double[T][NH * HS];
    for (int h = 0; h < NH; h++)
      for (int t = 0; t < T; t++)
        for (int j = 0; j <= t; j++)
          for (int i = 0; i < HS; i++)
            o[t][h * HS + i] += a[h][t][j] * v[j][h / (NH / NKV) * HS + i];
    add(linear(o, layer.wo(), 0, config.C()));
    int F = config.F();
    double[][] gu = linear(norm(x, layer.ln2()), layer.gu(), 0, 2 * F), f = new double[T][F];
    for (int t = 0; t < T; t++)
      for (int i = 0; i < F; i++) f[t][i] = gu[t][i] / (1 + Math.exp(-gu[t][i])) * gu[t][F + i];
    add(linear(f, layer.down(), 0, config.C()));
  }

  private void add(double[][] branch) {
    for (int t = 0; t < T; t++) for (int c = 0; c < config.C(); c++) x[t][c] += branch[t][c];
  }

  private double[][] norm(double[][] rows, Tensor weight) {
    double[][] y = new double[T][config.C()];
    for (int t = 0; t < T; t++) {
      double square = 0;
      for (double value : rows[t]) square += value * value;
      double rstd = 1 / Math.sqrt(square / config.C() + config.eps());
      for (int c = 0; c < config.C(); c++) y[t][c] = rows[t][c] * rstd * weight.get(c);
    }
    return y;
  }

  /** Outputs {@code from} to {@code from + n} of a matrix [.., in]. */
  private double[][] linear(double[][] rows, Tensor matrix, int from, int n) {
    int in = rows[0].length;
    double[][] y = new double[T][n];
    for (int t = 0; t < T; t++)
      for (int o = 0; o < n; o++)
        for (int i = 0; i < in; i++) y[t][o] += rows[t][i] * matrix.get((long) (from + o) * in + i);
    return y;
  }

  /** Channel i of a head and channel i + HS/2 are turned together. */
  private double[][] rotated(double[][] rows) {
    for (int t = 0; t < T; t++)
      for (int at = 0; at < rows[t].length; at += HS)
        for (int i = 0; i < HS / 2; i++) {
          float angle = t * config.rope().freq()[i];
          double cos = (float) Math.cos(angle), sin = (float) Math.sin(angle);
          double a = rows[t][at + i], b = rows[t][at + HS / 2 + i];
          rows[t][at + i] = a * cos - b * sin;
          rows[t][at + HS / 2 + i] = b * cos + a * sin;
        }
    return rows;
  }
}
