package dev.seekr.general;

import java.util.Arrays;

/**
 * What a model gave to a question.
 *
 * @param likelihoods log-likelihood of each choice; null where there were none
 * @param greedy whether greedy decoding gives the choice; null where there were none
 * @param text the answer in its own words; null where there were choices
 */
public record Given(double[] likelihoods, boolean[] greedy, String text) {
  public Given {
    likelihoods = likelihoods == null ? null : likelihoods.clone();
    greedy = greedy == null ? null : greedy.clone();
  }

  /** A copy. */
  @Override
  public double[] likelihoods() {
    return likelihoods == null ? null : likelihoods.clone();
  }

  /** A copy. */
  @Override
  public boolean[] greedy() {
    return greedy == null ? null : greedy.clone();
  }

  /** The same with this said of choice c, from 0. */
  Given with(int c, double likelihood, boolean byGreedy) {
    double[] l = likelihoods();
    boolean[] g = greedy();
    l[c] = likelihood;
    g[c] = byGreedy;
    return new Given(l, g, text);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Given g
        && Arrays.equals(likelihoods, g.likelihoods)
        && Arrays.equals(greedy, g.greedy)
        && java.util.Objects.equals(text, g.text);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(likelihoods) + (text == null ? 0 : text.hashCode());
  }
}
