package dev.seekr.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ThinLogTest {
  @TempDir Path folder;

  private Path log(String... lines) throws IOException {
    return Files.writeString(folder.resolve("log.jsonl"), String.join("\n", lines) + "\n");
  }

  private static String step(String task, int number) {
    return "{\"event\":\"step\",\"task\":\"%s\",\"step\":%d,\"loss\":1.0E-4}"
        .formatted(task, number);
  }

  /** The last one of each task, and as many before it; all else as it stands there. */
  @Test
  void stepsAreSpreadOverEachTask() throws IOException {
    String run = "{\"event\":\"run\",  \"seed\":1}", end = "{\"event\":\"end\",\"op\":2.50}";
    Path log =
        log(
            run,
            step("a", 1),
            step("a", 2),
            step("a", 3),
            step("a", 4),
            step("a", 5),
            step("b", 1),
            end);
    assertThat(ThinLog.of(log, 2).lines())
        .containsExactly(run, step("a", 3), step("a", 5), step("b", 1), end);
    assertThat(ThinLog.of(log, 1).lines()).containsExactly(run, step("a", 5), step("b", 1), end);
    assertThat(ThinLog.of(log, 0).lines()).containsExactly(run, end);
    assertThat(ThinLog.of(log, 99)).isEqualTo(Files.readString(log));
  }

  @Test
  void firstAndLastTimesStay() throws IOException {
    Path log =
        log(
            "{\"event\":\"run\",\"time\":\"1\"}",
            "{\"event\":\"step\",\"time\":\"2\",\"loss\":1.0E-4,\"seconds\":0.5}",
            "{\"event\":\"end\",\"time\":\"3\",\"memory\":{\"a\":1}}");
    assertThat(ThinLog.of(log, 1).lines())
        .containsExactly(
            "{\"event\":\"run\",\"time\":\"1\"}",
            "{\"event\":\"step\",\"loss\":1.0E-4,\"seconds\":0.5}",
            "{\"event\":\"end\",\"time\":\"3\"}");
  }

  /** A line whose writer was stopped is none of the events, and not copied. */
  @Test
  void aTornLineIsLeftOut() throws IOException {
    Path log = log(step("a", 1), "{\"event\":\"end\"}");
    Files.writeString(log, Files.readString(log) + "{\"event\":\"st");
    assertThat(ThinLog.of(log, 9).lines()).containsExactly(step("a", 1), "{\"event\":\"end\"}");
  }
}
