package dev.seekr.ops.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.seekr.Failure;
import dev.seekr.Failure.Exit;
import dev.seekr.ops.ffm.NativeLibrary;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * NVIDIA's collective communication library, libnccl.so.2, and those of its calls that Seekr makes.
 * Property {@code seekr.library.nccl} names the file; else it is the emulated device's where {@code
 * seekr.cuda.emulator} names one, else what the dynamic linker finds. Calls throw Failure with the
 * library's own words: 69 where the machine or another process is at fault, else 70.
 */
final class NcclLibrary {
  static final String NAME = "libnccl.so.2";

  /** Bytes of an ncclUniqueId. */
  static final int ID = 128;

  /** The first that tells what the last error was. */
  private static final int OLDEST = 21304;

  private static final MemoryLayout UNIQUE_ID =
      MemoryLayout.structLayout(MemoryLayout.sequenceLayout(ID, JAVA_BYTE));

  private static final int SUM = 0; // ncclRedOp_t

  private final SymbolLookup symbols;
  private final String path;
  private final int version;
  private final MethodHandle errorString, lastError;
  private final MethodHandle getUniqueId, commInitRank, commDestroy, commAbort;
  private final MethodHandle groupStart, groupEnd;
  private final MethodHandle reduce, broadcast, reduceScatter, allGather, send, recv;

  private NcclLibrary(SymbolLookup symbols, String path) {
    this.symbols = symbols;
    this.path = path;
    version = version(call("ncclGetVersion", ADDRESS));
    if (version < OLDEST)
      throw new Failure(
          Exit.BACKEND,
          "NCCL: %s is version %s; %s or later is needed"
              .formatted(path, text(version), text(OLDEST)));
    errorString = text("ncclGetErrorString", JAVA_INT);
    lastError = text("ncclGetLastError", ADDRESS);
    getUniqueId = call("ncclGetUniqueId", ADDRESS);
    commInitRank = call("ncclCommInitRank", ADDRESS, JAVA_INT, UNIQUE_ID, JAVA_INT);
    commDestroy = call("ncclCommDestroy", ADDRESS);
    commAbort = call("ncclCommAbort", ADDRESS);
    groupStart = call("ncclGroupStart");
    groupEnd = call("ncclGroupEnd");
    // buffers, count, type[, sum][, rank], communicator, stream
    reduce =
        call(
            "ncclReduce",
            ADDRESS,
            ADDRESS,
            JAVA_LONG,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            ADDRESS,
            ADDRESS);
    broadcast =
        call("ncclBroadcast", ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, ADDRESS, ADDRESS);
    reduceScatter =
        call(
            "ncclReduceScatter", ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, ADDRESS, ADDRESS);
    allGather = call("ncclAllGather", ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, ADDRESS, ADDRESS);
    send = call("ncclSend", ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, ADDRESS, ADDRESS);
    recv = call("ncclRecv", ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, ADDRESS, ADDRESS);
  }

  /** Throws Failure (69) where there is none, or none that is new enough. */
  static NcclLibrary open() {
    String given = System.getProperty("seekr.library.nccl");
    String emulator = System.getProperty("seekr.cuda.emulator");
    if (given != null) return open(Path.of(given), "seekr.library.nccl names the library");
    if (emulator != null)
      return open(
          Path.of(emulator, NAME), "seekr.cuda.emulator names the folder of the emulated device");
    try {
      return new NcclLibrary(SymbolLookup.libraryLookup(NAME, Arena.global()), NAME);
    } catch (IllegalArgumentException e) {
      throw notLoaded(NAME, e);
    }
  }

  private static NcclLibrary open(Path file, String why) {
    Path absolute = file.toAbsolutePath();
    if (!Files.exists(absolute))
      throw new Failure(Exit.BACKEND, absolute + ": no such file; " + why);
    try {
      var symbols = SymbolLookup.libraryLookup(absolute, Arena.global());
      return new NcclLibrary(symbols, absolute.toString());
    } catch (IllegalArgumentException e) {
      throw notLoaded(absolute.toString(), e);
    }
  }

  private static Failure notLoaded(String file, Exception e) {
    return new Failure(
        Exit.BACKEND,
        "NCCL: %s could not be loaded (%s); several processes on NVIDIA GPUs need it: install NCCL 2 for this machine's CUDA (package libnccl2, or pip install nvidia-nccl-cu12 or nvidia-nccl-cu13), and name its folder in LD_LIBRARY_PATH"
            .formatted(file, NativeLibrary.linkerMessage(file)),
        e);
  }

  private MethodHandle call(String name, MemoryLayout... parameters) {
    return handle(name, FunctionDescriptor.of(JAVA_INT, parameters));
  }

  private MethodHandle text(String name, MemoryLayout parameter) {
    return handle(name, FunctionDescriptor.of(ADDRESS, parameter));
  }

  private MethodHandle handle(String name, FunctionDescriptor type) {
    var address =
        symbols
            .find(name)
            .orElseThrow(
                () ->
                    new Failure(
                        Exit.BACKEND,
                        "NCCL: %s has no %s; version %s or later is needed"
                            .formatted(path, name, text(OLDEST))));
    return Linker.nativeLinker().downcallHandle(address, type);
  }

  private int version(MethodHandle get) {
    try (var arena = Arena.ofConfined()) {
      var number = arena.allocate(JAVA_INT);
      int status = invoke(() -> (int) get.invokeExact(number));
      return status == 0 ? number.get(JAVA_INT, 0) : 0;
    }
  }

  /** Of NCCL_VERSION: it had a digit less before 2.9. */
  private static String text(int version) {
    int minors = version < 10000 ? 10 : 100;
    return "%d.%d.%d".formatted(version / (minors * 100), version / 100 % minors, version % 100);
  }

  /** As in "2.28.9". */
  String version() {
    return text(version);
  }

  /** What all ranks must be given by one of them. */
  byte[] uniqueId() {
    try (var arena = Arena.ofConfined()) {
      var id = arena.allocate(UNIQUE_ID);
      check("ncclGetUniqueId", null, () -> (int) getUniqueId.invokeExact(id));
      return id.toArray(JAVA_BYTE);
    }
  }

  /** Waits until all ranks call it; the communicator is of the current context's device. */
  MemorySegment join(byte[] uniqueId, int rank, int ranks) {
    try (var arena = Arena.ofConfined()) {
      var communicator = arena.allocate(ADDRESS);
      var id = arena.allocate(UNIQUE_ID).copyFrom(MemorySegment.ofArray(uniqueId));
      check(
          "ncclCommInitRank (rank %d of %d)".formatted(rank, ranks),
          null,
          () -> (int) commInitRank.invokeExact(communicator, ranks, id, rank));
      return communicator.get(ADDRESS, 0);
    }
  }

  void destroy(On on) {
    check("ncclCommDestroy", on, () -> (int) commDestroy.invokeExact(on.communicator));
  }

  /** Gives up what is on its way; says nothing of what went wrong before. */
  void abort(On on) {
    invoke(() -> (int) commAbort.invokeExact(on.communicator));
  }

  /** What {@code calls} calls for begins at once, where NCCL can as one. */
  void group(On on, Runnable calls) {
    check("ncclGroupStart", on, () -> (int) groupStart.invokeExact());
    try {
      calls.run();
    } catch (RuntimeException | Error e) {
      invoke(() -> (int) groupEnd.invokeExact()); // the first failure is told
      throw e;
    }
    check("ncclGroupEnd", on, () -> (int) groupEnd.invokeExact());
  }

  /** A communicator and the stream that its work takes its place in. */
  record On(MemorySegment communicator, MemorySegment stream) {}

  /** The sum goes to {@code root}, in place. */
  void reduce(On on, MemorySegment at, long count, int type, int root) {
    check(
        "ncclReduce",
        on,
        () -> (int) reduce.invokeExact(at, at, count, type, SUM, root, on.communicator, on.stream));
  }

  void broadcast(On on, MemorySegment at, long count, int type, int root) {
    check(
        "ncclBroadcast",
        on,
        () -> (int) broadcast.invokeExact(at, at, count, type, root, on.communicator, on.stream));
  }

  /**
   * @param count elements of a part
   * @param part of {@code all}, the caller's
   */
  void reduceScatter(On on, MemorySegment all, MemorySegment part, long count, int type) {
    check(
        "ncclReduceScatter",
        on,
        () ->
            (int)
                reduceScatter.invokeExact(all, part, count, type, SUM, on.communicator, on.stream));
  }

  /** As {@link #reduceScatter} has them. */
  void allGather(On on, MemorySegment part, MemorySegment all, long count, int type) {
    check(
        "ncclAllGather",
        on,
        () -> (int) allGather.invokeExact(part, all, count, type, on.communicator, on.stream));
  }

  void send(On on, MemorySegment from, long count, int type, int to) {
    check(
        "ncclSend",
        on,
        () -> (int) send.invokeExact(from, count, type, to, on.communicator, on.stream));
  }

  void receive(On on, MemorySegment to, long count, int type, int from) {
    check(
        "ncclRecv",
        on,
        () -> (int) recv.invokeExact(to, count, type, from, on.communicator, on.stream));
  }

  private interface Call {
    int status() throws Throwable;
  }

  private static int invoke(Call call) {
    try {
      return call.status();
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  private void check(String name, On on, Call call) {
    int status = invoke(call);
    if (status == 0) return;
    String words = words(() -> (MemorySegment) errorString.invokeExact(status));
    var of = on == null ? MemorySegment.NULL : on.communicator;
    String last = words(() -> (MemorySegment) lastError.invokeExact(of));
    boolean ours = status >= 3 && status <= 5; // internal error, invalid argument, invalid usage
    throw new Failure(
        ours ? Exit.INTERNAL : Exit.BACKEND,
        "%s: %s%s; NCCL_DEBUG=INFO makes NCCL %s say more"
            .formatted(
                name,
                Failure.plain(words),
                last.isBlank() ? "" : ": " + Failure.plain(last.strip()),
                version()));
  }

  private interface Words {
    MemorySegment get() throws Throwable;
  }

  private static String words(Words words) {
    try {
      var chars = words.get();
      return chars.address() == 0 ? "" : chars.reinterpret(Long.MAX_VALUE).getString(0);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }
}
