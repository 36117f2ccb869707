package dev.seekr.ops;

/**
 * Tells what work takes where it is done. On a device calls return before their work has begun, and
 * the host's own time would be that of calling.
 */
public interface Clock {
  /** This process's: work is done when a call returns. */
  Clock HOST = () -> new HostMoment(System.nanoTime());

  /** When all work that was called for so far will be done. */
  Moment now();

  /** A point in the order of work. */
  interface Moment extends AutoCloseable {
    /** Seconds from {@code earlier}, of the same clock, to this moment, for which it waits. */
    double secondsSince(Moment earlier);

    @Override
    default void close() {}
  }

  /** Nanoseconds of the host's clock. */
  record HostMoment(long nanos) implements Moment {
    @Override
    public double secondsSince(Moment earlier) {
      return (nanos - ((HostMoment) earlier).nanos) / 1e9;
    }
  }

  /** Seconds that {@code work} takes. */
  default double seconds(Runnable work) {
    try (Moment begin = now()) {
      work.run();
      try (Moment end = now()) {
        return end.secondsSince(begin);
      }
    }
  }
}
