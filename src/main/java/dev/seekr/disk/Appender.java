package dev.seekr.disk;

import static java.nio.file.StandardOpenOption.APPEND;
import static java.nio.file.StandardOpenOption.CREATE;

import dev.seekr.Failure;
import dev.seekr.Failure.Exit;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** A file that lines or records are added to, each with the operating system before the next. */
public final class Appender implements AutoCloseable {
  private final Path file;
  private final FileChannel channel;

  /** Opens a file, or makes it; what it holds stays. Throws Failure (73) where it cannot. */
  public Appender(Path file) {
    this.file = file;
    try {
      channel = Disk.open(file, CREATE, APPEND);
    } catch (IOException e) {
      throw new Failure(Exit.CREATE, file + ": cannot be opened: " + Reading.reason(e), e);
    }
  }

  /** Adds a line; none of it where it cannot be added whole. */
  public void line(String text) {
    add(StandardCharsets.UTF_8.encode(text + "\n"));
  }

  /** Adds bytes; none of them where they cannot be added whole. */
  public void add(byte[] bytes) {
    add(ByteBuffer.wrap(bytes));
  }

  private void add(ByteBuffer bytes) {
    try {
      Attempt.mayWrite(file);
      long before = channel.size();
      try {
        new Disk.Full(file, channel).write(bytes);
      } catch (IOException e) {
        channel.truncate(before);
        throw e;
      }
    } catch (IOException e) {
      throw failed("written", e);
    }
  }

  /** Waits until all is on the disk; returns how many bytes the file has. */
  public long force() {
    try {
      Disk.force(file, channel);
      return channel.size();
    } catch (IOException e) {
      throw failed("written", e);
    }
  }

  /**
   * Takes away what was added after the file had so many bytes.
   *
   * @throws Failure (65) when it has fewer: it is not the file that it was
   */
  public void cut(long bytes) {
    try {
      if (channel.size() < bytes)
        throw Failure.data(
            "%s: has %d bytes, of %d when the run was saved; it was cut or replaced since",
            file, channel.size(), bytes);
      Attempt.mayWrite(file);
      channel.truncate(bytes);
    } catch (IOException e) {
      throw failed("cut", e);
    }
  }

  private Failure failed(String how, IOException e) {
    return new Failure(Exit.IO, "%s: cannot be %s: %s".formatted(file, how, Reading.reason(e)), e);
  }

  @Override
  public void close() {
    try (channel) {
      if (channel.isOpen()) Disk.force(file, channel);
    } catch (IOException e) {
      throw failed("closed", e);
    }
  }
}
