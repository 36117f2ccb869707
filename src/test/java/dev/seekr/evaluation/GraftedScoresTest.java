package dev.seekr.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.seekr.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GraftedScoresTest {
  @TempDir Path folder;

  /** By hand: task a ends at 20 and has 50 grafted, b ends at 70 and has 60: (30 − 10) / 2. */
  @Test
  void gainIsTheMeanOverEarlierTasks() {
    var matrix = new ScoreMatrix(List.of("a", "b", "c"));
    matrix.set(0, 2, 20);
    matrix.set(1, 2, 70);
    matrix.set(2, 2, 90);
    assertThat(new GraftedScores(Map.of("a", 50.0, "b", 60.0)).gain(matrix)).hasValue(10);
    assertThat(new GraftedScores(Map.of("a", 50.0)).gain(matrix)).isEmpty();
    assertThat(new GraftedScores(Map.of("a", 1.0)).gain(new ScoreMatrix(List.of("a")))).isEmpty();
  }

  @Test
  void whatIsWrittenIsReadAgain() throws IOException {
    Path file = folder.resolve("grafted.json");
    var scores = new GraftedScores(Map.of("task363", 41.700000000000003));
    Files.writeString(file, scores.json());
    assertThat(GraftedScores.read(file)).isEqualTo(scores);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "null",
        "{}",
        "[1]",
        "{\"a\": null}",
        "{\"a\": \"1\"}",
        "{\"a\": -1}",
        "{\"a\": 101}",
        "{\"a\": NaN}",
        "{\"a\": 1",
        "{\"a\": 1, \"a\": 2}"
      })
  void whatIsNoScoresIsRefused(String text) throws IOException {
    Path file = folder.resolve("grafted.json");
    Files.writeString(file, text);
    assertThatThrownBy(() -> GraftedScores.read(file))
        .isInstanceOf(Failure.class)
        .hasMessageStartingWith(file.toString())
        .hasFieldOrPropertyWithValue("exit", Failure.Exit.DATA);
  }
}
