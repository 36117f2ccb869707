package dev.seekr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.Failure;
import dev.seekr.config.ConfigReader;
import dev.seekr.config.RunConfig;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class MainTest {
  private static String report(Throwable fault, boolean debug, int code) {
    var err = new ByteArrayOutputStream();
    var faults = new Faults(() -> debug);
    assertThat(faults.report(fault, new PrintStream(err, true, StandardCharsets.UTF_8)))
        .isEqualTo(code);
    return err.toString(StandardCharsets.UTF_8);
  }

  @Test
  void infoPrintsEverySettingAsReadableYaml() {
    var outcome = CommandLineRun.of("info", "--config");
    assertThat(outcome.code()).isZero();
    assertThat(outcome.err()).isEmpty();
    assertThat(ConfigReader.parse(outcome.out(), "info", List.of())).isEqualTo(RunConfig.DEFAULT);
  }

  @Test
  void infoPrintsWhatTheComputerHas() {
    var outcome = CommandLineRun.of("info");
    assertThat(outcome.code()).isZero();
    assertThat(outcome.out().lines().map(line -> line.split("  +")[0]))
        .containsExactly("seekr", "java", "system", "cpus", "memory", "java heap", "backend");
    assertThat(outcome.out()).contains(Runtime.version().toString());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          --bogus       | Unknown option: '--bogus'
          info --confg  | Unknown option: '--confg'; did you mean '--config'?
          inf           | did you mean 'info'
          info surplus  | Unmatched argument at index 1: 'surplus'
          ``            | Missing command
          """)
  void wrongUse(String line, String message) {
    var outcome = CommandLineRun.of(line.isEmpty() ? new String[0] : line.split(" "));
    assertThat(outcome.code()).isEqualTo(64);
    assertThat(outcome.out()).isEmpty();
    assertThat(outcome.err().lines()).hasSize(2);
    assertThat(outcome.err())
        .startsWith("seekr: ")
        .contains(message)
        .containsPattern("Try 'seekr.* --help'");
  }

  @ParameterizedTest
  @ValueSource(strings = {"--help", "info --help", "info -h", "--version", "-V"})
  void helpAndVersion(String line) {
    var outcome = CommandLineRun.of(line.split(" "));
    assertThat(outcome.code()).isZero();
    assertThat(outcome.out()).isNotEmpty();
    assertThat(outcome.out().lines())
        .allSatisfy(text -> assertThat(text).hasSizeLessThanOrEqualTo(80));
    assertThat(outcome.err()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void failuresKeepTheirStatusAndShowNoTrace(Failure.Exit exit) {
    assertThat(report(new Failure(exit, "first\nsecond"), false, exit.code))
        .isEqualTo("seekr: first\nseekr: second\n");
  }

  @Test
  void otherFaultsAreDefects() {
    assertThat(report(new IllegalStateException("odd"), false, 70))
        .startsWith("seekr: unexpected error: java.lang.IllegalStateException: odd.")
        .contains("report")
        .hasLineCount(1);
    assertThat(report(new OutOfMemoryError("Java heap space"), false, 70))
        .startsWith("seekr: out of memory (Java heap space)")
        .contains("SEEKR_JAVA_OPTS")
        .hasLineCount(1);
    assertThat(report(new IllegalStateException("odd"), true, 70))
        .contains("at dev.seekr.cli.MainTest");
    assertThat(report(Failure.data("bad"), true, 65))
        .contains("seekr: bad\n")
        .contains("at dev.seekr");
  }
}
