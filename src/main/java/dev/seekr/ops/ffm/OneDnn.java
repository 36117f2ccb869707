package dev.seekr.ops.ffm;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.seekr.Failure;
import dev.seekr.Failure.Exit;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Path;

/**
 * oneDNN as Maven ships it (org.bytedeco:dnnl), held to one thread: the kernels bring their own.
 */
public final class OneDnn implements Gemm {
  private static final String FOLDER = "org/bytedeco/dnnl/linux-x86_64";

  /** In the order of their dependencies. */
  private static final String[] FILES = {"libgomp.so.1", "libdnnl.so.3"};

  /** Where dnnl_version_t has major, minor and patch. */
  private static final MemoryLayout VERSION = MemoryLayout.sequenceLayout(3, JAVA_INT);

  private final MemorySegment sgemm;
  private final String description;

  private OneDnn(MemorySegment sgemm, String description) {
    this.sgemm = sgemm;
    this.description = description;
  }

  /** Unpacks and loads the library; loading it again gives the same one. */
  public static synchronized OneDnn load() {
    Path folder = NativeLibrary.unpack(FOLDER, FILES).getParent();
    try (var arena = Arena.ofConfined()) {
      SymbolLookup library = withOneThread(arena, folder);
      var version = call(library, "dnnl_version", FunctionDescriptor.of(ADDRESS));
      var numbers =
          ((MemorySegment) version.invokeExact()).reinterpret(VERSION.byteSize()).toArray(JAVA_INT);
      return new OneDnn(
          library.findOrThrow("dnnl_sgemm"),
          "oneDNN %d.%d.%d".formatted(numbers[0], numbers[1], numbers[2]));
    } catch (Failure e) {
      throw e;
    } catch (Throwable e) {
      throw new Failure(
          Exit.BACKEND, "oneDNN in " + folder + " cannot be used: " + e.getMessage(), e);
    }
  }

  /**
   * Its OpenMP library reads how many threads it may start while it is being loaded. Only the
   * environment can tell it, so the variable is set for that moment, in the C library's environment
   * (Java's own copy is read-only).
   */
  private static SymbolLookup withOneThread(Arena arena, Path folder) throws Throwable {
    var libc = Linker.nativeLinker().defaultLookup();
    var setenv = call(libc, "setenv", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, JAVA_INT));
    var unsetenv = call(libc, "unsetenv", FunctionDescriptor.of(JAVA_INT, ADDRESS));
    String variable = "OMP_NUM_THREADS";
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
