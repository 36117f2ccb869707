package dev.seekr.ops;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.seekr.Failure;
import dev.seekr.Failure.Exit;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Shared libraries that lie in jars. They are unpacked once into {@code <native dir>/<hash>/}, so
 * that different versions never meet and processes that start together cannot see each other's
 * half-written files.
 *
 * <p>The native dir is property {@code seekr.native.dir}, else {@code SEEKR_NATIVE_DIR} of the
 * environment, else {@code ~/.cache/seekr/native}. Property {@code seekr.library.cpu} names a
 * kernel library to use in place of the one in the jar.
 */
public final class NativeLibrary {
  private static final String CPU = "libseekr_cpu.so";

  private NativeLibrary() {}

  /** The kernel library for CPUs. */
  public static Path cpu() {
    String given = System.getProperty("seekr.library.cpu");
    if (given == null) return unpack("native", CPU);
    Path file = Path.of(given);
    if (Files.isReadable(file)) return file;
    throw new Failure(
        Exit.BACKEND, "seekr.library.cpu: " + file + " cannot be read; build it with: make native");
  }

  /**
   * Opens a library for the rest of the process. A failure says which file or symbol the dynamic
   * linker missed.
   */
  public static SymbolLookup load(Path file) {
    try {
      return SymbolLookup.libraryLookup(file, Arena.global());
    } catch (IllegalArgumentException e) {
      throw new Failure(
          Exit.BACKEND,
          "cannot load "
              + file
              + ": "
              + linkerMessage(file)
              + "; build it again for this machine with: make native",
          e);
    }
  }

  /** Unpacks files of one classpath folder together and returns where the last of them lies. */
  static Path unpack(String resourceFolder, String... names) {
    Map<String, byte[]> contents = new LinkedHashMap<>();
    MessageDigest all = sha256();
    for (String name : names) {
      byte[] bytes = resource(resourceFolder + "/" + name);
      contents.put(name, bytes);
      all.update(bytes);
    }
    Path folder = directory().resolve(HexFormat.of().formatHex(all.digest(), 0, 8));
    try {
      Files.createDirectories(folder);
      for (var file : contents.entrySet()) place(folder.resolve(file.getKey()), file.getValue());
    } catch (IOException e) {
      throw new Failure(
          Exit.BACKEND,
          "cannot unpack native libraries into "
              + folder
              + " ("
              + e
              + "); name a writable folder in SEEKR_NATIVE_DIR",
          e);
    }
    return folder.resolve(names[names.length - 1]);
  }

  /** The folder that libraries are unpacked below. */
  static Path directory() {
    String given = System.getProperty("seekr.native.dir", System.getenv("SEEKR_NATIVE_DIR"));
    if (given != null && !given.isEmpty()) return Path.of(given).toAbsolutePath();
    return Path.of(System.getProperty("user.home"), ".cache", "seekr", "native");
  }

  /**
   * Renaming replaces a whole file at once: who has the old one open keeps it, who opens it next
   * gets the new one.
   */
  private static void place(Path target, byte[] wanted) throws IOException {
    if (Files.exists(target)
        && MessageDigest.isEqual(hash(Files.readAllBytes(target)), hash(wanted))) return;
    Path temporary = Files.createTempFile(target.getParent(), target.getFileName() + ".", ".tmp");
    try {
      Files.write(temporary, wanted);
      if (!MessageDigest.isEqual(hash(Files.readAllBytes(temporary)), hash(wanted))) {
        throw new IOException(temporary + " does not read back as it was written");
      }
      Files.move(
          temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  private static byte[] resource(String path) {
    try (var in = NativeLibrary.class.getResourceAsStream("/" + path)) {
      if (in != null) return in.readAllBytes();
    } catch (IOException e) {
      throw new Failure(Exit.BACKEND, "cannot read " + path + " from the jar: " + e, e);
    }
    throw new Failure(
        Exit.BACKEND,
        path
            + " is not on the class path; build it with: make native (or name one with"
            + " -Dseekr.library.cpu=FILE)");
  }

  /** What dlopen has to say about a library it would not open: Java keeps that to itself. */
  private static String linkerMessage(Path file) {
    var linker = Linker.nativeLinker();
    var libc = linker.defaultLookup();
    try (var arena = Arena.ofConfined()) {
      var dlopen =
          linker.downcallHandle(
              libc.findOrThrow("dlopen"), FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_INT));
      var dlerror =
          linker.downcallHandle(libc.findOrThrow("dlerror"), FunctionDescriptor.of(ADDRESS));
      int lazy = 1;
      var handle = (MemorySegment) dlopen.invokeExact(arena.allocateFrom(file.toString()), lazy);
      if (handle.address() != 0) return "the first attempt failed, the second did not";
      return ((MemorySegment) dlerror.invokeExact()).reinterpret(Long.MAX_VALUE).getString(0);
    } catch (Throwable e) {
      return "no reason given (" + e + ")";
    }
  }

  private static byte[] hash(byte[] bytes) {
    return sha256().digest(bytes);
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
