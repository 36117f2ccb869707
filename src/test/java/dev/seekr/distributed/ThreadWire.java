package dev.seekr.distributed;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;

/** The processes of a run as threads of one: what they send lies in memory that all see. */
public final class ThreadWire implements Wire {
  /** Seconds after which another process is taken to have gone; it only ends a test that fails. */
  private static final long PATIENCE = 60;

  private final int rank;
  private final MemorySegment[] shown; // by rank, in the call under way
  private final CyclicBarrier barrier;
  private final AtomicBoolean gone; // whether some process has thrown

  private ThreadWire(int rank, MemorySegment[] shown, CyclicBarrier barrier, AtomicBoolean gone) {
    this.rank = rank;
    this.shown = shown;
    this.barrier = barrier;
    this.gone = gone;
  }

  /**
   * What each of several processes makes of its wire, in the order of ranks; where one throws, the
   * first of them to do so.
   */
  public static <T> List<T> run(int ranks, Function<Wire, T> process) {
    var shown = new MemorySegment[ranks];
    var barrier = new CyclicBarrier(ranks);
    var gone = new AtomicBoolean();
    try (var threads = Executors.newThreadPerTaskExecutor(Thread.ofPlatform().factory())) {
      var futures = new ArrayList<java.util.concurrent.Future<T>>();
      for (int r = 0; r < ranks; r++) {
        var wire = new ThreadWire(r, shown, barrier, gone);
        futures.add(
            threads.submit(
                () -> {
                  try {
                    return process.apply(wire);
                  } catch (Throwable t) {
                    gone.set(true);
                    barrier.reset(); // whoever waits learns of it
                    throw t;
                  }
                }));
      }
      var results = new ArrayList<T>();
      RuntimeException thrown = null;
      for (var future : futures) {
        try {
          results.add(future.get());
        } catch (ExecutionException e) {
          if (e.getCause() instanceof Error error) throw error;
          var cause = (RuntimeException) e.getCause();
          boolean consequence = cause.getCause() instanceof BrokenBarrierException;
          if (thrown == null || thrown.getCause() instanceof BrokenBarrierException && !consequence)
            thrown = cause;
        } catch (InterruptedException e) {
          throw new IllegalStateException(e);
        }
      }
      if (thrown != null) throw thrown;
      return results;
    }
  }

  @Override
  public int rank() {
    return rank;
  }

  @Override
  public int ranks() {
    return shown.length;
  }

  @Override
  public void exchange(MemorySegment send, MemorySegment received, long bytes) {
    shown[rank] = send;
    barrier();
    for (int r = 0; r < ranks(); r++)
      MemorySegment.copy(shown[r], rank * bytes, received, r * bytes, bytes);
    barrier();
  }

  @Override
  public void gather(MemorySegment mine, MemorySegment received, long bytes) {
    shown[rank] = mine;
    barrier();
    for (int r = 0; r < ranks(); r++) MemorySegment.copy(shown[r], 0, received, r * bytes, bytes);
    barrier();
  }

  @Override
  public void broadcast(MemorySegment bytes) {
    shown[rank] = bytes;
    barrier();
    if (rank > 0) bytes.copyFrom(shown[0]);
    barrier();
  }

  @Override
  public void barrier() {
    try {
      if (gone.get()) throw new BrokenBarrierException();
      barrier.await(PATIENCE, TimeUnit.SECONDS);
    } catch (InterruptedException | BrokenBarrierException | TimeoutException e) {
      throw new IllegalStateException("another process is gone", new BrokenBarrierException());
    }
  }

  @Override
  public void abort(int exit) {
    barrier.reset();
    throw new IllegalStateException("aborted with " + exit);
  }

  @Override
  public void close() {}
}
