package dev.seekr.trainer;

import dev.seekr.data.Sample;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The samples of a step that each process takes: the longest first, each to whoever has the fewest
 * tokens so far. It follows from the step alone, so that no process need ask another.
 */
final class Share {
  private Share() {}

  /** What process {@code rank} takes of each of the micro-batches, perhaps nothing. */
  static List<Unit> of(List<Unit> units, int rank, int ranks) {
    if (ranks == 1) return units;
    int[] owner = owners(units.stream().flatMap(u -> u.samples().stream()).toList(), ranks);
    var shares = new ArrayList<Unit>();
    int first = 0;
    for (Unit unit : units) {
      int from = first, n = unit.samples().size();
      shares.add(unit.only(IntStream.range(0, n).filter(i -> owner[from + i] == rank).toArray()));
      first += n;
    }
    return shares;
  }

  /** The passes of the process that has most of them. */
  static int mostPasses(List<Unit> units, int ranks, int microTokens) {
    int most = 0;
    for (int r = 0; r < ranks; r++)
      most =
          Math.max(
              most, of(units, r, ranks).stream().mapToInt(u -> u.passes(microTokens).size()).sum());
    return most;
  }

  private static int[] owners(List<Sample> samples, int ranks) {
    int[] owner = new int[samples.size()];
    long[] tokens = new long[ranks];
    IntStream.range(0, owner.length)
        .boxed()
        .sorted(Comparator.comparingInt(i -> -samples.get(i).length()))
        .forEach(
            i -> {
              int least = 0;
              for (int r = 1; r < ranks; r++) if (tokens[r] < tokens[least]) least = r;
              owner[i] = least;
              tokens[least] += samples.get(i).length();
            });
    return owner;
  }
}
