package dev.seekr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Output that is lost is not a success, whatever the command. */
class StdoutTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "info",
        "info --config",
        "--help",
        "--version",
        "plan model.path=examples/nano",
        "generate examples/nano Hi --max-new-tokens 1"
      })
  void aFullDevice(String line) throws IOException {
    var err = new ByteArrayOutputStream();
    PrintStream oldOut = System.out, oldErr = System.err;
    try (var full = new FileOutputStream("/dev/full")) {
      System.setOut(new PrintStream(full, false, StandardCharsets.UTF_8));
      System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
      assertThat(Main.run(line.split(" "))).isEqualTo(74);
    } finally {
      System.setOut(oldOut);
      System.setErr(oldErr);
    }
    assertThat(err.toString(StandardCharsets.UTF_8))
        .isEqualTo("seekr: stdout: the output could not be written; it is closed, or full\n");
  }
}
