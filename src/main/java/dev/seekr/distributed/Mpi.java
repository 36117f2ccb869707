package dev.seekr.distributed;

import dev.seekr.Failure;
import dev.seekr.Failure.Exit;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;

/**
 * Processes that MPI connects. One thread of its own makes all calls of MPI, whoever asks for them:
 * then it need not be told of Java's threads. Asking waits, and is not interrupted, since MPI would
 * go on with the memory; an interrupt is kept for later.
 *
 * <p>A process that dies is no error that others see: their calls wait for it, until the launcher
 * ends them. So a run that fails in one process must {@link #abort} all.
 */
public final class Mpi implements Wire {
  /** Bytes of a piece that MPI is given at once. */
  private static final long CHUNK = 1L << 28;

  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name("mpi").factory());
  private final MpiLibrary library;
  private final long chunk;
  private final int rank, ranks, localRank;
  private boolean closed;

  /**
   * Begins MPI, which a process can do once, by the library that property {@code seekr.library.mpi}
   * names. Throws Failure (69) where there is no such library, no MPI, or MPI does not know of the
   * processes that {@code launch} has.
   */
  public static Mpi open(Launch launch) {
    String file = System.getProperty("seekr.library.mpi");
    if (file == null) {
      throw new Failure(
          Exit.BACKEND,
          "a run of several processes needs -Dseekr.library.mpi=FILE, the library that 'make mpi'"
              + " builds; ./seekr names it");
    }
    return new Mpi(launch, Path.of(file), CHUNK);
  }

  /** {@code chunk} bytes of a piece are sent at once, {@code library} speaks with MPI. */
  Mpi(Launch launch, Path library, long chunk) {
    this.chunk = chunk;
    this.library = new MpiLibrary(library);
    int[] place = ask(this.library::open);
    rank = place[0];
    ranks = place[1];
    localRank = place[2];
    if (ranks == launch.ranks() && rank == launch.rank()) return;
    throw new Failure(
        Exit.BACKEND,
        "%s started this as process %d of %d, but MPI says %d of %d; start it with srun --mpi=pmix or mpirun, of the MPI that was loaded for 'make mpi'"
            .formatted(launch.launcher(), launch.rank(), launch.ranks(), rank, ranks));
  }

  @Override
  public int rank() {
    return rank;
  }

  @Override
  public int ranks() {
    return ranks;
  }

  /** This process among those on its machine, from 0, as MPI sees them. */
  public int localRank() {
    return localRank;
  }

  @Override
  public void exchange(MemorySegment send, MemorySegment received, long bytes) {
    long all = Math.multiplyExact(ranks, bytes);
    var from = memory(send, all);
    var to = memory(received, all);
    run(() -> library.exchange(from, to, bytes, chunk), send, received);
  }

  @Override
  public void gather(MemorySegment mine, MemorySegment received, long bytes) {
    var from = memory(mine, bytes);
    var to = memory(received, Math.multiplyExact(ranks, bytes));
    run(() -> library.gather(from, to, bytes, chunk), mine, received);
  }

  @Override
  public void broadcast(MemorySegment bytes) {
    var data = memory(bytes, bytes.byteSize());
    run(() -> library.broadcast(data, bytes.byteSize(), chunk), bytes);
  }

  @Override
  public void barrier() {
    run(library::barrier);
  }

  /** From the caller's thread: MPI's own may wait for a process that never comes. */
  @Override
  public void abort(int exit) {
    try {
      library.abort(exit);
    } finally {
      Runtime.getRuntime().halt(exit);
    }
  }

  @Override
  public void close() {
    if (closed) return;
    run(library::close);
    closed = true;
    thread.shutdown();
  }

  /** The memory as any thread may see it, while the caller, whose it is, waits. */
  private static MemorySegment memory(MemorySegment segment, long bytes) {
    if (!segment.isNative()) throw new IllegalArgumentException("not native: " + segment);
    if (bytes < 0 || segment.byteSize() < bytes)
      throw new IllegalArgumentException("not %d bytes: %s".formatted(bytes, segment));
    return MemorySegment.ofAddress(segment.address());
  }

  /** Runs a call that uses {@code memory}, which is not freed meanwhile. */
  private void run(Runnable call, MemorySegment... memory) {
    ask(
        () -> {
          call.run();
          return null;
        });
    Reference.reachabilityFence(memory);
  }

  private <T> T ask(Supplier<T> call) {
    if (closed) throw new IllegalStateException("closed");
    try {
      return CompletableFuture.supplyAsync(call, thread).join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : e;
    }
  }
}
