package dev.seekr.distributed;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.seekr.Failure;
import dev.seekr.Failure.Exit;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;

/** The functions of {@code native/mpi/mpi.c}, which says what they do and who may call them. */
final class MpiLibrary {
  private static final Linker LINKER = Linker.nativeLinker();

  /** dlopen's: find every symbol now, and let libraries that are opened later find them. */
  private static final int RTLD_NOW = 2, RTLD_GLOBAL = 0x100;

  private final Path file;
  private final SymbolLookup symbols;
  private final MethodHandle open, exchange, gather, broadcast, barrier, close, abort, error;

  /**
   * Opens the library for the rest of the process. Throws Failure (69) where it, or the MPI that it
   * was built with, is not there.
   */
  MpiLibrary(Path file) {
    this.file = file;
    if (!Files.isReadable(file)) {
      throw new Failure(
          Exit.BACKEND,
          file
              + ", which speaks with MPI, is not there or cannot be read; build it where the run"
              + " shall be, with: make mpi (or name one with -Dseekr.library.mpi=FILE)");
    }
    openGlobally(file);
    symbols = SymbolLookup.libraryLookup(file, Arena.global());
    open = find(JAVA_INT, "open", ADDRESS);
    exchange = find(JAVA_INT, "exchange", ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG);
    gather = find(JAVA_INT, "gather", ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG);
    broadcast = find(JAVA_INT, "broadcast", ADDRESS, JAVA_LONG, JAVA_LONG);
    barrier = find(JAVA_INT, "barrier");
    close = find(JAVA_INT, "close");
    abort = find(JAVA_INT, "abort", JAVA_INT);
    error = find(ADDRESS, "error");
  }

  /**
   * MPI's plugins look for its symbols among those of all libraries; Java opens for itself alone.
   */
  private static void openGlobally(Path file) {
    var libc = LINKER.defaultLookup();
    var dlopen =
        LINKER.downcallHandle(
            libc.findOrThrow("dlopen"), FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_INT));
    var dlerror =
        LINKER.downcallHandle(libc.findOrThrow("dlerror"), FunctionDescriptor.of(ADDRESS));
    String problem;
    try (var arena = Arena.ofConfined()) {
      int flags = RTLD_NOW | RTLD_GLOBAL;
      var handle = (MemorySegment) dlopen.invokeExact(arena.allocateFrom(file.toString()), flags);
      if (handle.address() != 0) return;
      problem = text((MemorySegment) dlerror.invokeExact());
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
    throw new Failure(
        Exit.BACKEND,
        "cannot load %s: %s; load the MPI that it was built with (module load), or build it again: make mpi"
            .formatted(file, Failure.plain(problem)));
  }

  private MethodHandle find(MemoryLayout result, String name, MemoryLayout... parameters) {
    var function =
        symbols
            .find("sk_mpi_" + name)
            .orElseThrow(
                () ->
                    new Failure(
                        Exit.BACKEND,
                        "%s has no sk_mpi_%s: it is of another version; build it again: make mpi"
                            .formatted(file, name)));
    return LINKER.downcallHandle(function, FunctionDescriptor.of(result, parameters));
  }

  /** Begins MPI. Returns this process, how many there are, and this one's place on its machine. */
  int[] open() {
    try (var arena = Arena.ofConfined()) {
      var place = arena.allocate(JAVA_INT, 3);
      check(Exit.BACKEND, () -> (int) open.invokeExact(place));
      return place.toArray(JAVA_INT);
    }
  }

  void exchange(MemorySegment send, MemorySegment received, long bytes, long chunk) {
    check(Exit.IO, () -> (int) exchange.invokeExact(send, received, bytes, chunk));
  }

  void gather(MemorySegment mine, MemorySegment received, long bytes, long chunk) {
    check(Exit.IO, () -> (int) gather.invokeExact(mine, received, bytes, chunk));
  }

  void broadcast(MemorySegment data, long bytes, long chunk) {
    check(Exit.IO, () -> (int) broadcast.invokeExact(data, bytes, chunk));
  }

  void barrier() {
    check(Exit.IO, () -> (int) barrier.invokeExact());
  }

  void close() {
    check(Exit.IO, () -> (int) close.invokeExact());
  }

  void abort(int exit) {
    check(Exit.IO, () -> (int) abort.invokeExact(exit));
  }

  private interface Call {
    int status() throws Throwable;
  }

  private void check(Exit exit, Call call) {
    String problem;
    try {
      if (call.status() == 0) return;
      problem = text((MemorySegment) error.invokeExact());
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
    throw new Failure(exit, "MPI failed: %s".formatted(Failure.plain(problem)));
  }

  private static String text(MemorySegment chars) {
    return chars.address() == 0 ? "" : chars.reinterpret(Long.MAX_VALUE).getString(0);
  }
}
