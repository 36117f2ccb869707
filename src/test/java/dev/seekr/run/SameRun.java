package dev.seekr.run;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.seekr.disk.Reading;
import dev.seekr.disk.RunFolder;
import dev.seekr.report.RunLog;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Whether two finished runs have come to the same bits: every file they leave, the last checkpoint
 * with its weights, moments and what the method holds, and the log but for times, memory, and that
 * a run was stopped and went on.
 */
public final class SameRun {
  private static final ObjectMapper JSON = new ObjectMapper();

  private SameRun() {}

  public static void assertSame(Path expected, Path actual) {
    assertThat(files(expected)).isNotEmpty();
    assertThat(differences(files(expected), files(actual))).isEmpty();
    assertThat(log(actual)).isEqualTo(log(expected));
    assertThat(differences(checkpoint(expected), checkpoint(actual))).isEmpty();
  }

  /** Names of what is in one alone, or not the same in both. */
  private static List<String> differences(Map<String, String> a, Map<String, String> b) {
    var names = new TreeSet<>(a.keySet());
    names.addAll(b.keySet());
    names.removeIf(name -> Objects.equals(a.get(name), b.get(name)));
    return List.copyOf(names);
  }

  /** Files by path from the run's folder, each with its SHA-256. */
  private static Map<String, String> files(Path run) {
    try (var all = Files.walk(run)) {
      var files = new TreeMap<String, String>();
      for (Path file : (Iterable<Path>) all.filter(Files::isRegularFile)::iterator) {
        String name = run.relativize(file).toString();
        boolean other =
            name.equals("lock")
                || name.equals("attempt.json")
                || name.equals("log.jsonl")
                || name.equals("config.yaml") // names its own folder
                || name.startsWith("events/") // with times; EventsListenerTest reads them
                || name.startsWith("checkpoints/");
        if (!other) files.put(name, Reading.fingerprint(file).sha256());
      }
      return files;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<String> log(Path run) {
    var lines = new ArrayList<String>();
    for (JsonNode event : RunLog.read(new RunFolder(run).log())) {
      String kind = event.path("event").asText();
      if (kind.equals("stopped") || kind.equals("resumed")) continue;
      ((ObjectNode) event)
          .remove(List.of("time", "seconds", "peak_bytes", "peak_rss_bytes", "memory", "backend"));
      lines.add(event.toString());
    }
    return lines;
  }

  private static Map<String, String> checkpoint(Path run) {
    var content = new TreeMap<String, String>();
    var newest = Checkpoints.newest(new RunFolder(run)).orElseThrow();
    for (Path file : Reading.list(newest.path())) {
      String name = file.getFileName().toString();
      if (name.endsWith(".safetensors")) content.put(name, Reading.fingerprint(file).sha256());
    }
    content.put("state", state(newest.path().resolve("state.json")));
    newest.manifest().references().forEach((path, f) -> content.put(path, f.sha256()));
    return content;
  }

  private static String state(Path file) {
    try {
      var json = (ObjectNode) JSON.readTree(Reading.text(file));
      json.remove(List.of("seconds", "peak_bytes", "LogListener", "EventsListener"));
      return json.toPrettyString();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
