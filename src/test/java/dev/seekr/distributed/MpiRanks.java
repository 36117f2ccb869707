package dev.seekr.distributed;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.seekr.Failure;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * One process of a real MPI run, which scripts/mpi-test starts several of.
 *
 * <p>Arguments: the library; the largest chunk; what to do: {@code all} checks every call, {@code
 * abort} ends all processes with status 75 from the last one, {@code stuck} the same while its own
 * thread waits in a call. {@code all} takes a folder that all processes see.
 */
public final class MpiRanks {
  /** Bytes of a piece: none, odd ones, and what is more than a chunk of the smaller sizes. */
  private static final long[] PIECES = {0, 1, 3, 7, 8, 9, 64, 1000, 4097, 70_001};

  private static final int GUARD = 16;
  private static final byte UNTOUCHED = (byte) 0xA5;

  private final Mpi mpi;

  private MpiRanks(Mpi mpi) {
    this.mpi = mpi;
  }

  public static void main(String[] args) throws Throwable {
    var library = Path.of(args[0]);
    long chunk = Long.parseLong(args[1]);
    var launch = Launch.of(System.getenv());
    long[] handlers = handlers();
    Mpi opened;
    try {
      opened = new Mpi(launch, library, chunk);
    } catch (Failure e) {
      System.out.println(e.getMessage());
      System.exit(e.exit.code);
      return;
    }
    var ranks = new MpiRanks(opened);
    switch (args[2]) {
      case "all" -> {
        same("handlers of signals", Arrays.toString(handlers), Arrays.toString(handlers()));
        same("the place on this machine", launch.localRank(), opened.localRank());
        ranks.all(Path.of(args[3]));
      }
      case "abort" -> ranks.abort(false);
      case "stuck" -> ranks.abort(true);
      default -> throw new IllegalArgumentException(args[2]);
    }
  }

  private void all(Path folder) throws Exception {
    for (long bytes : PIECES) {
      exchange(bytes);
      gather(bytes, false);
      gather(bytes, true);
      broadcast(bytes);
    }
    barrier(folder);
    interrupted();
    refused();
    mpi.close();
    mpi.close();
    try {
      mpi.barrier();
      throw new AssertionError("a call after close");
    } catch (IllegalStateException e) {
      same("after close", "closed", e.getMessage());
    }
    System.out.println("process " + mpi.rank() + " of " + mpi.ranks() + ": right");
  }

  /** Byte i of what one process sends to another, neither symmetric nor of a short period. */
  private static byte value(int from, int to, long i) {
    return (byte) (from * 101 + to * 29 + i * 7 + i / 251);
  }

  private void exchange(long bytes) {
    try (var arena = Arena.ofConfined()) {
      var send = guarded(arena, mpi.ranks() * bytes);
      var received = guarded(arena, mpi.ranks() * bytes);
      for (int r = 0; r < mpi.ranks(); r++) fill(send, r * bytes, bytes, mpi.rank(), r);
      mpi.exchange(inside(send), inside(received), bytes);
      for (int r = 0; r < mpi.ranks(); r++) {
        holds("exchange", send, r * bytes, bytes, mpi.rank(), r);
        holds("exchange", received, r * bytes, bytes, r, mpi.rank());
      }
      guards("exchange of " + bytes, send, received);
    }
  }

  private void gather(long bytes, boolean inPlace) {
    try (var arena = Arena.ofConfined()) {
      var received = guarded(arena, mpi.ranks() * bytes);
      var own = guarded(arena, bytes);
      long at = mpi.rank() * bytes;
      var mine = inPlace ? inside(received).asSlice(at, bytes) : inside(own);
      if (inPlace) fill(received, at, bytes, mpi.rank(), 0);
      else fill(own, 0, bytes, mpi.rank(), 0);
      mpi.gather(mine, inside(received), bytes);
      for (int r = 0; r < mpi.ranks(); r++) holds("gather", received, r * bytes, bytes, r, 0);
      guards("gather of " + bytes, received, own);
    }
  }

  private void broadcast(long bytes) {
    try (var arena = Arena.ofConfined()) {
      var data = guarded(arena, bytes);
      fill(data, 0, bytes, mpi.rank(), 9);
      mpi.broadcast(inside(data));
      holds("broadcast", data, 0, bytes, 0, 9);
      guards("broadcast of " + bytes, data);
    }
  }

  /**
   * Each writes a file, the last process before the others, so that it comes to the barrier before
   * all files are there; behind the barrier they are. Often, since a missing barrier may have luck.
   */
  private void barrier(Path folder) throws Exception {
    for (int round = 0; round < 50; round++) {
      var files = new Path[mpi.ranks() + 1];
      for (int r = 0; r <= mpi.ranks(); r++) files[r] = folder.resolve(round + "-" + r);
      if (mpi.rank() == mpi.ranks() - 1) Files.createFile(files[mpi.ranks()]);
      while (!Files.exists(files[mpi.rank() + 1])) Thread.yield();
      Files.createFile(files[mpi.rank()]);
      mpi.barrier();
      for (int r = 0; r < mpi.ranks(); r++)
        same("file of process " + r, true, Files.exists(files[r]));
    }
  }

  private void interrupted() {
    Thread.currentThread().interrupt();
    exchange(1000);
    same("interrupted", true, Thread.interrupted());
  }

  private void refused() {
    try (var arena = Arena.ofConfined()) {
      var small = arena.allocate(7);
      var heap = MemorySegment.ofArray(new byte[64]);
      for (Runnable call :
          new Runnable[] {
            () -> mpi.exchange(small, arena.allocate(64), 8),
            () -> mpi.gather(arena.allocate(8), small, 8),
            () -> mpi.gather(arena.allocate(8), small, -1),
            () -> mpi.broadcast(heap)
          }) {
        try {
          call.run();
          throw new AssertionError("memory that cannot be sent");
        } catch (IllegalArgumentException e) {
          // As it must be.
        }
      }
    }
  }

  /** The last process ends all; the first never comes to the barrier where others wait. */
  private void abort(boolean stuck) throws InterruptedException {
    if (mpi.rank() == 0) Thread.currentThread().join();
    var waits = new Thread(mpi::barrier);
    if (mpi.rank() < mpi.ranks() - 1 || stuck) waits.start();
    if (mpi.rank() < mpi.ranks() - 1) waits.join();
    while (stuck && waits.getState() != Thread.State.WAITING) Thread.onSpinWait();
    mpi.abort(75);
    throw new AssertionError("abort returned");
  }

  /** Bytes between guards that no call may touch. */
  private static MemorySegment guarded(Arena arena, long bytes) {
    return arena.allocate(bytes + 2 * GUARD).fill(UNTOUCHED);
  }

  private static MemorySegment inside(MemorySegment guarded) {
    return guarded.asSlice(GUARD, guarded.byteSize() - 2 * GUARD);
  }

  private static void fill(MemorySegment guarded, long at, long bytes, int from, int to) {
    for (long i = 0; i < bytes; i++) guarded.set(JAVA_BYTE, GUARD + at + i, value(from, to, i));
  }

  private static void holds(
      String what, MemorySegment guarded, long at, long bytes, int from, int to) {
    for (long i = 0; i < bytes; i++) {
      byte expected = value(from, to, i), found = guarded.get(JAVA_BYTE, GUARD + at + i);
      if (found != expected) {
        throw new AssertionError(
            "%s: byte %d of %d from %d to %d is %d, expected %d"
                .formatted(what, i, bytes, from, to, found, expected));
      }
    }
  }

  private static void guards(String what, MemorySegment... all) {
    for (var guarded : all) {
      for (int i = 0; i < GUARD; i++) {
        same(what + ": before", UNTOUCHED, guarded.get(JAVA_BYTE, i));
        same(what + ": behind", UNTOUCHED, guarded.get(JAVA_BYTE, guarded.byteSize() - 1 - i));
      }
    }
  }

  private static void same(String what, Object expected, Object found) {
    if (!expected.equals(found))
      throw new AssertionError("%s: %s, expected %s".formatted(what, found, expected));
  }

  /** Whom the kernel calls for each signal: the first word of struct sigaction. */
  private static long[] handlers() throws Throwable {
    var linker = Linker.nativeLinker();
    var sigaction =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("sigaction"),
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS));
    var handlers = new long[32];
    try (var arena = Arena.ofConfined()) {
      var action = arena.allocate(256);
      for (int signal = 1; signal < handlers.length; signal++) {
        int status = (int) sigaction.invokeExact(signal, MemorySegment.NULL, action);
        if (status == 0) handlers[signal] = action.get(JAVA_LONG, 0);
      }
    }
    return handlers;
  }
}
