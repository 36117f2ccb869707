package dev.seekr.evaluation;

import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import dev.seekr.state.Stateful;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/**
 * General ability in percent, by benchmark: row 0 is before the first task, row j after the j-th. A
 * score that was never taken is blank, never 0.
 */
public final class GeneralScores implements Stateful {
  private final List<String> sets;
  private final OptionalDouble[][] g; // [rows][sets]

  /**
   * @param sets names of benchmarks; may be empty, when general ability is not asked for
   * @param tasks how many there are
   */
  public GeneralScores(List<String> sets, int tasks) {
    this.sets = List.copyOf(sets);
    g = new OptionalDouble[tasks + 1][sets.size()];
    for (OptionalDouble[] row : g) Arrays.fill(row, OptionalDouble.empty());
  }

  public List<String> sets() {
    return sets;
  }

  public int rows() {
    return g.length;
  }

  /** Records a score; one that is not finite, or of no such benchmark, is refused. */
  public void set(int row, String set, double score) {
    int i = sets.indexOf(set);
    if (i < 0 || !Double.isFinite(score))
      throw new IllegalArgumentException(
          "score %s of %s; there are %s".formatted(score, set, sets));
    g[row][i] = OptionalDouble.of(score);
  }

  /** The score of benchmark i, or blank. */
  public OptionalDouble get(int row, int i) {
    return g[row][i];
  }

  /** Whether a row has any score. */
  public boolean has(int row) {
    return Arrays.stream(g[row]).anyMatch(OptionalDouble::isPresent);
  }

  /** The last row that has any score; 0 where none has. */
  public int last() {
    return IntStream.range(0, g.length).filter(this::has).max().orElse(0);
  }

  /** GA: the mean over the benchmarks that have a score; blank where none has. */
  public OptionalDouble ga(int row) {
    return Arrays.stream(g[row])
        .filter(OptionalDouble::isPresent)
        .mapToDouble(OptionalDouble::getAsDouble)
        .average();
  }

  /**
   * DeltaGA: the mean over benchmarks of the score less the one before the first task. Blank for
   * the first row, and where a benchmark has one of both alone.
   */
  public OptionalDouble delta(int row) {
    if (row == 0 || !has(row)) return OptionalDouble.empty();
    for (int i = 0; i < sets.size(); i++)
      if (g[row][i].isPresent() != g[0][i].isPresent()) return OptionalDouble.empty();
    return OptionalDouble.of(ga(row).getAsDouble() - ga(0).getAsDouble());
  }

  @Override
  public void save(StateWriter to) {
    Double[][] scores = new Double[g.length][sets.size()];
    for (int row = 0; row < g.length; row++)
      for (int i = 0; i < sets.size(); i++)
        scores[row][i] = g[row][i].isPresent() ? g[row][i].getAsDouble() : null;
    to.put("scores", scores);
  }

  @Override
  public void load(StateReader from) {
    Double[][] scores = from.get("scores", Double[][].class);
    boolean fits = scores.length == g.length;
    for (Double[] row : scores)
      fits &=
          row != null
              && row.length == sets.size()
              && Arrays.stream(row).allMatch(s -> s == null || Double.isFinite(s));
    if (!fits) throw from.wrong("scores", "%d x %d finite scores".formatted(g.length, sets.size()));
    for (int row = 0; row < g.length; row++)
      for (int i = 0; i < sets.size(); i++)
        if (scores[row][i] != null) set(row, sets.get(i), scores[row][i]);
  }
}
