package dev.seekr.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.seekr.Failure;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Times, as people and batch systems write them; other types are ConfigReaderTest's. */
class ValuesTest {
  private static RunConfig parse(String time) {
    return ConfigReader.parse("", "test", List.of("run.stop_grace=" + time));
  }

  @ParameterizedTest
  @CsvSource({
    "45, 45000",
    "45s, 45000",
    "0, 0",
    "0.5, 500",
    "1.25s, 1250",
    "0.001, 1",
    "90m, 5400000",
    "2h30m, 9000000",
    "1d2h3m4.5s, 93784500",
    "3d, 259200000",
    "1h30, 3630000",
    "12:00:00, 43200000",
    "1-12:00:00, 129600000",
    "100:00:01, 360001000",
    "007, 7000",
    "999999d, 86399913600000",
    "999999-999999:59:59, 89999913599000"
  })
  void times(String text, long millis) {
    var expected = Duration.ofMillis(millis);
    assertThat(parse(text).run().stopGrace()).isEqualTo(expected);
    assertThat(parse('"' + text + '"').run().stopGrace()).isEqualTo(expected);
  }

  /** What is written of a time is read again as the same. */
  @ParameterizedTest
  @ValueSource(
      strings = {"0", "0.001", "20s", "2h30m", "115d", "116d", "2000d", "999999-999999:59:59"})
  void timesAreWrittenSoThatTheyCanBeRead(String text) {
    var config = parse(text);
    String written = ConfigWriter.write(config);
    assertThat(ConfigReader.parse(written, "again", List.of())).isEqualTo(config);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-5",
        "-1h",
        "+5",
        "1.5h",
        "1h 30m",
        "30m1h",
        "1m1m",
        "5x",
        "s",
        "h",
        "1,5",
        "1e3",
        "0x10",
        "1_000",
        "10:00",
        "1:2:3",
        "1-2:3:4",
        "-1-12:00:00",
        "1-12:00",
        "1.0001",
        "1.",
        ".5",
        "PT5M",
        "never",
        "1000000d",
        "1000000000000",
        "true",
        ".inf",
        ".nan",
        "2026-01-01",
        "٣s",
        "5 s"
      })
  void noTimes(String text) {
    var failure = catchThrowableOfType(Failure.class, () -> parse(text));
    assertThat(failure).as(text).isNotNull();
    assertThat(failure.exit.code).isEqualTo(78);
    assertThat(failure)
        .hasMessage(
            "override 'run.stop_grace=%s': 'run.stop_grace' must be a time, such as 45s, 90m, 2h30m or 1-12:00:00, but is '%s'"
                .formatted(text, text));
  }

  @Test
  void otherKinds() {
    for (String[] c : new String[][] {{"[5]", "a list"}, {"{a: 5}", "a section"}, {"\"\"", "''"}}) {
      var failure = catchThrowableOfType(Failure.class, () -> parse(c[0]));
      assertThat(failure.getMessage()).endsWith("1-12:00:00, but is " + c[1]);
    }
    var limit = ConfigReader.parse("", "test", List.of("run.time_limit=null")).run().timeLimit();
    assertThat(limit).as("none").isNull();
    var failure =
        catchThrowableOfType(
            Failure.class, () -> ConfigReader.parse("", "test", List.of("run.stop_grace=null")));
    assertThat(failure).hasMessageEndingWith("but is empty");
  }
}
