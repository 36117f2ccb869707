package dev.seekr.data;

import java.util.Arrays;

/**
 * One training sequence: BOS + prompt + answer + EOS.
 *
 * @param tokens token ids, at least two; ids below 0 stand for rows of soft prompts
 * @param answerStart index of the first token that is a target (1 to tokens.length - 1); rows
 *     answerStart-1 to length-2 predict
 */
public record Sample(int[] tokens, int answerStart) {
  public Sample {
    tokens = tokens.clone();
    if (answerStart < 1 || answerStart >= tokens.length) {
      throw new IllegalArgumentException(
          "answer at " + answerStart + " of " + tokens.length + " tokens");
    }
  }

  /** A copy. */
  @Override
  public int[] tokens() {
    return tokens.clone();
  }

  public int token(int i) {
    return tokens[i];
  }

  /** This with tokens before it that are no targets; {@code prefix} [any], perhaps empty. */
  public Sample after(int[] prefix) {
    int[] all = Arrays.copyOf(prefix, prefix.length + tokens.length);
    System.arraycopy(tokens, 0, all, prefix.length, tokens.length);
    return new Sample(all, prefix.length + answerStart);
  }

  /** The tokens before the answer. */
  public int[] prompt() {
    return Arrays.copyOf(tokens, answerStart);
  }

  public int length() {
    return tokens.length;
  }

  /** How many tokens are targets. */
  public int targets() {
    return tokens.length - answerStart;
  }

  /** Equal are samples of the same tokens. */
  @Override
  public boolean equals(Object other) {
    return other instanceof Sample s
        && answerStart == s.answerStart
        && Arrays.equals(tokens, s.tokens);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(tokens) + answerStart;
  }
}
