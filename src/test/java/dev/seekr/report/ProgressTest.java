package dev.seekr.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProgressTest {
  /**
   * A long interval leaves only the first line, if the thread got to it, and the one at the end.
   */
  private static final int NEVER = 3_600_000;

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  private List<String> run(boolean live, long tokens) {
    var out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    var losses = new LinkedHashMap<String, Double>();
    losses.put("loss", 1.25);
    losses.put("ld", 3e-5);
    try (var progress = new Progress("task 2/8", 3, 0, out, live, NEVER)) {
      for (int i = 0; i < 3; i++) {
        progress.step(tokens, losses);
      }
    }
    return bytes
        .toString(StandardCharsets.UTF_8)
        .lines()
        .filter(line -> !line.contains("step 0/3"))
        .toList();
  }

  @Test
  void plainLinesAwayFromATerminal() {
    List<String> lines = run(false, 7);
    assertThat(lines).isNotEmpty();
    assertThat(lines.getLast())
        .matches(
            "task 2/8  step 3/3  \\d+ tokens/s  loss 1\\.250  ld 3\\.000e-05  elapsed 0:00:\\d\\d  left 0:00:00");
    assertThat(lines).doesNotHaveDuplicates();
    assertThat(bytes.toString(StandardCharsets.UTF_8)).doesNotContain("\r", "\u001b");
  }

  /** What was done before counts as done, and not as time that was taken. */
  @Test
  void aLoopThatGoesOn() {
    var out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    try (var progress = new Progress("task 2/8", 9, 7, out, false, NEVER)) {
      progress.step(0, new LinkedHashMap<>());
    }
    assertThat(bytes.toString(StandardCharsets.UTF_8).lines().toList().getLast())
        .matches("task 2/8  step 8/9 +elapsed 0:00:0\\d  left 0:00:0\\d");
  }

  @Test
  void noRateWithoutTokens() {
    assertThat(run(false, 0).getLast()).contains("ld 3.000e-05  elapsed");
  }

  @Test
  void oneLineRewrittenOnATerminal() {
    run(true, 7);
    assertThat(bytes.toString(StandardCharsets.UTF_8)).contains("\r", "task 2/8 100%");
  }
}
