package dev.seekr.data;

import java.util.List;
import java.util.Optional;

/**
 * One task of a sequence.
 *
 * @param name its folder's name
 * @param train what it is learnt from
 * @param validation what tells how well it is learnt while it is; empty: nothing does
 * @param test what it is scored by
 * @param madeTest whether these were kept apart from its training split, as it has no test split
 */
public record Task(
    String name,
    List<Example> train,
    List<Example> validation,
    List<Example> test,
    boolean madeTest) {
  public Task {
    train = List.copyOf(train);
    validation = List.copyOf(validation);
    test = List.copyOf(test);
  }

  /** What a user should know of what it is scored by. */
  public Optional<String> note() {
    return madeTest
        ? Optional.of(
            "%s: no test split; scored by %d training samples kept apart (data.holdout)"
                .formatted(name, test.size()))
        : Optional.empty();
  }
}
