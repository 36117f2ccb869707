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

  /** What a signal means. */
  public enum Heard {
    FIRST,
    /** One of several that are sent as one, as tools signal a process and then its group. */
    SAME,
    AGAIN
  }

  private static final long SAME = Duration.ofSeconds(1).toNanos();
  private static final long NONE = Long.MAX_VALUE;
  private static final long LONGEST = Long.MAX_VALUE / 2; // sums with it keep their order

  private final LongSupplier nanos;
  private volatile long grace; // nanoseconds
  private volatile long requestedAt = NONE;
  private long heardAt = NONE;
  private volatile boolean late;
  private volatile long deadline = NONE, forStep, forSaving;

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

  /** Asks to stop by a signal, of which each is told. */
  public synchronized Heard hear() {
    request();
    long now = nanos.getAsLong();
    if (heardAt == NONE) {
      heardAt = now;
      return Heard.FIRST;
    }
    return now - heardAt < SAME ? Heard.SAME : Heard.AGAIN;
  }

  /** Whether the reason to stop is that the time is nearly over. */
  public boolean late() {
    return late;
  }

  /** Asks to stop so that all is saved when {@code left} is over; see {@link #reserve}. */
  public void within(Duration left) {
    deadline = nanos.getAsLong() + nanos(left);
  }

  /**
   * What is needed before the deadline: for the step that comes, and to save what has been done.
   */
  public void reserve(Duration step, Duration save) {
    forStep = nanos(step);
    forSaving = nanos(save);
  }

  /** Whether no further step is to be begun. */
  public boolean requested() {
    if (requestedAt == NONE && left() <= forStep) late = request();
    return requestedAt != NONE;
  }

  /** Time for steps, before it must be saved. */
  private long left() {
    return deadline == NONE ? NONE : deadline - forSaving - nanos.getAsLong();
  }

  /** Stops here, where nothing has been begun. */
  public void now() {
    throw new Stopped();
  }

  /** Throws {@link Stopped} where what is being done is to be given up. */
  public void poll() {
    if (left() <= 0) late |= request();
    else if (requestedAt == NONE || nanos.getAsLong() - requestedAt <= grace) return;
    throw new Stopped();
  }
}
