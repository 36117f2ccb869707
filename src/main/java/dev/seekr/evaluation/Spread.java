package dev.seekr.evaluation;

import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.DoubleStream;
import org.apache.commons.math3.distribution.TDistribution;
import org.apache.commons.math3.stat.descriptive.DescriptiveStatistics;

/**
 * What several runs come to, such as one a seed.
 *
 * @param sd sample standard deviation (over n−1), blank for a single run
 * @param runs n, the runs that have the number
 */
public record Spread(double mean, OptionalDouble sd, int runs) {
  /** Blank where there is no number. */
  public static Optional<Spread> of(DoubleStream numbers) {
    var values = new DescriptiveStatistics();
    numbers.forEach(values::addValue);
    int n = (int) values.getN();
    if (n == 0) return Optional.empty();
    OptionalDouble sd =
        n == 1 ? OptionalDouble.empty() : OptionalDouble.of(values.getStandardDeviation());
    return Optional.of(new Spread(values.getMean(), sd, n));
  }

  /**
   * Half of the interval around the mean that holds the true one with 95 % confidence, by Student's
   * t; blank for a single run.
   */
  public OptionalDouble error() {
    if (sd.isEmpty()) return sd;
    double t = new TDistribution(null, runs - 1).inverseCumulativeProbability(0.975);
    return OptionalDouble.of(t * sd.getAsDouble() / Math.sqrt(runs));
  }

  /**
   * As "57.04 ± 1.20", or "57.04" for a single run.
   *
   * @param format of a number
   * @param between what stands for the sign, with blanks
   */
  public String text(String format, String between) {
    String text = String.format(Locale.ROOT, format, mean);
    return sd.isPresent()
        ? text + between + String.format(Locale.ROOT, format, sd.getAsDouble())
        : text;
  }
}
