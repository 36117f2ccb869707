package dev.seekr.disk;

import dev.seekr.Failure;
import dev.seekr.Failure.Exit;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Optional;

/**
 * All reading of files that is not by a stream of a library's own. Nothing is mapped: a file that
 * another process cuts short is then an error of one read, and no fault of memory. Whatever goes
 * wrong is one {@link Failure} that names the file.
 */
public final class Reading {
  private static final int CHUNK = 1 << 22;

  private Reading() {}

  /** All bytes of a file. Throws Failure (66) where it is missing or cannot be read. */
  public static byte[] bytes(Path file) {
    return bytes(file, Exit.INPUT);
  }

  /** The same with another exit status: 74 for files that this very run has written. */
  public static byte[] bytes(Path file, Exit exit) {
    try {
      Disk.faults.before(Disk.Op.READ, file, 0);
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw failed(exit, file, e);
    }
  }

  /**
   * A file of UTF-8 text. Throws Failure: 66 where it cannot be read, 65 where it is no such text.
   */
  public static String text(Path file) {
    return text(file, ByteBuffer.wrap(bytes(file)));
  }

  /** The same without a last line that has no end: its writer was stopped in the middle of it. */
  public static String lines(Path file) {
    byte[] bytes = bytes(file);
    int end = bytes.length;
    while (end > 0 && bytes[end - 1] != '\n') end--;
    return text(file, ByteBuffer.wrap(bytes, 0, end));
  }

  private static String text(Path file, ByteBuffer bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
    } catch (CharacterCodingException e) {
      throw Failure.data("%s: expected UTF-8 text, found bytes that are none", file);
    }
  }

  /** Whether a text can be written: one that has half of a character cannot. */
  public static boolean isWhole(String text) {
    return StandardCharsets.UTF_8.newEncoder().canEncode(text);
  }

  /** Files and folders in a folder, by name, hidden ones left out. Throws Failure (66). */
  public static List<Path> list(Path folder) {
    try (var all = Files.list(folder)) {
      return all.filter(p -> !p.getFileName().toString().startsWith(".")).sorted().toList();
    } catch (IOException e) {
      throw failed(Exit.INPUT, folder, e);
    }
  }

  /**
   * Where a path leads, symbolic links followed as far as there is something: an absolute path,
   * whose last parts may not exist.
   */
  public static Path real(Path path) {
    Path absolute = path.toAbsolutePath().normalize();
    for (Path there = absolute; there != null; there = there.getParent()) {
      try {
        return there.toRealPath().resolve(there.relativize(absolute)).normalize();
      } catch (IOException notThere) {
        // its parent may be
      }
    }
    return absolute;
  }

  /** Bytes of a file, or of all files in a folder and below; 0 where nothing is. */
  public static long size(Path path) {
    if (!Files.exists(path)) return 0;
    try (var all = Files.walk(path)) {
      long sum = 0;
      for (Path p : (Iterable<Path>) all::iterator)
        if (Files.isRegularFile(p)) sum += Files.size(p);
      return sum;
    } catch (IOException | java.io.UncheckedIOException e) {
      var cause = e instanceof java.io.UncheckedIOException u ? u.getCause() : (IOException) e;
      throw failed(Exit.INPUT, path, cause);
    }
  }

  /**
   * When a file was last written and how long it is, by which a change is seen without reading it.
   * Empty where it is gone, and within two seconds of the last change: a second one may then have
   * the same time.
   */
  public static Optional<Stamp> stamp(Path file) {
    try {
      var seen = Files.readAttributes(file, BasicFileAttributes.class);
      var modified = seen.lastModifiedTime();
      boolean settled = modified.toMillis() < System.currentTimeMillis() - 2000;
      return settled ? Optional.of(new Stamp(modified, seen.size())) : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** See {@link #stamp}. */
  public record Stamp(FileTime modified, long size) {}

  /** Bytes that may still be written where {@code path} is, or is to be made. */
  public static long free(Path path) {
    Path there = path.toAbsolutePath();
    while (!Files.exists(there)) there = there.getParent();
    try {
      return Files.getFileStore(there).getUsableSpace();
    } catch (IOException e) {
      throw failed(Exit.IO, there, e);
    }
  }

  /** Of a whole file. Throws Failure (74) where it cannot be read. */
  public static Fingerprint fingerprint(Path file) {
    try (var channel = open(file)) {
      var digest = Fingerprint.digest();
      var buffer = ByteBuffer.allocate(CHUNK);
      long size = 0;
      for (int n; (n = channel.read(buffer)) >= 0; buffer.clear()) {
        digest.update(buffer.flip());
        size += n;
      }
      return new Fingerprint(size, java.util.HexFormat.of().formatHex(digest.digest()));
    } catch (IOException e) {
      throw failed(Exit.IO, file, e);
    }
  }

  /** Opens a file to read from. */
  public static FileChannel open(Path file) throws IOException {
    Disk.faults.before(Disk.Op.READ, file, 0);
    return FileChannel.open(file, StandardOpenOption.READ);
  }

  /**
   * Fills {@code into} from {@code position} of a file on. Throws EOFException where it is shorter.
   */
  public static void fully(FileChannel from, long position, MemorySegment into) throws IOException {
    for (long done = 0, n = into.byteSize(); done < n; ) {
      var part = into.asSlice(done, Math.min(CHUNK, n - done)).asByteBuffer();
      int read = from.read(part, position + done);
      if (read < 0) throw new EOFException("it has become shorter than it was");
      done += read;
    }
  }

  /** What went wrong, in words: exceptions of the file system often say no more than a name. */
  public static String reason(IOException e) {
    return switch (e) {
      case NoSuchFileException _ -> "no such file or folder";
      case AccessDeniedException _ -> "permission denied";
      case FileAlreadyExistsException _ -> "something of that name is there already";
      case FileSystemException f when f.getReason() != null -> f.getReason();
      default -> e.getMessage() == null ? e.toString() : e.getMessage();
    };
  }

  private static Failure failed(Exit exit, Path path, IOException e) {
    return new Failure(exit, "%s: cannot be read: %s".formatted(path, reason(e)), e);
  }
}
