package dev.seekr.distributed;

import java.lang.foreign.MemorySegment;

/**
 * What carries bytes between the processes of a run. All of them call the same methods in the same
 * order, each from one thread at a time; a call returns when the caller's part of it is done.
 * Memory is native, on the host.
 */
public interface Wire extends AutoCloseable {
  /** This process, from 0. */
  int rank();

  int ranks();

  /**
   * Everybody sends everybody a piece.
   *
   * @param send {@code ranks() * bytes}: piece r is for process r
   * @param received the same size: piece r came from process r
   * @param bytes of a piece, 0 or more
   */
  void exchange(MemorySegment send, MemorySegment received, long bytes);

  /**
   * Everybody sends everybody the same.
   *
   * @param mine {@code bytes}; may be piece {@code rank()} of {@code received}
   * @param received {@code ranks() * bytes}: piece r came from process r
   */
  void gather(MemorySegment mine, MemorySegment received, long bytes);

  /** Makes {@code bytes} what they are in process 0. */
  void broadcast(MemorySegment bytes);

  /** Waits for all. */
  void barrier();

  /** Ends all processes of the run at once with an exit status; does not return. */
  void abort(int exit);

  /** Takes leave of the others, who do the same. */
  @Override
  void close();
}
