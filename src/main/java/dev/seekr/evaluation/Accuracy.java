package dev.seekr.evaluation;

import java.util.List;
import java.util.OptionalDouble;
import java.util.function.UnaryOperator;

/**
 * The share of predictions that agree with the answer. White space at the ends counts in {@link
 * #EQUAL} and {@link #EQUAL_CHAR} alone; case and punctuation always do, as in the authors'
 * evaluation. Only a prediction or answer without any character is skipped; a blank prediction is
 * wrong.
 */
public final class Accuracy implements Metric {
  /**
   * First character against first character: multiple choice, where reasoning may follow the
   * letter.
   */
  public static final Metric CHAR = new Accuracy("accuracy_char", Accuracy::firstCharacter);

  /** First word against first word: labels, whatever the model adds to them. */
  public static final Metric WORD = new Accuracy("accuracy_word", Accuracy::firstWord);

  /** Exact match of the whole text. */
  public static final Metric EXACT = new Accuracy("exact", text -> text);

  /** Both texts as they are: how the authors judge answers taken out of reasoning. */
  public static final Metric EQUAL = new Accuracy("equal", text -> text, text -> text);

  /** First characters of both texts as they are. */
  public static final Metric EQUAL_CHAR =
      new Accuracy("equal_char", text -> text, Accuracy::firstCharacter);

  private final String name;
  private final UnaryOperator<String> trim;
  private final UnaryOperator<String> part;

  private Accuracy(String name, UnaryOperator<String> part) {
    this(name, Words::strip, part);
  }

  private Accuracy(String name, UnaryOperator<String> trim, UnaryOperator<String> part) {
    this.name = name;
    this.trim = trim;
    this.part = part;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public OptionalDouble score(String source, String prediction, String target) {
    if (prediction.isEmpty() || target.isEmpty()) return OptionalDouble.empty();
    String said = part.apply(trim.apply(prediction));
    boolean right = !said.isEmpty() && said.equals(part.apply(trim.apply(target)));
    return OptionalDouble.of(right ? 100 : 0);
  }

  private static String firstCharacter(String text) {
    return text.isEmpty() ? "" : text.substring(0, text.offsetByCodePoints(0, 1));
  }

  private static String firstWord(String text) {
    List<String> words = Words.of(text);
    return words.isEmpty() ? "" : words.getFirst();
  }
}
