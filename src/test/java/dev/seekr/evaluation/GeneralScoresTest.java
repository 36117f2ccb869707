package dev.seekr.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.seekr.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GeneralScoresTest {
  @TempDir Path folder;

  /** Two tasks; of three benchmarks the last is missing. */
  private static ScoreMatrix matrix() {
    var matrix = new ScoreMatrix(List.of("a", "b"), List.of("mmlu", "piqa", "tydiqa"));
    matrix.set(0, 0, 50);
    matrix.general().set(0, "mmlu", 30);
    matrix.general().set(0, "piqa", 70);
    matrix.general().set(2, "mmlu", 24);
    matrix.general().set(2, "piqa", 71);
    return matrix;
  }

  @Test
  void means() {
    var general = matrix().general();
    assertThat(general.ga(0).getAsDouble()).isEqualTo(50);
    assertThat(general.ga(1)).isEmpty();
    assertThat(general.ga(2).getAsDouble()).isEqualTo(47.5);
    assertThat(general.delta(0)).isEmpty();
    assertThat(general.delta(1)).isEmpty();
    assertThat(general.delta(2).getAsDouble()).isCloseTo(-2.5, within(1e-12));
    assertThat(general.last()).isEqualTo(2);
  }

  @Test
  void whatCannotBeComparedIsBlank() {
    var general = new GeneralScores(List.of("mmlu", "piqa"), 1);
    assertThat(general.ga(0)).isEmpty();
    assertThat(general.last()).isZero();
    general.set(0, "mmlu", 10);
    general.set(1, "mmlu", 10);
    general.set(1, "piqa", 90);
    assertThat(general.ga(1).getAsDouble()).isEqualTo(50);
    assertThat(general.delta(1)).isEmpty();
    assertThatThrownBy(() -> general.set(1, "mmlu", Double.NaN))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> general.set(1, "bbh", 1)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void files() throws IOException {
    assertThat(ScoreFiles.csv(matrix()))
        .isEqualTo(
            """
            after,a,b,mmlu,piqa,tydiqa,GA,DeltaGA
            ,,,30.0,70.0,,50.0,
            a,50.0,,,,,,
            b,,,24.0,71.0,,47.5,-2.5
            """
                .replace("\n", "\r\n"));
    Path file = folder.resolve("scores.json");
    String json = ScoreFiles.json(matrix());
    Files.writeString(file, json);
    assertThat(json.replaceAll("\\s", ""))
        .contains("\"ga\":[50.0,null,47.5],\"delta_ga\":[null,null,-2.5]");
    assertThat(ScoreFiles.json(ScoreFiles.loadJson(file))).isEqualTo(json);
    refused(file, json.replace("\"piqa\"", "\"mmlu\""), "'general.sets' must be a list of names");
    refused(file, json.replace("30.0, 70.0", "30.0"), "'general.scores' must have 3 rows of 3");
  }

  private static void refused(Path file, String json, String message) throws IOException {
    Files.writeString(file, json);
    assertThatThrownBy(() -> ScoreFiles.loadJson(file))
        .isInstanceOf(Failure.class)
        .hasMessageContaining(message);
  }

  @Test
  void withoutBenchmarksFilesAreAsTheyWere() {
    var matrix = new ScoreMatrix(List.of("a"));
    assertThat(ScoreFiles.json(matrix)).doesNotContain("general");
    assertThat(ScoreFiles.csv(matrix)).isEqualTo("after,a\r\na,\r\n");
  }
}
