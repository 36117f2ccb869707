package dev.seekr.ops.ffm;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.seekr.Failure;
import dev.seekr.Failure.Exit;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.net.JarURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;

/**
 * Shared libraries that lie in jars. They are unpacked once into {@code <native
 * dir>/<name>-<checksum>/}, so that different versions never meet and processes that start together
 * cannot see each other's half-written files.
 *
 * <p>The native dir is property {@code seekr.native.dir}, else {@code SEEKR_NATIVE_DIR} of the
 * environment, else {@code ~/.cache/seekr/native}. Properties {@code seekr.library.cpu} and {@code
 * seekr.library.cuda} name kernel libraries to use in place of those in the jar.
 */
public final class NativeLibrary {
  private static final String CPU = "libseekr_cpu.so", CUDA = "libseekr_cuda.so";

  private NativeLibrary() {}

  /** The kernel library for CPUs. */
  public static Path cpu() {
    return library("seekr.library.cpu", CPU);
  }

  /** The kernel library for CUDA devices. */
  public static Path cuda() {
    return library("seekr.library.cuda", CUDA);
  }

  private static Path library(String property, String name) {
    String given = System.getProperty(property);
    if (given == null) return unpack("native", name);
    Path file = Path.of(given);
    if (Files.isReadable(file)) return file;
    throw new Failure(Exit.BACKEND, property + ": " + file + " cannot be read; " + remedy(name));
  }

  /** What to do where a library of that name is missing, or is not the right one. */
  static String remedy(String name) {
    return switch (name) {
      case CUDA -> "build it with: make cuda && make (or name one with -Dseekr.library.cuda=FILE)";
      case CPU -> "build it with: make (or name one with -Dseekr.library.cpu=FILE)";
      default -> "build Seekr again with: make";
    };
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
              + linkerMessage(file.toString())
              + "; "
              + remedy(file.getFileName().toString()),
          e);
    }
  }

  /** A file in a jar, or where classes lie: its bytes are read only when it is unpacked. */
  private record Content(URL url, long size, long crc) {
    /** A jar knows both without reading the file. */
    static Content of(URL url) throws IOException {
      var connection = url.openConnection();
      if (connection instanceof JarURLConnection jar) {
        JarEntry entry = jar.getJarEntry();
        return new Content(url, entry.getSize(), entry.getCrc());
      }
      try (var in = connection.getInputStream()) {
        return of(url, in);
      }
    }

    static Content of(URL url, InputStream in) throws IOException {
      var checked = new CheckedInputStream(in, new CRC32());
      long size = checked.transferTo(OutputStream.nullOutputStream());
      return new Content(url, size, checked.getChecksum().getValue());
    }

    boolean isIn(Path file) throws IOException {
      if (!Files.exists(file) || Files.size(file) != size) return false;
      try (var in = Files.newInputStream(file)) {
        return of(url, in).crc == crc;
      }
    }
  }

  /**
   * Unpacks files of one classpath folder together, where they do not lie unpacked and undamaged
   * already, and returns where the last of them lies. Throws Failure (backend) where that cannot be
   * done.
   */
  public static Path unpack(String resourceFolder, String... names) {
    Map<String, Content> contents = new LinkedHashMap<>();
    var all = new StringBuilder();
    for (String name : names) {
      var content = resource(resourceFolder + "/" + name);
      contents.put(name, content);
      all.append("%s %d %d%n".formatted(name, content.size, content.crc));
    }
    var crc = new CRC32();
    crc.update(all.toString().getBytes(StandardCharsets.UTF_8));
    Path folder = directory().resolve("%s-%08x".formatted(names[names.length - 1], crc.getValue()));
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
  private static void place(Path target, Content wanted) throws IOException {
    if (wanted.isIn(target)) return;
    Path temporary = Files.createTempFile(target.getParent(), target.getFileName() + ".", ".tmp");
    try {
      try (var in = wanted.url.openStream()) {
        Files.copy(in, temporary, StandardCopyOption.REPLACE_EXISTING);
      }
      if (!wanted.isIn(temporary)) {
        throw new IOException(temporary + " does not read back as it was written");
      }
      Files.move(
          temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  private static Content resource(String path) {
    URL url = NativeLibrary.class.getResource("/" + path);
    if (url == null) {
      throw new Failure(
          Exit.BACKEND,
          path + " is not on the class path; " + remedy(path.substring(path.lastIndexOf('/') + 1)));
    }
    try {
      return Content.of(url);
    } catch (IOException e) {
      throw new Failure(Exit.BACKEND, "cannot read " + path + " from the jar: " + e, e);
    }
  }

  /** What dlopen has to say about a library it would not open: Java keeps that to itself. */
  public static String linkerMessage(String file) {
    var linker = Linker.nativeLinker();
    var libc = linker.defaultLookup();
    try (var arena = Arena.ofConfined()) {
      var dlopen =
          linker.downcallHandle(
              libc.findOrThrow("dlopen"), FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_INT));
      var dlerror =
          linker.downcallHandle(libc.findOrThrow("dlerror"), FunctionDescriptor.of(ADDRESS));
      int lazy = 1;
      var handle = (MemorySegment) dlopen.invokeExact(arena.allocateFrom(file), lazy);
      if (handle.address() != 0) return "the first attempt failed, the second did not";
      return ((MemorySegment) dlerror.invokeExact()).reinterpret(Long.MAX_VALUE).getString(0);
    } catch (Throwable e) {
      return "no reason given (" + e + ")";
    }
  }
}
