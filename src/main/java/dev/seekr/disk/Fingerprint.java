package dev.seekr.disk;

import dev.seekr.Failure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** What a file holds, in short: how many bytes, and their SHA-256 in hexadecimal digits. */
public record Fingerprint(long size, String sha256) {

  /** As a file holds it, in fields size and sha256. Throws Failure (65) where these are no such. */
  public static Fingerprint read(Fields fields) {
    long size = fields.longWhole("size");
    if (size < 0) throw fields.wrong("size", "0 or more");
    String sha256 = fields.text("sha256");
    if (!sha256.matches("[0-9a-f]{64}")) throw fields.wrong("sha256", "64 hexadecimal digits");
    return new Fingerprint(size, sha256);
  }

  /** Of some bytes. */
  public static Fingerprint of(ByteBuffer bytes) {
    var digest = digest();
    int size = bytes.remaining();
    digest.update(bytes.duplicate());
    return new Fingerprint(size, HexFormat.of().formatHex(digest.digest()));
  }

  /** Of what a file of this content would hold. */
  public static Fingerprint of(Disk.Content content) {
    var channel = new Channel(null);
    try {
      content.writeTo(channel);
    } catch (IOException e) {
      throw new IllegalStateException("nothing was written", e);
    }
    return channel.fingerprint();
  }

  /**
   * Before a run reads a file of its own again.
   *
   * @throws Failure (74) naming the file when it is missing or not as it was written
   */
  public void require(Path file) {
    if (!Files.exists(file))
      throw new Failure(Failure.Exit.IO, file + ": is gone; the run cannot go on without it");
    if (!Reading.fingerprint(file).equals(this))
      throw new Failure(Failure.Exit.IO, file + ": is not as it was written");
  }

  static MessageDigest digest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  /** Passes bytes on, or nowhere (null), and takes their fingerprint on the way. */
  static final class Channel implements WritableByteChannel {
    private final WritableByteChannel to;
    private final MessageDigest digest = Fingerprint.digest();
    private long size;

    Channel(WritableByteChannel to) {
      this.to = to;
    }

    @Override
    public int write(ByteBuffer bytes) throws IOException {
      digest.update(bytes.duplicate());
      int n = bytes.remaining();
      if (to == null) bytes.position(bytes.limit());
      else to.write(bytes);
      size += n;
      return n;
    }

    Fingerprint fingerprint() {
      return new Fingerprint(size, HexFormat.of().formatHex(digest.digest()));
    }

    @Override
    public boolean isOpen() {
      return to == null || to.isOpen();
    }

    @Override
    public void close() throws IOException {
      if (to != null) to.close();
    }
  }
}
