package dev.seekr.data;

import java.util.List;

/**
 * One record of a task, as text: what the model is given and what it should say. Nothing is blank.
 *
 * @param answers at least one: the first is trained on, and any of them is right
 * @param before the turns of a conversation before the prompt; empty but with chat templates
 * @param where the file and record that it comes from; does not count when examples are compared
 */
public record Example(String prompt, List<String> answers, List<Message> before, String where) {
  public Example {
    before = List.copyOf(before);
    answers = List.copyOf(answers);
    if (answers.isEmpty()) throw new IllegalArgumentException("an example without an answer");
  }

  /** An example with one answer, from nowhere in particular. */
  public Example(String prompt, String answer) {
    this(prompt, List.of(answer), "an example");
  }

  /** One that begins a conversation. */
  public Example(String prompt, List<String> answers, String where) {
    this(prompt, answers, List.of(), where);
  }

  /** The answer that is trained on. */
  public String answer() {
    return answers.getFirst();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Example e
        && prompt.equals(e.prompt)
        && answers.equals(e.answers)
        && before.equals(e.before);
  }

  @Override
  public int hashCode() {
    return 31 * (31 * prompt.hashCode() + answers.hashCode()) + before.hashCode();
  }
}
