package dev.seekr.disk;

import dev.seekr.Failure;
import dev.seekr.Failure.Exit;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.CopyOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * All writing, renaming and deleting of files. What it makes is there whole or not at all, also
 * after a crash or a full disk, and for its owner's eyes alone (folders 0700, files 0600) unless it
 * is {@linkplain #publish published}. Whatever goes wrong is one {@link Failure} that names the
 * file: 73 where something cannot be made, 74 where writing it fails.
 */
public final class Disk {
  /** What Disk does to a path; {@link Faults} may forbid it. */
  enum Op {
    OPEN,
    WRITE,
    FORCE,
    RENAME,
    MAKE,
    DELETE,
    READ
  }

  /** Makes operations fail, in tests. */
  interface Faults {
    /** Throws, or says how many of the {@code bytes} to be written may be. */
    int before(Op op, Path path, int bytes) throws IOException;
  }

  static volatile Faults faults = (op, path, bytes) -> bytes;

  /** Comes before everything that changes what is on disk. */
  private static void begin(Op op, Path path) throws IOException {
    if (!path.endsWith("attempt.json") && !path.endsWith(".attempt.json.part"))
      Attempt.mayWrite(path);
    faults.before(op, path, 0);
  }

  /** Names of what is not finished yet, or no longer; {@link #sweep} deletes it. */
  private static final String PART = ".part", DELETED = ".deleted";

  private static final Set<PosixFilePermission> FILE = PosixFilePermissions.fromString("rw-------");
  private static final Set<PosixFilePermission> FOLDER =
      PosixFilePermissions.fromString("rwx------");

  private Disk() {}

  /** What a file shall hold. */
  public interface Content {
    /** {@code out} takes all bytes of a buffer in one call. */
    void writeTo(WritableByteChannel out) throws IOException;

    /** UTF-8. */
    static Content of(String text) {
      return out -> out.write(StandardCharsets.UTF_8.encode(text));
    }

    static Content of(byte[] bytes) {
      return out -> out.write(ByteBuffer.wrap(bytes));
    }

    /** All of it. */
    default byte[] bytes() {
      var bytes = new ByteArrayOutputStream();
      try {
        writeTo(Channels.newChannel(bytes));
      } catch (IOException e) {
        throw new IllegalStateException("it is written to memory", e);
      }
      return bytes.toByteArray();
    }
  }

  /** Writes a file, in place of the one that is there. */
  public static void write(Path file, String text) {
    write(file, Content.of(text));
  }

  /** Writes a file, in place of the one that is there, by way of another one beside it. */
  public static Fingerprint write(Path file, Content content) {
    return replace(file, content, PosixFilePermissions.asFileAttribute(FILE));
  }

  /** As {@link #write}, for results that others may read. */
  public static void publish(Path file, String text) {
    replace(file, Content.of(text));
  }

  private static Fingerprint replace(Path file, Content content, FileAttribute<?>... permissions) {
    Path part = hidden(file, PART);
    delete(part); // of a writer that was killed
    try {
      var written = create(part, content, true, permissions);
      try {
        move(part, file, StandardCopyOption.REPLACE_EXISTING);
        force(folderOf(file));
      } catch (IOException e) {
        throw failed(Exit.IO, file, "cannot be written", e);
      }
      return written;
    } catch (RuntimeException | Error e) {
      deleteQuietly(part);
      throw e;
    }
  }

  /** Writes a new file of a {@link #tree} that is not there yet: whole only when that is. */
  public static Fingerprint put(Path file, Content content) {
    return create(file, content, false, PosixFilePermissions.asFileAttribute(FILE));
  }

  private static Fingerprint create(
      Path file, Content content, boolean force, FileAttribute<?>... permissions) {
    var options = Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    FileChannel channel;
    try {
      begin(Op.OPEN, file);
      channel = FileChannel.open(file, options, permissions);
    } catch (IOException e) {
      throw failed(Exit.CREATE, file, "cannot be made", e);
    }
    try (channel) {
      var out = new Fingerprint.Channel(new Full(file, channel));
      content.writeTo(out);
      if (force) force(file, channel);
      return out.fingerprint();
    } catch (IOException e) {
      throw failed(Exit.IO, file, "cannot be written", e);
    }
  }

  /** Writes all of a buffer. */
  record Full(Path file, FileChannel to) implements WritableByteChannel {
    @Override
    public int write(ByteBuffer bytes) throws IOException {
      int n = bytes.remaining();
      int allowed = faults.before(Op.WRITE, file, n);
      if (allowed < n) bytes.limit(bytes.position() + allowed);
      while (bytes.hasRemaining()) to.write(bytes);
      if (allowed < n) throw new IOException("No space left on device");
      return n;
    }

    @Override
    public boolean isOpen() {
      return to.isOpen();
    }

    @Override
    public void close() throws IOException {
      to.close();
    }
  }

  /**
   * Makes a folder of files, in place of the one that is there: {@code fill} is given an empty one
   * and {@linkplain #put puts} them into it.
   */
  public static void tree(Path folder, Consumer<Path> fill) {
    Path part = hidden(folder, PART);
    delete(part);
    makeFolder(part);
    try {
      fill.accept(part);
      try {
        for (Path path : inside(part)) force(path);
        if (Files.exists(folder)) delete(folder);
        move(part, folder);
        force(folderOf(folder));
      } catch (IOException e) {
        throw failed(Exit.IO, folder, "cannot be written", e);
      }
    } catch (RuntimeException | Error e) {
      deleteQuietly(part);
      throw e;
    }
  }

  /** Makes a folder and those above it, where they are not there. */
  public static void makeFolder(Path folder) {
    try {
      if (Files.isDirectory(folder)) return;
      begin(Op.MAKE, folder);
      Files.createDirectories(folder, PosixFilePermissions.asFileAttribute(FOLDER));
      force(folderOf(folder));
    } catch (IOException e) {
      throw failed(Exit.CREATE, folder, "the folder cannot be made", e);
    }
  }

  /** Renames a file or folder to a path where nothing is. */
  public static void rename(Path from, Path to) {
    try {
      move(from, to);
      force(folderOf(to));
    } catch (IOException e) {
      throw failed(Exit.IO, from, "cannot be renamed to " + to.getFileName(), e);
    }
  }

  /**
   * Renames what is there to NAME.aside-1, or the first number that is free; returns the new path.
   */
  public static Path aside(Path path) {
    for (int i = 1; ; i++) {
      Path aside = path.resolveSibling(path.getFileName() + ".aside-" + i);
      if (Files.exists(aside)) continue;
      rename(path, aside);
      return aside;
    }
  }

  /**
   * Deletes a file, or a folder with all that is in it; nothing where nothing is. It has another
   * name before anything in it goes, so that nobody takes a part for the whole.
   */
  public static void delete(Path path) {
    if (!Files.exists(path, java.nio.file.LinkOption.NOFOLLOW_LINKS)) return;
    try {
      Path gone = path;
      if (Files.isDirectory(path) && !path.getFileName().toString().endsWith(DELETED)) {
        gone = hidden(path, DELETED);
        if (Files.exists(gone)) remove(gone);
        move(path, gone);
      }
      remove(gone);
    } catch (IOException e) {
      throw failed(Exit.IO, path, "cannot be deleted", e);
    }
  }

  /** Deletes what writers that were killed have left in a folder and below. */
  public static void sweep(Path folder) {
    try {
      for (Path path : inside(folder)) {
        String name = path.getFileName().toString();
        boolean left = name.startsWith(".") && (name.endsWith(PART) || name.endsWith(DELETED));
        if (left && Files.exists(path)) remove(path);
      }
    } catch (IOException e) {
      throw failed(Exit.IO, folder, "cannot be cleaned of unfinished files", e);
    }
  }

  /**
   * The same file under a second name: a link to it where the file system has them, else a copy.
   */
  public static void link(Path existing, Path file) {
    try {
      begin(Op.OPEN, file);
      try {
        Files.createLink(file, existing);
      } catch (UnsupportedOperationException | java.nio.file.FileSystemException e) {
        Files.copy(existing, file, StandardCopyOption.COPY_ATTRIBUTES);
      }
    } catch (IOException e) {
      throw failed(Exit.CREATE, file, "cannot be made", e);
    }
  }

  /** A file that is written to piece by piece, and not a new one each time. */
  static FileChannel open(Path file, StandardOpenOption... how) throws IOException {
    begin(Op.OPEN, file);
    return FileChannel.open(file, Set.of(how), PosixFilePermissions.asFileAttribute(FILE));
  }

  static void force(Path file, FileChannel channel) throws IOException {
    faults.before(Op.FORCE, file, 0);
    channel.force(true);
  }

  /** A file, or the names in a folder. */
  private static void force(Path path) throws IOException {
    try (var channel = FileChannel.open(path, StandardOpenOption.READ)) {
      force(path, channel);
    }
  }

  private static void move(Path from, Path to, CopyOption... options) throws IOException {
    begin(Op.RENAME, to);
    var all = new ArrayList<>(List.of(options));
    all.add(StandardCopyOption.ATOMIC_MOVE);
    if (options.length == 0 && Files.exists(to))
      throw new java.nio.file.FileAlreadyExistsException(to.toString());
    Files.move(from, to, all.toArray(CopyOption[]::new));
  }

  private static void remove(Path tree) throws IOException {
    for (Path path : inside(tree)) {
      begin(Op.DELETE, path);
      Files.deleteIfExists(path);
    }
  }

  /** A path and all below it, what is in a folder before the folder. */
  private static List<Path> inside(Path tree) throws IOException {
    try (var all = Files.walk(tree)) {
      return all.sorted(java.util.Comparator.reverseOrder()).toList();
    } catch (java.io.UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private static void deleteQuietly(Path path) {
    try {
      if (Files.exists(path)) remove(path);
    } catch (IOException e) {
      // What went wrong before this is what the user needs to hear; sweep() deletes it later.
    }
  }

  private static Path hidden(Path path, String ending) {
    Path absolute = path.toAbsolutePath();
    return absolute.resolveSibling("." + absolute.getFileName() + ending);
  }

  private static Path folderOf(Path path) {
    return path.toAbsolutePath().getParent();
  }

  private static Failure failed(Exit exit, Path path, String what, IOException e) {
    return new Failure(exit, "%s: %s: %s".formatted(path, what, Reading.reason(e)), e);
  }
}
