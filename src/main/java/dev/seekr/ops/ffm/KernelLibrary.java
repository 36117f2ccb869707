package dev.seekr.ops.ffm;

import static java.lang.foreign.MemorySegment.NULL;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.seekr.Failure;
import dev.seekr.Failure.Exit;
import dev.seekr.ops.Op;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.EnumMap;

/**
 * One loaded library that implements {@code native/include/seekr.h}, and one context in it. All
 * kernels are of one type, {@code int (sk_context*, const struct*)}; the handles take the
 * function's address first and are constants, which is what makes a call cheap.
 */
public class KernelLibrary implements AutoCloseable {
  private static final MethodHandle CREATE = handle(true, ADDRESS, JAVA_INT, ADDRESS);
  private static final MethodHandle DESTROY = handle(true, ADDRESS);
  private static final MethodHandle LAST_ERROR = handle(false);
  private static final MethodHandle CONFIGURE = handle(true, ADDRESS, JAVA_INT, ADDRESS);
  private static final MethodHandle ISA = handle(false, ADDRESS);
  private static final MethodHandle MULTIPLY_BY = handle(true, ADDRESS, ADDRESS);
  private static final MethodHandle MULTIPLIER = handle(false, ADDRESS);
  private static final MethodHandle KERNEL = handle(true, ADDRESS, ADDRESS);

  private static MethodHandle handle(boolean status, java.lang.foreign.MemoryLayout... parameters) {
    return Linker.nativeLinker()
        .downcallHandle(FunctionDescriptor.of(status ? JAVA_INT : ADDRESS, parameters));
  }

  private final Path path;
  private final SymbolLookup symbols;
  private final int threads;
  private final EnumMap<Op, MemorySegment> kernels = new EnumMap<>(Op.class);
  private final MemorySegment lastError, isa;
  private MemorySegment context = NULL;

  /**
   * {@code threads} 0: the device's own. Throws Failure (69) where the library cannot be loaded, is
   * of another version, or has no such instruction set or number of threads here.
   */
  public KernelLibrary(Path library, int threads, String isa) {
    this.path = library;
    this.threads = threads;
    symbols = NativeLibrary.load(library);
    var create = find("sk_create");
    lastError = find("sk_last_error");
    this.isa = find("sk_isa");
    for (Op op : Op.values()) kernels.put(op, find("sk_" + op));
    try (var arena = Arena.ofConfined()) {
      var result = arena.allocate(ADDRESS);
      var name = arena.allocateFrom(isa);
      check(() -> (int) CREATE.invokeExact(create, result, threads, name));
      context = result.get(ADDRESS, 0);
    } catch (Failure e) {
      // An instruction set or a number of threads that is not to be had here.
      throw new Failure(Exit.BACKEND, e.getMessage(), e);
    }
  }

  private MemorySegment find(String name) {
    return symbols
        .find(name)
        .orElseThrow(
            () ->
                new Failure(
                    Exit.BACKEND,
                    "%s has no %s: it is of another version; %s"
                        .formatted(
                            path, name, NativeLibrary.remedy(path.getFileName().toString()))));
  }

  /**
   * Calls a kernel; {@code arguments} points to the struct that it takes. Throws Failure (70) with
   * the library's own words when the status is not 0.
   */
  public void call(Op op, MemorySegment arguments) {
    var kernel = kernels.get(op);
    var context = open();
    check(() -> (int) KERNEL.invokeExact(kernel, context, arguments));
  }

  /** Which elements and what stream later calls are for, as sk_configure has them. */
  public void configure(int element, MemorySegment stream) {
    var configure = find("sk_configure");
    var context = open();
    check(() -> (int) CONFIGURE.invokeExact(configure, context, element, stream));
  }

  /**
   * Who multiplies bfloat16, as sk_multiply_by has them. Throws Failure (69) where this CPU or
   * {@code isa} has no such products.
   */
  void multiplyBy(String who) {
    var multiplyBy = find("sk_multiply_by");
    var context = open();
    try (var arena = Arena.ofConfined()) {
      var name = arena.allocateFrom(who);
      check(() -> (int) MULTIPLY_BY.invokeExact(multiplyBy, context, name));
    } catch (Failure e) {
      throw new Failure(Exit.BACKEND, e.getMessage(), e);
    }
  }

  /** Who multiplies, as sk_multiplier names it. */
  String multiplier() {
    var multiplier = find("sk_multiplier");
    var context = open();
    return text(invoke(() -> (MemorySegment) MULTIPLIER.invokeExact(multiplier, context)));
  }

  private MemorySegment open() {
    if (context == null) throw new IllegalStateException("closed");
    return context;
  }

  private interface Call {
    int status() throws Throwable;
  }

  private void check(Call call) {
    // The library's message begins with the function's name.
    if (invoke(call::status) != 0)
      throw new Failure(
          Exit.INTERNAL, text(invoke(() -> (MemorySegment) LAST_ERROR.invokeExact(lastError))));
  }

  private interface Invocation<T> {
    T run() throws Throwable;
  }

  private static <T> T invoke(Invocation<T> invocation) {
    try {
      return invocation.run();
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  private static String text(MemorySegment chars) {
    return chars.address() == 0 ? "" : chars.reinterpret(Long.MAX_VALUE).getString(0);
  }

  /** The library and what it runs on. */
  String arithmetic() {
    return path.getFileName() + ": " + isa();
  }

  /** The same, and its threads. */
  String description() {
    String count = threads == 0 ? "" : ", %d thread%s".formatted(threads, threads == 1 ? "" : "s");
    return arithmetic() + count;
  }

  /** The instruction set the context runs on. */
  String isa() {
    var context = open();
    return text(invoke(() -> (MemorySegment) ISA.invokeExact(isa, context)));
  }

  /** Ends the context; the library itself stays loaded. */
  @Override
  public void close() {
    if (context == null) return;
    var destroy = find("sk_destroy");
    check(() -> (int) DESTROY.invokeExact(destroy, context));
    context = null;
  }
}
