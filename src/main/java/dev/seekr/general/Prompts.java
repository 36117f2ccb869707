package dev.seekr.general;

import dev.seekr.Failure;
import dev.seekr.model.Continuations;
import dev.seekr.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Questions as tokens. Nothing is put before them, BOS neither; what exceeds the model's positions
 * is cut on the left.
 */
record Prompts(Asker asker) {

  /** Of a question in one's own words, which leaves room for the answer. */
  int[] open(Question.Open question, int maxNew) {
    int[] tokens = asker.tokenizer().encode(question.prompt());
    if (tokens.length == 0) throw Failure.data("a question without any token: %s", question);
    return last(tokens, positions() - maxNew);
  }

  /**
   * A choice's tokens are those that prompt and choice together have after as many as the prompt
   * has alone. Choices are held against one prompt, unless some are so long that they leave it less
   * room than others; then each has its own.
   */
  List<Continuations.Question> choices(Question.Choice question) {
    Tokenizer tokenizer = asker.tokenizer();
    int[] prompt = tokenizer.encode(question.prompt());
    var continuations = new ArrayList<int[]>();
    for (String choice : question.choices()) {
      int[] whole = tokenizer.encode(question.prompt() + " " + choice);
      if (whole.length <= prompt.length || prompt.length == 0)
        throw Failure.data("a choice or a prompt without tokens of its own: %s", question);
      continuations.add(Arrays.copyOfRange(whole, prompt.length, whole.length));
    }
    int longest = continuations.stream().mapToInt(c -> c.length).max().orElseThrow();
    if (longest > positions())
      throw Failure.data(
          "a choice of %d tokens, and the model has %d positions: %s",
          longest, positions(), question);
    if (prompt.length + longest <= positions() + 1)
      return List.of(new Continuations.Question(prompt, continuations));
    return continuations.stream()
        .map(c -> new Continuations.Question(last(prompt, positions() + 1 - c.length), List.of(c)))
        .toList();
  }

  /** With soft prompts before it, where the model has any. */
  int[] prompted(int[] tokens) {
    return asker.prompts() == null ? tokens : asker.prompts().before("", tokens);
  }

  private int positions() {
    return asker.model().config.maxPositions();
  }

  private static int[] last(int[] tokens, int most) {
    return Arrays.copyOfRange(tokens, Math.max(0, tokens.length - most), tokens.length);
  }
}
