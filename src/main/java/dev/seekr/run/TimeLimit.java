package dev.seekr.run;

import dev.seekr.Failure;
import dev.seekr.config.RunSettings;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** When a run is to stop by itself. */
final class TimeLimit {
  private static final String END = "SEEKR_END_TIME";

  /** What ends later is not in seconds: milliseconds would mean never. */
  private static final Duration CENTURY = Duration.ofDays(36_525);

  private TimeLimit() {}

  /** What is left: by run.time_limit from now, or by SEEKR_END_TIME, whichever comes first. */
  static Optional<Duration> of(RunSettings run) {
    return of(run.timeLimit(), System.getenv(END), Instant.now());
  }

  static Optional<Duration> of(Duration limit, String end, Instant now) {
    Duration left = end == null || end.isBlank() ? null : until(end, now);
    if (limit == null) return Optional.ofNullable(left);
    return Optional.of(left == null || limit.compareTo(left) < 0 ? limit : left);
  }

  private static Duration until(String seconds, Instant now) {
    try {
      var end = Instant.ofEpochSecond(Long.parseLong(seconds.strip()));
      var left = Duration.between(now, end);
      if (left.abs().compareTo(CENTURY) <= 0) {
        if (left.isNegative()) throw Failure.config("%s is %s, which is over", END, end);
        return left;
      }
    } catch (NumberFormatException | DateTimeException e) {
      // No whole number, or none that a time can be.
    }
    throw Failure.config("%s is '%s'; expected seconds since 1970, as 'date +%%s'", END, seconds);
  }
}
