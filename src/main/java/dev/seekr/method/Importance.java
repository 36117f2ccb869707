package dev.seekr.method;

import dev.seekr.config.SeekrSettings.HeadChoice;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import java.util.Arrays;

/**
 * The importance of every head over the tasks so far, [L][NH] each:
 *
 * <pre>
 *   I = (sum_k S_k) (sum_k F_k)     the paper's text, Eq. 8 to 11
 *   I = sum_k S_k F_k               the released code
 *   I = sum_k S_k, or sum_k F_k     ablations
 * </pre>
 *
 * @param s sum of sensitivities
 * @param f sum of forgettabilities
 * @param i what heads are chosen by
 */
public record Importance(double[][] s, double[][] f, double[][] i) {
  public Importance {
    s = copy(s);
    f = copy(f);
    i = copy(i);
  }

  /** A copy. */
  @Override
  public double[][] s() {
    return copy(s);
  }

  /** A copy. */
  @Override
  public double[][] f() {
    return copy(f);
  }

  /** A copy. */
  @Override
  public double[][] i() {
    return copy(i);
  }

  /** null of null. */
  static double[][] copy(double[][] byHead) {
    return byHead == null
        ? null
        : Arrays.stream(byHead).map(double[]::clone).toArray(double[][]::new);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Importance o
        && Arrays.deepEquals(s, o.s)
        && Arrays.deepEquals(f, o.f)
        && Arrays.deepEquals(i, o.i);
  }

  @Override
  public int hashCode() {
    return Arrays.deepHashCode(new Object[] {s, f, i});
  }

  /** Zeros, before the first task. */
  public static Importance none(int L, int NH) {
    return new Importance(new double[L][NH], new double[L][NH], new double[L][NH]);
  }

  /** This and the scores of one more task; {@code paper}: by the paper's text, where both count. */
  public Importance plus(HeadImportance.Scores scores, boolean paper, HeadChoice choice) {
    int L = s.length, NH = s[0].length;
    double[][] S = new double[L][NH], F = new double[L][NH], I = new double[L][NH];
    double[][] newS = scores.s(), newF = scores.f();
    for (int l = 0; l < L; l++) {
      for (int h = 0; h < NH; h++) {
        double sk = newS[l][h], fk = newF[l][h];
        S[l][h] = s[l][h] + sk;
        F[l][h] = f[l][h] + fk;
        I[l][h] =
            switch (choice) {
              case both -> paper ? S[l][h] * F[l][h] : i[l][h] + sk * fk;
              case sensitivity -> S[l][h];
              case forgettability -> F[l][h];
              case random -> throw new IllegalStateException("chance needs no scores");
            };
      }
    }
    return new Importance(S, F, I);
  }

  void save(StateWriter to) {
    to.put("s", s);
    to.put("f", f);
    to.put("i", i);
  }

  static Importance load(StateReader from, int L, int NH) {
    return new Importance(load(from, "s", L, NH), load(from, "f", L, NH), load(from, "i", L, NH));
  }

  static double[][] load(StateReader from, String name, int L, int NH) {
    double[][] scores = from.get(name, double[][].class);
    boolean fits = scores.length == L;
    for (double[] layer : scores)
      fits &=
          layer != null && layer.length == NH && Arrays.stream(layer).allMatch(Double::isFinite);
    if (!fits) throw from.wrong(name, "%d layers of %d finite numbers".formatted(L, NH));
    return scores;
  }
}
