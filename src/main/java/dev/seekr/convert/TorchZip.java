package dev.seekr.convert;

import dev.seekr.Failure;
import dev.seekr.disk.Reading;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * The zip that PyTorch writes since 1.6: NAME/data.pkl, NAME/data/0, NAME/data/1 and so on, stored
 * or deflated. Entries are as large as they say, and no larger than deflate can make them.
 */
final class TorchZip {
  /** Bytes that one byte can be deflated from, at most. */
  private static final long DEFLATE = 1032;

  /** Bytes of all entries for each of the file, where weights are deflated, and beside that. */
  private static final long MOST_INFLATED = 16, ALWAYS = 64L << 20;

  private static final String PICKLE = "data.pkl";
  private static final byte[] BEFORE_ZIP = {
    (byte) 0x8a, 0x0a, 0x6c, (byte) 0xfc, (byte) 0x9c, 0x46, (byte) 0xf9, 0x20, 0x6a, (byte) 0xa8
  };
  private static final String SAVE_AGAIN =
      "save it again with PyTorch: torch.save(torch.load(FILE, map_location='cpu',"
          + " weights_only=True), FILE)";

  private final Path file;
  private final ZipFile zip;

  /** With a slash at the end. */
  private final String folder;

  private final long bytes;

  /** The entry that was read last, and how far; null: none. */
  private ZipEntry entry;

  private InputStream stream;
  private long position;

  private TorchZip(Path file, ZipFile zip, String folder, long bytes) {
    this.file = file;
    this.zip = zip;
    this.folder = folder;
    this.bytes = bytes;
  }

  /** Throws Failure: 66 when there is no file to read, 65 when it is no such zip. */
  static TorchZip open(Path file) {
    if (!Files.isRegularFile(file)) throw Failure.input("%s: no such file", file);
    try {
      requireZip(file);
      var zip = new ZipFile(file.toFile());
      try {
        long bytes = Files.size(file);
        return new TorchZip(file, zip, check(file, zip, bytes), bytes);
      } catch (RuntimeException e) {
        zip.close();
        throw e;
      }
    } catch (ZipException | EOFException e) {
      throw Failure.data(
          "%s: expected a whole zip, as PyTorch writes it: %s; the file is damaged or truncated",
          file, e.getMessage());
    } catch (IOException e) {
      throw new Failure(Failure.Exit.INPUT, file + ": cannot be read: " + Reading.reason(e), e);
    }
  }

  /** Says what else it is. */
  private static void requireZip(Path file) throws IOException {
    byte[] head = new byte[262];
    int n;
    try (var channel = Reading.open(file)) {
      n = channel.read(ByteBuffer.wrap(head), 0);
    }
    String text = new String(head, StandardCharsets.ISO_8859_1);
    if (text.startsWith("PK")) return;
    if (text.startsWith("version https://git-lfs"))
      throw Failure.data(
          "%s: this is a Git LFS pointer, not the tensors themselves; fetch them with 'git lfs"
              + " pull'",
          file);
    boolean legacy =
        head[0] == (byte) 0x80
            && ByteBuffer.wrap(head, 2, BEFORE_ZIP.length).equals(ByteBuffer.wrap(BEFORE_ZIP));
    if (legacy || text.startsWith("ustar", 257))
      throw Failure.data(
          "%s: this is the format of PyTorch before 1.6, %s, which is not read; %s",
          file, legacy ? "a bare pickle" : "a tar", SAVE_AGAIN);
    throw Failure.data(
        "%s: expected a zip, as PyTorch writes it, found %s; is this a checkpoint of PyTorch?",
        file, n <= 0 ? "an empty file" : "a file that begins with byte 0x%02x".formatted(head[0]));
  }

  /** The folder in the zip. */
  private static String check(Path file, ZipFile zip, long bytes) throws IOException {
    long inflated = 0;
    String folder = null;
    List<? extends ZipEntry> entries = zip.stream().toList();
    for (ZipEntry entry : entries) {
      long size = entry.getSize(), packed = entry.getCompressedSize();
      boolean stored = entry.getMethod() == ZipEntry.STORED && size == packed;
      boolean deflated =
          entry.getMethod() == ZipEntry.DEFLATED && size / DEFLATE <= packed + DEFLATE;
      if (size < 0 || packed > bytes || !stored && !deflated)
        throw Failure.data(
            "%s: the zip's '%s' cannot be %d bytes, from %d", file, entry.getName(), size, packed);
      inflated += size;
      if (inflated > MOST_INFLATED * bytes + ALWAYS)
        throw Failure.data(
            "%s: the zip would grow to more than %d times its size; it does not hold a model",
            file, MOST_INFLATED);
      String name = entry.getName();
      if (!name.endsWith("/" + PICKLE)) continue;
      if (folder != null) throw Failure.data("%s: the zip holds two of %s", file, PICKLE);
      folder = name.substring(0, name.length() - PICKLE.length());
    }
    if (folder == null)
      throw Failure.data("%s: the zip holds no %s; is it a checkpoint of PyTorch?", file, PICKLE);
    if (zip.getEntry(folder + "constants.pkl") != null)
      throw Failure.data(
          "%s: this is a program (TorchScript), not a checkpoint; %s",
          file, "save the tensors alone: torch.save(model.state_dict(), FILE)");
    ZipEntry order = zip.getEntry(folder + "byteorder");
    if (order != null && !new String(all(zip, order, 16), StandardCharsets.UTF_8).equals("little"))
      throw Failure.data("%s: its numbers are not little-endian; %s", file, SAVE_AGAIN);
    return folder;
  }

  /** At most as many bytes as {@code most} and one. */
  private static byte[] all(ZipFile zip, ZipEntry entry, int most) throws IOException {
    try (var in = zip.getInputStream(entry)) {
      return in.readNBytes(most + 1);
    }
  }

  /** Size of the file. */
  long bytes() {
    return bytes;
  }

  byte[] pickle() {
    try {
      byte[] pickle = all(zip, zip.getEntry(folder + PICKLE), Pickle.LARGEST);
      if (pickle.length <= Pickle.LARGEST) return pickle;
    } catch (IOException e) {
      throw damaged(PICKLE, e);
    }
    throw Failure.data("%s: %s is larger than %d bytes", file, PICKLE, Pickle.LARGEST);
  }

  /** Throws Failure (65) when a storage is not there, or is of another size. */
  void require(TorchGlobals.Storage storage) {
    ZipEntry entry = entry(storage);
    long found = entry == null ? -1 : entry.getSize();
    int size = storage.type().bytes();
    if (entry == null || found % size != 0 || found / size != storage.elements())
      throw Failure.data(
          "%s: expected %d elements of %s in the zip's data/%s, found %s",
          file,
          storage.elements(),
          storage.type().name(),
          storage.key(),
          entry == null ? "nothing" : found + " bytes");
  }

  private ZipEntry entry(TorchGlobals.Storage storage) {
    return zip.getEntry(folder + "data/" + storage.key());
  }

  /** Fills {@code into} with a storage's bytes from one on; going back costs more than going on. */
  void read(TorchGlobals.Storage storage, long from, MemorySegment into) {
    try {
      ZipEntry wanted = entry(storage);
      if (entry == null || !wanted.getName().equals(entry.getName()) || from < position) {
        release();
        stream = zip.getInputStream(wanted);
        entry = wanted;
        position = 0;
      }
      stream.skipNBytes(from - position);
      position = from;
      byte[] buffer = new byte[(int) Math.min(1 << 16, into.byteSize())];
      for (long done = 0; done < into.byteSize(); ) {
        int n = stream.read(buffer, 0, (int) Math.min(buffer.length, into.byteSize() - done));
        if (n < 0) throw new EOFException("it is shorter than it says");
        MemorySegment.copy(MemorySegment.ofArray(buffer), 0, into, done, n);
        done += n;
        position += n;
      }
    } catch (IOException e) {
      release();
      throw damaged("data/" + storage.key(), e);
    }
  }

  private Failure damaged(String what, IOException e) {
    return Failure.data("%s: the zip's %s cannot be read: %s", file, what, Reading.reason(e));
  }

  private void release() {
    try {
      if (stream != null) stream.close();
    } catch (IOException e) {
      // It was only read.
    }
    stream = null;
    entry = null;
  }

  void close() {
    release();
    try {
      zip.close();
    } catch (IOException e) {
      // It was only read.
    }
  }
}
