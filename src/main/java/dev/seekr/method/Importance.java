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

  /** Zeros, before the first task. */
  public static Importance none(int L, int NH) {
    return new Importance(new double[L][NH], new double[L][NH], new double[L][NH]);
  }

  /** This and the scores of one more task; {@code paper}: by the paper's text, where both count. */
  public Importance plus(HeadImportance.Scores scores, boolean paper, HeadChoice choice) {
    int L = s.length, NH = s[0].length;
    var sum = none(L, NH);
    for (int l = 0; l < L; l++) {
      for (int h = 0; h < NH; h++) {
        double S = scores.s()[l][h], F = scores.f()[l][h];
        sum.s[l][h] = s[l][h] + S;
        sum.f[l][h] = f[l][h] + F;
        sum.i[l][h] =
            switch (choice) {
              case both -> paper ? sum.s[l][h] * sum.f[l][h] : i[l][h] + S * F;
              case sensitivity -> sum.s[l][h];
              case forgettability -> sum.f[l][h];
              case random -> throw new IllegalStateException("chance needs no scores");
            };
      }
    }
    return sum;
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
