package dev.seekr.ops;

import static java.lang.foreign.MemorySegment.NULL;
import static java.lang.foreign.ValueLayout.ADDRESS;

import dev.seekr.Failure;
import dev.seekr.Failure.Exit;
import dev.seekr.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Path;

/** One loaded library that implements {@code seekr.h}, and one context in it. */
class KernelLibrary implements AutoCloseable {
  /**
   * A downcall. The kernel's address comes from the library at hand; the handle is a constant where
   * it is invoked, which is what makes the call cheap.
   */
  interface Call {
    int run(MemorySegment kernel, MemorySegment context) throws Throwable;
  }

  private final MemorySegment[] kernels;
  private MemorySegment context;
  private final String file;
  private final int threads;

  /** {@code threads} 0: the device's own. */
  KernelLibrary(Path library, int threads, String isa) {
    this.file = library.getFileName().toString();
    this.threads = threads;
    SymbolLookup symbols = NativeLibrary.load(library);
    kernels =
        Abi.functions().stream()
            .map(f -> symbols.find(f.name()).orElseThrow(() -> missing(library, f)))
            .toArray(MemorySegment[]::new);
    context = NULL;
    try (var arena = Arena.ofConfined()) {
      var result = arena.allocate(ADDRESS);
      var name = arena.allocateFrom(isa);
      call(Abi.CREATE, (f, c) -> (int) Abi.CREATE.handle().invokeExact(f, result, threads, name));
      context = result.get(ADDRESS, 0);
    } catch (Failure e) {
      // An instruction set or a number of threads that is not to be had here.
      throw new Failure(Exit.BACKEND, e.getMessage(), e);
    }
  }

  private static Failure missing(Path library, Abi.Function f) {
    return new Failure(
        Exit.BACKEND,
        library + " has no " + f.name() + ": it is of another version; build it with: make native");
  }

  /** Calls a kernel; a status other than 0 becomes a Failure with the library's own words. */
  void call(Abi.Function function, Call call) {
    if (context == null) throw new IllegalStateException("closed");
    int status;
    try {
      status = call.run(kernels[function.index()], context);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(function.name(), e);
    }
    // The library's message begins with the function's name.
    if (status != 0) throw new Failure(Exit.INTERNAL, lastError());
  }

  private String lastError() {
    try {
      var address = kernels[Abi.LAST_ERROR.index()];
      return text((MemorySegment) Abi.LAST_ERROR.handle().invokeExact(address));
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /** The library and what it runs on. */
  String arithmetic() {
    return file + ": " + isa();
  }

  /** The same, and its threads. */
  String description() {
    String count = threads == 0 ? "" : ", %d thread%s".formatted(threads, threads == 1 ? "" : "s");
    return arithmetic() + count;
  }

  /** The instruction set the context runs on. */
  String isa() {
    try {
      return text((MemorySegment) Abi.ISA.handle().invokeExact(kernels[Abi.ISA.index()], context));
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  private static String text(MemorySegment chars) {
    return chars.address() == 0 ? "" : chars.reinterpret(Long.MAX_VALUE).getString(0);
  }

  /** A tensor's memory, NULL for null. */
  static MemorySegment p(Tensor t) {
    if (t == null) return NULL;
    if (t.data().isNative()) return t.data();
    throw new IllegalArgumentException(
        t + " lies in the Java heap; kernels need memory from Memory.allocate");
  }

  /** Ends the context; the library itself stays loaded. */
  @Override
  public void close() {
    if (context == null) return;
    call(Abi.DESTROY, (f, c) -> (int) Abi.DESTROY.handle().invokeExact(f, c));
    context = null;
  }
}
