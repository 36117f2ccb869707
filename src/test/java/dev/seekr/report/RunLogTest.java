package dev.seekr.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.seekr.Failure;
import dev.seekr.disk.Injection;
import dev.seekr.disk.Injection.Mode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
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

  /** Wherever a writer was stopped, within a character too, the lines before are there. */
  @Test
  void everyTornTail() throws IOException {
    Path file = folder.resolve("run.jsonl");
    String first = "{\"event\":\"a\",\"x\":\"é\"}\n", second = "{\"event\":\"é\\n漢\"}\n";
    byte[] bytes = (first + second).getBytes(StandardCharsets.UTF_8);
    int whole = first.getBytes(StandardCharsets.UTF_8).length;
    for (int n = 0; n <= bytes.length; n++) {
      Files.write(file, Arrays.copyOf(bytes, n));
      int lines = n < whole ? 0 : n < bytes.length ? 1 : 2;
      assertThat(RunLog.read(file)).as("%d bytes", n).hasSize(lines);
    }
    assertThat(RunLog.read(file).getLast().path("event").textValue()).isEqualTo("é\n漢");
  }

  /** A line is one event and nothing else; bytes that are no text are damage of the file. */
  @Test
  void damagedLines() throws IOException {
    Path file = folder.resolve("run.jsonl");
    String good = "{\"event\":\"a\"}\n";
    for (String bad :
        new String[] {
          "{\"event\":\"a\"}{\"event\":\"b\"}",
          "{\"event\":\"a\"} x",
          "",
          "null",
          "{\"event\":5}",
          "{\"event\":\"a\",\"event\":\"end\"}"
        }) {
      Files.writeString(file, good + bad + "\n" + good);
      var failure = catchThrowableOfType(Failure.class, () -> RunLog.read(file));
      assertThat(failure).as(bad).isNotNull();
      assertThat(failure.exit.code).isEqualTo(65);
      assertThat(failure).hasMessage(file + ":2: expected an event in JSON");
    }
    Files.write(file, new byte[] {'{', (byte) 0xff, '}', '\n'});
    var failure = catchThrowableOfType(Failure.class, () -> RunLog.read(file));
    assertThat(failure).hasMessage(file + ": expected UTF-8 text, found bytes that are none");
    assertThat(failure.exit.code).isEqualTo(65);
  }

  @Test
  void missingOrNoFile() {
    Path none = folder.resolve("none.jsonl");
    var failure = catchThrowableOfType(Failure.class, () -> RunLog.read(none));
    assertThat(failure).hasMessage(none + ": no such file; expected the log of a run");
    assertThat(failure.exit.code).isEqualTo(66);
    failure = catchThrowableOfType(Failure.class, () -> RunLog.read(folder));
    assertThat(failure).hasMessage(folder + ": cannot be read: Is a directory");
    assertThat(failure.exit.code).isEqualTo(66);
  }

  /** Events that this program does not know are those of a later one. */
  @Test
  void theLastOfAKind() throws IOException {
    Path file = folder.resolve("run.jsonl");
    try (var log = new RunLog(file, CLOCK)) {
      log.event("step", Map.of("n", 1));
      log.event("of the future", Map.of("n", 2));
      log.event("step", Map.of("n", 3));
    }
    var events = RunLog.read(file);
    assertThat(RunLog.last(events, "step").orElseThrow().path("n").intValue()).isEqualTo(3);
    assertThat(RunLog.last(events, "of the future")).isPresent();
    assertThat(RunLog.last(events, "end")).isEmpty();
    assertThat(RunLog.last(List.of(), "step")).isEmpty();
  }

  /** After a line could not be written whole, the next ones follow the last that was. */
  @Test
  void aFullDiskInTheMiddleOfALine() throws IOException {
    Path file = folder.resolve("run.jsonl");
    try (var log = new RunLog(file, CLOCK)) {
      log.event("a", Map.of());
      try (var _ = new Injection(folder, "WRITE", Mode.SHORT, 1)) {
        var failure = catchThrowableOfType(Failure.class, () -> log.event("b", Map.of()));
        assertThat(failure).hasMessage(file + ": cannot be written: No space left on device");
        assertThat(failure.exit.code).isEqualTo(74);
      }
      log.event("c", Map.of());
    }
    assertThat(RunLog.read(file))
        .extracting(e -> e.path("event").asText())
        .containsExactly("a", "c");
  }
}
