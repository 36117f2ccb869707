package dev.seekr.evaluation;

import dev.seekr.Failure;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.Function;
import org.apache.commons.math3.stat.descriptive.DescriptiveStatistics;

/**
 * The final scores of several runs over the same tasks, such as one a seed or one a task order.
 * Blank where no run has the score.
 *
 * @param op overall performance
 * @param bwt backward transfer over T−1 tasks
 * @param bwtReleased backward transfer over T tasks
 * @param ga general ability; blank where runs were asked other benchmarks
 * @param deltaGa its change since before the first task
 */
public record RunSummary(
    Optional<Spread> op,
    Optional<Spread> bwt,
    Optional<Spread> bwtReleased,
    Optional<Spread> ga,
    Optional<Spread> deltaGa) {

  /**
   * @param sd sample standard deviation (over n−1), blank for a single run
   * @param runs n, the runs that have the score
   */
  public record Spread(double mean, OptionalDouble sd, int runs) {
    /** {@code 57.04 ± 1.20 (n=3)}, or {@code 57.04} for a single run. */
    @Override
    public String toString() {
      return sd.isPresent()
          ? String.format(Locale.ROOT, "%.2f ± %.2f (n=%d)", mean, sd.getAsDouble(), runs)
          : String.format(Locale.ROOT, "%.2f", mean);
    }
  }

  /**
   * Runs of other tasks, or of which some are further than others, have no common mean: they are
   * refused.
   */
  public static RunSummary of(List<ScoreMatrix> runs) {
    if (runs.isEmpty()) throw Failure.data("no runs to summarise");
    ScoreMatrix first = runs.getFirst();
    for (int run = 1; run < runs.size(); run++) {
      ScoreMatrix other = runs.get(run);
      if (!Set.copyOf(other.tasks()).equals(Set.copyOf(first.tasks()))) {
        throw Failure.data(
            "run %d is over tasks %s, run 1 over %s", run + 1, other.tasks(), first.tasks());
      }
      if (other.trained() != first.trained()) {
        throw Failure.data(
            "run %d has trained %d tasks, run 1 %d: summarise runs that are equally far",
            run + 1, other.trained(), first.trained());
      }
    }
    return new RunSummary(
        spread(runs, ScoreMatrix::op),
        spread(runs, ScoreMatrix::bwt),
        spread(runs, ScoreMatrix::bwtReleased),
        general(runs, g -> g.ga(g.last())),
        general(runs, g -> g.delta(g.last())));
  }

  private static Optional<Spread> general(
      List<ScoreMatrix> runs, Function<GeneralScores, OptionalDouble> score) {
    boolean same = runs.stream().map(r -> r.general().sets()).distinct().count() == 1;
    return same ? spread(runs, r -> score.apply(r.general())) : Optional.empty();
  }

  private static Optional<Spread> spread(
      List<ScoreMatrix> runs, Function<ScoreMatrix, OptionalDouble> score) {
    DescriptiveStatistics values = new DescriptiveStatistics();
    runs.stream().map(score).forEach(value -> value.ifPresent(values::addValue));
    int n = (int) values.getN();
    if (n == 0) return Optional.empty();
    OptionalDouble sd =
        n == 1 ? OptionalDouble.empty() : OptionalDouble.of(values.getStandardDeviation());
    return Optional.of(new Spread(values.getMean(), sd, n));
  }
}
