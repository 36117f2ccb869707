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
   * All of both lists, each in its order, the replayed ones spread evenly: with n new and r ≤ n
   * replayed ones, the j-th replayed one comes just before the j·⌊n/r⌋-th new one; with r > n,
   * ⌊i·r/n⌋ of them have come before the i-th new one. Without new ones the replayed ones come all
   * the same.
   */
  public static <T> List<Interleave<T>> of(List<? extends T> fresh, List<? extends T> replayed) {
    int n = fresh.size();
    int r = replayed.size();
    var out = new ArrayList<Interleave<T>>(n + r);
    int taken = 0;
    for (int i = 1; i <= n; i++) {
      int due = r == 0 ? 0 : r > n ? (int) ((long) i * r / n) : Math.min(r, i / (n / r));
      while (taken < due) out.add(new Interleave<>(replayed.get(taken++), true));
      out.add(new Interleave<>(fresh.get(i - 1), false));
    }
    while (taken < r) out.add(new Interleave<>(replayed.get(taken++), true));
    return List.copyOf(out);
  }
}
