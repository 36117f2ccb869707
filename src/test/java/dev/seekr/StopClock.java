package dev.seekr;

import java.time.Duration;
import java.util.function.LongSupplier;

/** Stops by a clock of the test's. */
public final class StopClock {
  private StopClock() {}

  /** {@code nanos}: the time. */
  public static Stop stop(Duration grace, LongSupplier nanos) {
    return new Stop(grace, nanos);
  }
}
