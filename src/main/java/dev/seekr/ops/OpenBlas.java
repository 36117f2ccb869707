package dev.seekr.ops;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.seekr.Failure;
import dev.seekr.Failure.Exit;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Path;

/**
 * OpenBLAS as Maven ships it (org.bytedeco:openblas), held to one thread: the kernels bring their
 * own.
 */
public final class OpenBlas implements Gemm {
  private static final String FOLDER = "org/bytedeco/openblas/linux-x86_64";

  /**
   * In the order of their dependencies: libgfortran does not look beside itself for libquadmath.
   */
  private static final String[] FILES = {
    "libgcc_s.so.1", "libquadmath.so.0", "libgfortran.so.5", "libopenblas.so.0"
  };

  private final MemorySegment sgemm;
  private final String description;

  private OpenBlas(MemorySegment sgemm, String description) {
    this.sgemm = sgemm;
    this.description = description;
  }

  /** Unpacks and loads the library; loading it again gives the same one. */
  public static synchronized OpenBlas load() {
    Path folder = NativeLibrary.unpack(FOLDER, FILES).getParent();
    try (var arena = Arena.ofConfined()) {
      SymbolLookup library = withOneThread(arena, folder);
      var setThreads =
          call(library, "openblas_set_num_threads", FunctionDescriptor.ofVoid(JAVA_INT));
      setThreads.invokeExact(1);
      var config = call(library, "openblas_get_config", FunctionDescriptor.of(ADDRESS));
      String version =
          ((MemorySegment) config.invokeExact()).reinterpret(Long.MAX_VALUE).getString(0);
      return new OpenBlas(library.findOrThrow("cblas_sgemm"), version.strip());
    } catch (Failure e) {
      throw e;
    } catch (Throwable e) {
      throw new Failure(
          Exit.BACKEND, "OpenBLAS in " + folder + " cannot be used: " + e.getMessage(), e);
    }
  }

  /**
   * OpenBLAS starts its worker threads while it is being loaded, and keeps them. Only its
   * environment can stop it, so the variable is set for that moment, in the C library's environment
   * (Java's own copy is read-only).
   */
  private static SymbolLookup withOneThread(Arena arena, Path folder) throws Throwable {
    var libc = Linker.nativeLinker().defaultLookup();
    var setenv = call(libc, "setenv", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, JAVA_INT));
    var unsetenv = call(libc, "unsetenv", FunctionDescriptor.of(JAVA_INT, ADDRESS));
    String variable = "OPENBLAS_NUM_THREADS";
    String before = System.getenv(variable);
    var name = arena.allocateFrom(variable);
    int status = (int) setenv.invokeExact(name, arena.allocateFrom("1"), 1);
    try {
      SymbolLookup library = null;
      for (String file : FILES) library = NativeLibrary.load(folder.resolve(file));
      return library;
    } finally {
      if (before == null) status = (int) unsetenv.invokeExact(name);
      else status = (int) setenv.invokeExact(name, arena.allocateFrom(before), 1);
      assert status == 0;
    }
  }

  private static java.lang.invoke.MethodHandle call(
      SymbolLookup library, String name, FunctionDescriptor type) {
    return Linker.nativeLinker().downcallHandle(library.findOrThrow(name), type);
  }

  @Override
  public MemorySegment sgemm() {
    return sgemm;
  }

  @Override
  public String description() {
    return description;
  }
}
