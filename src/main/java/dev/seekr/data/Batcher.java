package dev.seekr.data;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.ToIntFunction;
import java.util.random.RandomGenerator;

/**
 * Cuts samples, or anything that stands for one, into micro-batches and those into passes that fit
 * into memory.
 */
public final class Batcher {
  private Batcher() {}

  /**
   * One pass over all items, shuffled by {@code random}, in micro-batches of {@code batch}; the
   * last may be shorter.
   */
  public static <T> List<List<T>> epoch(List<T> items, int batch, RandomGenerator random) {
    var shuffled = new ArrayList<>(items);
    Collections.shuffle(shuffled, random);
    return chunks(shuffled, batch);
  }

  /** Items in their order, {@code size} at a time; the last chunk may be shorter. */
  public static <T> List<List<T>> chunks(List<T> items, int size) {
    var chunks = new ArrayList<List<T>>();
    for (int from = 0; from < items.size(); from += size)
      chunks.add(List.copyOf(items.subList(from, Math.min(from + size, items.size()))));
    return chunks;
  }

  /**
   * Items in their order, filled until the next one would exceed {@code tokens}; an item that is
   * longer goes alone.
   *
   * @param length packed tokens of an item
   */
  public static <T> List<List<T>> pack(List<T> items, ToIntFunction<T> length, int tokens) {
    var packs = new ArrayList<List<T>>();
    int from = 0;
    long sum = 0;
    for (int i = 0; i < items.size(); i++) {
      int n = length.applyAsInt(items.get(i));
      if (i > from && sum + n > tokens) {
        packs.add(List.copyOf(items.subList(from, i)));
        from = i;
        sum = 0;
      }
      sum += n;
    }
    if (from < items.size()) packs.add(List.copyOf(items.subList(from, items.size())));
    return packs;
  }
}
