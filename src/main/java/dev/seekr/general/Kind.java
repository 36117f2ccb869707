package dev.seekr.general;

import java.util.List;
import java.util.function.ToDoubleBiFunction;
import java.util.function.UnaryOperator;

/** How questions are asked, and answers to them judged. */
public sealed interface Kind {
  /** Names of the measures, the one that counts first. */
  List<String> measures();

  /**
   * By the log-likelihoods of choices.
   *
   * @param normalised whether they are also compared after division by the choices' characters
   */
  record Choices(boolean normalised) implements Kind {
    static final String ACC = "acc", ACC_NORM = "acc_norm";

    @Override
    public List<String> measures() {
      return normalised ? List.of(ACC, ACC_NORM) : List.of(ACC);
    }
  }

  /**
   * By greedy decoding.
   *
   * @param maxNew most tokens of an answer
   * @param stops texts that end an answer, which lacks them
   * @param readings how answers are read; at least one
   */
  record Open(int maxNew, List<String> stops, List<Reading> readings) implements Kind {
    @Override
    public List<String> measures() {
      return readings.stream().map(Reading::name).toList();
    }
  }

  /**
   * A way to read and judge an answer.
   *
   * @param filter finds in the text what is taken for the answer
   * @param verdict 0 to 1, of the answer and a right one
   */
  record Reading(
      String name, UnaryOperator<String> filter, ToDoubleBiFunction<String, String> verdict) {
    /** The best verdict over the right answers. */
    public double judge(String text, List<String> right) {
      String answer = filter.apply(text);
      return right.stream().mapToDouble(r -> verdict.applyAsDouble(answer, r)).max().orElse(0);
    }
  }
}
