package dev.seekr.distributed;

import dev.seekr.Failure;
import dev.seekr.tensor.Tensor;
import java.util.function.IntFunction;
import java.util.function.Supplier;

/**
 * What the processes of a run do together. All of them go through the same run and call the same
 * methods in the same order; each does a part of the work, and what comes of it has the same bits
 * in each process. Process 0, the first, is the one that writes.
 */
public interface Collectives extends AutoCloseable {
  /** A run of one process. */
  Collectives ALONE = new Unconnected(1);

  /** This process, from 0. */
  int rank();

  int ranks();

  /** Which of the processes on this machine it is, from 0. */
  default int localRank() {
    return 0;
  }

  /** Whether this is the process that writes. */
  default boolean first() {
    return rank() == 0;
  }

  /** What each process gives, in the order of ranks; they may be of different lengths. */
  byte[][] gather(byte[] mine);

  /** In place, of each element over all processes, in the order of ranks. */
  void sum(Tensor flat);

  /** The same of this process's {@link Slice} alone; the other parts are undefined. */
  void sumParts(Tensor flat);

  /**
   * Begins {@link #sumParts} of what has been computed so far, and goes on; it is there when the
   * result has run.
   */
  Runnable summing(Tensor flat);

  /** All of it becomes what each {@link Slice} is in the process that it belongs to. */
  void gatherParts(Tensor flat);

  /** Whether some process wishes it. */
  boolean any(boolean wish);

  /**
   * What {@code work} gives here; where it fails in some process it fails in all, with the message
   * of the first of them.
   *
   * @throws Agreed where there are several
   */
  <T> T agree(Supplier<T> work);

  /** Waits for all. */
  default void barrier() {
    any(false);
  }

  /** The first process does it while the others wait; where it fails there, it fails in all. */
  default void first(Runnable work) {
    agree(
        () -> {
          if (first()) work.run();
          return null;
        });
  }

  /** What a function says of 0 .. n - 1, of which each process asks it a share. */
  double[][] each(int n, IntFunction<double[]> of);

  /** Ends all processes with an exit status. Does not return. */
  void abort(int exit);

  /** Throws nothing, and may be called more than once. */
  @Override
  void close();

  /** A failure that all processes know of, so that each can end in order and one need say it. */
  final class Agreed extends Failure {
    /** Whether it is for this process to say. */
    public final boolean said;

    /** Of {@code exit}; {@code first}: whether this is the process that says it. */
    public Agreed(Exit exit, String message, boolean first) {
      super(exit, message);
      this.said = first;
    }
  }
}
