package dev.seekr.general;

import java.util.List;

/** A question of a benchmark, as text. */
public sealed interface Question {
  /** Where it stands in its file, from 0. */
  int id();

  /** What a model is given, examples included. */
  String prompt();

  /**
   * One to be answered by the likeliest of some choices.
   *
   * @param choices what may follow the prompt and a blank
   * @param right which of them is right, from 0
   */
  record Choice(int id, String prompt, List<String> choices, int right) implements Question {}

  /**
   * One to be answered in the model's own words.
   *
   * @param right the answers that count; of several any
   */
  record Open(int id, String prompt, List<String> right) implements Question {}
}
