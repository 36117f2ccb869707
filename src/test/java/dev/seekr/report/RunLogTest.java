package dev.seekr.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.seekr.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class RunLogTest {
  private record Cell(int task, double score) {}

  private static final InstantSource CLOCK =
      InstantSource.fixed(Instant.parse("2026-01-02T03:04:05.678Z"));

  @TempDir Path folder;

  @Test
  void eachEventIsALineThatCanBeReadAtOnce() throws IOException {
    Path file = folder.resolve("run.jsonl");
    try (var log = new RunLog(file, CLOCK)) {
      var fields = new LinkedHashMap<String, Object>();
      fields.put("loss", 0.1);
      fields.put("bad", List.of(Double.NaN, Double.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY));
      fields.put("text", "a\n\"é\"");
      fields.put("none", null);
      fields.put("cell", new Cell(2, 1e-300));
      log.event("step", fields);
      assertThat(file)
          .content()
          .isEqualTo(
              """
              {"event":"step","time":"2026-01-02T03:04:05.678Z","loss":0.1,"bad":["NaN","Infinity","-Infinity"],\
              "text":"a\\n\\"é\\"","none":null,"cell":{"task":2,"score":1.0E-300}}
              """);
    }
    try (var log = new RunLog(file, CLOCK)) {
      log.event("end", Map.of());
    }
    assertThat(Files.readAllLines(file)).hasSize(2).last().asString().contains("\"event\":\"end\"");
  }

  @Test
  void aFieldMayNotHideTheEventsOwn() {
    try (var log = new RunLog(folder.resolve("run.jsonl"))) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> log.event("a", Map.of("time", 1)))
          .withMessageContaining("time");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> log.event("a", Map.of("x", new Object())));
    }
    assertThat(folder.resolve("run.jsonl")).isEmptyFile();
  }

  @Test
  void aMissingFolderIsAnIoFailure() {
    Path file = folder.resolve("none/run.jsonl");
    var failure = catchThrowableOfType(Failure.class, () -> new RunLog(file));
    assertThat(failure.exit.code).isEqualTo(73);
    assertThat(failure).hasMessage(file + ": cannot be opened: no such file or folder");
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void aFullDiskIsAnIoFailure() {
    var failure =
        catchThrowableOfType(
            Failure.class, () -> new RunLog(Path.of("/dev/full")).event("step", Map.of("loss", 1)));
    assertThat(failure.exit.code).isEqualTo(74);
    assertThat(failure)
        .hasMessageStartingWith("/dev/full: cannot be written: ")
        .hasMessageContaining("No space left");
  }

  @Test
  void linesAfterACheckpointAreTakenAway() throws IOException {
    Path file = folder.resolve("run.jsonl");
    try (var log = new RunLog(file, CLOCK)) {
      log.event("a", Map.of());
      long bytes = log.force();
      assertThat(bytes).isEqualTo(Files.size(file)).isPositive();
      log.event("b", Map.of());
      log.cut(bytes);
      log.event("c", Map.of());
      var failure = catchThrowableOfType(Failure.class, () -> log.cut(1000));
      assertThat(failure.exit.code).isEqualTo(65);
      assertThat(failure).hasMessageContaining("of 1000 when the run was saved");
    }
    assertThat(RunLog.read(file))
        .extracting(e -> e.path("event").asText())
        .containsExactly("a", "c");
  }

  /** A last line without its end was never written whole; any other that is no event is damage. */
  @Test
  void tornTailsAreLeftOut() throws IOException {
    Path file =
        Files.writeString(folder.resolve("run.jsonl"), "{\"event\":\"a\"}\n{\"event\":\"b\"}");
    assertThat(RunLog.read(file)).hasSize(1);
    Files.writeString(file, "");
    assertThat(RunLog.read(file)).isEmpty();
    for (String bad : new String[] {"{\"event\":\"a\"}\n{\"ev\n", "{}\n{}\n", "[]\n{}\n"}) {
      Files.writeString(file, bad);
      var failure = catchThrowableOfType(Failure.class, () -> RunLog.read(file));
      assertThat(failure.exit.code).isEqualTo(65);
      assertThat(failure).hasMessageContaining("run.jsonl:" + (bad.startsWith("{\"") ? 2 : 1));
    }
  }
}
