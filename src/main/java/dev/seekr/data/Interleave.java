package dev.seekr.data;

import java.util.ArrayList;
import java.util.List;

/**
 * One element of new and replayed work taken in turn.
 *
 * @param replay whether it came from the replayed ones
 */
public record Interleave<T>(T item, boolean replay) {
  /**
   * All of both lists, each in its order, the replayed ones spread evenly: of n new and r replayed
   * ones, replayed one i (from 0) comes before new one ⌊(i+1)·n/r⌋ − 1, the first where that is
   * below 0. Without new ones the replayed ones come all the same.
   */
  public static <T> List<Interleave<T>> of(List<? extends T> fresh, List<? extends T> replayed) {
    int n = fresh.size();
    int r = replayed.size();
    var out = new ArrayList<Interleave<T>>(n + r);
    int taken = 0;
    for (int i = 0; i < n; i++) {
      while (taken < r && (taken + 1L) * n / r - 1 <= i)
        out.add(new Interleave<>(replayed.get(taken++), true));
      out.add(new Interleave<>(fresh.get(i), false));
    }
    while (taken < r) out.add(new Interleave<>(replayed.get(taken++), true));
    return List.copyOf(out);
  }

  /**
   * All new ones, and before each c-th of them the next replayed one, c = ⌊n/r⌋ and 1 at least;
   * when they run out they begin again, as in the released code.
   */
  public static <T> List<Interleave<T>> cycle(List<? extends T> fresh, List<? extends T> replayed) {
    int n = fresh.size();
    int r = replayed.size();
    var out = new ArrayList<Interleave<T>>();
    int taken = 0;
    for (int i = 0; i < n; i++) {
      if (r > 0 && (i + 1) % every(n, r) == 0)
        out.add(new Interleave<>(replayed.get(taken++ % r), true));
      out.add(new Interleave<>(fresh.get(i), false));
    }
    return List.copyOf(out);
  }

  /** How many replayed ones {@link #cycle} takes. */
  public static int cycled(int n, int r) {
    return r == 0 ? 0 : n / every(n, r);
  }

  private static int every(int n, int r) {
    return Math.max(1, n / r);
  }
}
