package dev.seekr.data;

import java.util.List;

/**
 * One task of a sequence.
 *
 * @param name its folder's name
 * @param train what it is learnt from
 * @param validation what tells how well it is learnt while it is; empty: nothing does
 * @param test what it is scored by
 */
public record Task(String name, List<Example> train, List<Example> validation, List<Example> test) {
  public Task {
    train = List.copyOf(train);
    validation = List.copyOf(validation);
    test = List.copyOf(test);
  }
}
