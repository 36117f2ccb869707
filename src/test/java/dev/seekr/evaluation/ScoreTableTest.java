package dev.seekr.evaluation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ScoreTableTest {
  @Test
  void rowsAreStagesAndBlanksStayBlank() {
    ScoreMatrix matrix = new ScoreMatrix(List.of("C-STANCE", "FOMC", "20Minuten"));
    matrix.set(0, 0, 52.45);
    matrix.set(0, 1, 0);
    matrix.set(1, 1, 100);
    matrix.set(2, 2, 7.04);
    assertThat(ScoreTable.of(matrix, 80))
        .isEqualTo(
            """
            after        C-STANCE      FOMC 20Minuten
            1 C-STANCE       52.5
            2 FOMC            0.0     100.0
            3 20Minuten                           7.0
            """);
  }

  @ParameterizedTest
  @ValueSource(ints = {40, 80, 100, 120})
  void noLineIsWiderThanTheTerminal(int columns) {
    Random random = new Random(columns);
    for (int t = 1; t <= 15; t++) {
      List<String> tasks =
          IntStream.range(0, t)
              .mapToObj(i -> "task" + 7 * i + "_x".repeat(random.nextInt(20)))
              .toList();
      ScoreMatrix matrix = new ScoreMatrix(tasks);
      for (int cell = 0; cell < t * t; cell++) {
        matrix.set(cell / t, cell % t, 100 * random.nextDouble());
      }
      List<String> lines = ScoreTable.of(matrix, columns).lines().toList();
      assertThat(lines).allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(columns));
      long numbers =
          lines.stream()
              .flatMap(line -> Arrays.stream(line.split(" +")))
              .filter(word -> word.matches("\\d+\\.\\d"))
              .count();
      assertThat(numbers).as("every score is shown").isEqualTo((long) t * t);
    }
  }

  /** The twelve SuperNI tasks fit 120 columns side by side and fold at 80. */
  @Test
  void foldsWhatDoesNotFit() {
    ScoreMatrix matrix =
        new ScoreMatrix(IntStream.range(0, 12).mapToObj(i -> "task" + (1000 + i)).toList());
    assertThat(ScoreTable.of(matrix, 120).lines()).hasSize(13);
    List<String> lines = ScoreTable.of(matrix, 80).lines().toList();
    assertThat(lines).hasSize(27);
    assertThat(lines.get(0)).startsWith("after ").endsWith("task1006");
    assertThat(lines.get(13)).isEmpty();
    assertThat(lines.get(14)).startsWith("after ").endsWith("task1011");
    assertThat(lines.get(26)).isEqualTo("12 task1011");
  }

  @Test
  void longNamesAreCutNotLost() {
    ScoreMatrix matrix = new ScoreMatrix(List.of("task363_sst2_polarity_classification"));
    assertThat(ScoreTable.of(matrix, 20).lines())
        .containsExactly("after                      task363_ss~", "1 task363_sst2_polarity_c~");
  }
}
