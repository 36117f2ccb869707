package dev.seekr;

import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * The wish that a run should stop, from a signal or because its time is nearly over. Loops that
 * take long look at it: between two steps {@link #requested} tells whether to take another one, and
 * within a step {@link #poll} gives up what has not been done within the grace that a step is left.
 */
public class Stop {
  /** For what nobody stops. */
  public static final Stop NEVER = new Stop(Duration.ZERO);

  /** Thrown out of work that is given up; what it would have changed is as it was before. */
  public static final class Stopped extends RuntimeException {
    Stopped() {
      super("stopped", null, false, false);
    }
  }

  private static final long NONE = Long.MAX_VALUE;
  private static final long LONGEST = Long.MAX_VALUE / 2; // sums with it keep their order

  private final LongSupplier nanos;
  private volatile long grace; // nanoseconds
  private volatile long requestedAt = NONE;
  private volatile long deadline = NONE, reserve;
  private volatile boolean atOnce;

  /**
   * @param grace what a step that has begun is left when it is asked to stop
   */
  public Stop(Duration grace) {
    this(grace, System::nanoTime);
  }

  Stop(Duration grace, LongSupplier nanos) {
    this.grace = nanos(grace);
    this.nanos = nanos;
  }

  /** A time of centuries, which a long does not hold, is as good as the longest that it does. */
  private static long nanos(Duration time) {
    try {
      return time.toNanos();
    } catch (ArithmeticException e) {
      return time.isNegative() ? -LONGEST : LONGEST;
    }
  }

  /** What a step that has begun is left from now on. */
  public void grace(Duration time) {
    grace = nanos(time);
  }

  /** Asks to stop; false where that has been asked before. */
  public synchronized boolean request() {
    if (this == NEVER) throw new IllegalStateException("nobody stops this");
    if (requestedAt != NONE) return false;
    requestedAt = nanos.getAsLong();
    return true;
  }

  /** Asks to stop so that all is saved when {@code left} is over; see {@link #reserve}. */
  public void within(Duration left) {
    deadline = nanos.getAsLong() + nanos(left);
  }

  /** How long before the deadline the last step must end, for what has then to be saved. */
  public void reserve(Duration time) {
    reserve = nanos(time);
  }

  /** Whether no further step is to be begun. */
  public boolean requested() {
    if (requestedAt == NONE && overdue()) request();
    return requestedAt != NONE;
  }

  private boolean overdue() {
    return deadline != NONE && nanos.getAsLong() - (deadline - reserve) >= 0;
  }

  /** Work that is begun anew anyway when it is given up, and need not be waited for. */
  public interface Work<T> {
    T run();
  }

  /** Runs work that is given up as soon as somebody asks to stop. */
  public <T> T givenUpAtOnce(Work<T> work) {
    boolean before = atOnce;
    atOnce = true;
    try {
      return work.run();
    } finally {
      atOnce = before;
    }
  }

  /** Stops here, where nothing has been begun. */
  public void now() {
    throw new Stopped();
  }

  /** Throws {@link Stopped} where what is being done is to be given up. */
  public void poll() {
    if (requestedAt == NONE && !(atOnce && overdue())) return;
    if (atOnce) requested();
    if (atOnce || nanos.getAsLong() - requestedAt > grace) throw new Stopped();
  }
}
