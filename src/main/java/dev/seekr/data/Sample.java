package dev.seekr.data;

/**
 * One training sequence: BOS + prompt + answer + EOS.
 *
 * @param tokens token ids, at least two
 * @param answerStart index of the first token that is a target (1 to tokens.length - 1); rows
 *     answerStart-1 to length-2 predict
 */
public record Sample(int[] tokens, int answerStart) {
  public Sample {
    if (answerStart < 1 || answerStart >= tokens.length) {
      throw new IllegalArgumentException(
          "answer at " + answerStart + " of " + tokens.length + " tokens");
    }
  }

  public int length() {
    return tokens.length;
  }

  /** How many tokens are targets. */
  public int targets() {
    return tokens.length - answerStart;
  }
}
