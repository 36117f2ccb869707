package dev.seekr.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.seekr.Failure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The record of a run as JSON lines: one object an event, written through before {@link #event}
 * returns, so that what happened can be read while it happens and after a crash. Numbers that JSON
 * lacks are the texts "NaN", "Infinity" and "-Infinity".
 */
public final class RunLog implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path file;
  private final InstantSource clock;
  private final FileChannel channel;

  /** Opens {@code file} and appends to what it holds. */
  public RunLog(Path file) {
    this(file, InstantSource.system());
  }

  RunLog(Path file, InstantSource clock) {
    this.file = file;
    this.clock = clock;
    try {
      channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new Failure(Failure.Exit.IO, "%s: cannot be opened: %s".formatted(file, reason(e)), e);
    }
  }

  /** Writes {@code {"event": type, "time": now, fields...}} as one line. */
  public synchronized void event(String type, Map<String, ?> fields) {
    var line = new LinkedHashMap<String, Object>();
    line.put("event", type);
    line.put("time", clock.instant().truncatedTo(ChronoUnit.MILLIS).toString());
    fields.forEach(
        (key, value) -> {
          if (line.putIfAbsent(key, value) != null) {
            throw new IllegalArgumentException("a field may not be called " + key);
          }
        });
    try {
      var bytes =
          ByteBuffer.wrap((JSON.writeValueAsString(line) + "\n").getBytes(StandardCharsets.UTF_8));
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("event '%s' cannot be written as JSON".formatted(type), e);
    } catch (IOException e) {
      throw new Failure(Failure.Exit.IO, "%s: cannot be written: %s".formatted(file, reason(e)), e);
    }
  }

  /** Waits until the lines are on the disk. */
  @Override
  public synchronized void close() {
    try (channel) {
      if (channel.isOpen()) {
        channel.force(true);
      }
    } catch (IOException e) {
      throw new Failure(Failure.Exit.IO, "%s: cannot be closed: %s".formatted(file, reason(e)), e);
    }
  }

  /** Exceptions of the file system often say no more than the file's name. */
  private static String reason(IOException e) {
    return e instanceof java.nio.file.NoSuchFileException
        ? "its folder does not exist"
        : String.valueOf(e.getMessage());
  }
}
