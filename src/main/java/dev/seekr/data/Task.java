package dev.seekr.data;

import java.util.List;

/**
 * One task of a sequence.
 *
 * @param name its folder's name
 */
public record Task(String name, List<Example> train, List<Example> test) {
  public Task {
    train = List.copyOf(train);
    test = List.copyOf(test);
  }
}
