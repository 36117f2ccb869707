package dev.seekr.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.seekr.Failure;
import dev.seekr.disk.Appender;
import dev.seekr.disk.Reading;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The record of a run as JSON lines: one object an event, written through before {@link #event}
 * returns, so that what happened can be read while it happens and after a crash. Numbers that JSON
 * lacks are the texts "NaN", "Infinity" and "-Infinity".
 */
public final class RunLog implements AutoCloseable {
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private final InstantSource clock;
  private final Appender file;

  /** Opens {@code file} and appends to what it holds. */
  public RunLog(Path file) {
    this(file, InstantSource.system());
  }

  RunLog(Path file, InstantSource clock) {
    this.clock = clock;
    this.file = new Appender(file);
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
      file.line(JSON.writeValueAsString(line));
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("event '%s' cannot be written as JSON".formatted(type), e);
    }
  }

  /** Waits until the lines are on the disk; returns how many bytes they are. */
  public synchronized long force() {
    return file.force();
  }

  /**
   * Takes away all lines after the first {@code bytes}. Throws Failure (65) when there are fewer.
   */
  public synchronized void cut(long bytes) {
    file.cut(bytes);
  }

  /** Waits until the lines are on the disk. */
  @Override
  public synchronized void close() {
    file.close();
  }

  /**
   * The whole events of a log. A last line without its end is left out: its writer was stopped in
   * the middle of it.
   *
   * @throws Failure input (66) when there is no such file, data (65) naming the line that is no
   *     event
   */
  public static List<JsonNode> read(Path file) {
    if (!Files.exists(file))
      throw Failure.input("%s: no such file; expected the log of a run", file);
    String text = Reading.lines(file);
    var events = new ArrayList<JsonNode>();
    int number = 0;
    for (int from = 0, end; (end = text.indexOf('\n', from)) >= 0; from = end + 1) {
      number++;
      try {
        JsonNode event = JSON.readTree(text.substring(from, end));
        if (!event.path("event").isTextual()) throw notAnEvent(file, number);
        events.add(event);
      } catch (JsonProcessingException e) {
        throw notAnEvent(file, number);
      }
    }
    return events;
  }

  private static Failure notAnEvent(Path file, int line) {
    return Failure.data("%s:%d: expected an event in JSON", file, line);
  }

  /** The last event of a kind. */
  public static Optional<JsonNode> last(List<JsonNode> events, String kind) {
    return events.stream()
        .filter(e -> e.path("event").textValue().equals(kind))
        .reduce((first, second) -> second);
  }
}
