package dev.seekr.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.seekr.Failure;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ScoreFilesTest {
  @TempDir Path folder;

  @Test
  void jsonKeepsEveryScoreAndEveryBlank() throws Exception {
    Random random = new Random(3);
    List<String> tasks = List.of("C-STANCE", "a \"b\",\n", "任务");
    for (int round = 0; round < 20; round++) {
      ScoreMatrix matrix = new ScoreMatrix(tasks);
      for (int cell = 0; cell < 9; cell++) {
        if (random.nextBoolean()) matrix.set(cell / 3, cell % 3, 100 * random.nextDouble());
      }
      Path file = folder.resolve("scores.json");
      Files.writeString(file, ScoreFiles.json(matrix));
      ScoreMatrix read = ScoreFiles.loadJson(file);
      assertThat(read.tasks()).isEqualTo(tasks);
      for (int cell = 0; cell < 9; cell++) {
        assertThat(read.get(cell / 3, cell % 3)).isEqualTo(matrix.get(cell / 3, cell % 3));
      }
    }
  }

  @Test
  void rowsOfTheFileAreStages() {
    ScoreMatrix matrix = new ScoreMatrix(List.of("a", "b"));
    matrix.set(0, 0, 80);
    matrix.set(0, 1, 60.5);
    matrix.set(1, 1, 0);
    assertThat(ScoreFiles.json(matrix).replaceAll("\\s", ""))
        .isEqualTo("{\"tasks\":[\"a\",\"b\"],\"scores\":[[80.0,null],[60.5,0.0]]}");
    assertThat(ScoreFiles.csv(matrix)).isEqualTo("after,a,b\r\na,80.0,\r\nb,60.5,0.0\r\n");
  }

  /** The row before the first stage; it is there only where the initial model was scored. */
  @Test
  void scoresOfTheInitialModelAreKept() throws Exception {
    ScoreMatrix matrix = new ScoreMatrix(List.of("a", "b"));
    matrix.set(0, 0, 80);
    matrix.setInitial(1, 2.5);
    assertThat(ScoreFiles.json(matrix).replaceAll("\\s", ""))
        .isEqualTo(
            "{\"tasks\":[\"a\",\"b\"],\"scores\":[[80.0,null],[null,null]],\"initial\":[null,2.5]}");
    assertThat(ScoreFiles.csv(matrix)).isEqualTo("after,a,b\r\n,,2.5\r\na,80.0,\r\nb,,\r\n");
    Path file = folder.resolve("scores.json");
    Files.writeString(file, ScoreFiles.json(matrix));
    assertThat(ScoreFiles.loadJson(file).initial(1)).hasValue(2.5);
    assertThat(ScoreFiles.loadJson(file).initial(0)).isEmpty();
    for (String wrong : List.of("[1]", "[1,2,3]", "[1e999,2]")) {
      String text =
          ScoreFiles.json(matrix).replaceAll("\"initial\" : \\[[^]]*]", "\"initial\" : " + wrong);
      Files.writeString(file, text);
      assertThatThrownBy(() -> ScoreFiles.loadJson(file))
          .isInstanceOf(Failure.class)
          .hasMessageContaining("'initial' is ")
          .hasMessageContaining("expected a list of 2 scores or nulls");
    }
  }

  @Test
  void csvQuotesWhatItMust() {
    ScoreMatrix matrix = new ScoreMatrix(List.of("a,b", "say \"hi\"", "two\nlines", "plain é"));
    assertThat(ScoreFiles.csv(matrix))
        .startsWith("after,\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",plain é\r\n\"a,b\",,,,\r\n");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {"tasks": ["a"], "scores": [[1]], "op": 1}    | op
          {"tasks": ["a"], "scores": [[1]]} x           | not a score matrix
          {"tasks": ["a"], "scores": [["1"]]}           | :1: not a score matrix
          {"tasks": ["a"], "scores": [[NaN]]}           | NaN
          {"tasks": ["a"], "scores": [["NaN"]]}         | NaN
          {"tasks": ["a"], "scores": [[1e999]]}         | score 1 of row 1 is Infinity
          {"tasks": ["a"], "scores": [[1, 2]]}          | row 1 of 'scores' is [1.0, 2.0], expected
          {"tasks": ["a", "b"], "scores": [[1, 2]]}     | one row for each of the 2 tasks
          {"tasks": ["a"], "scores": [null]}            | row 1 of 'scores' is null
          {"tasks": ["a"]}                              | one row for each of the 1 tasks
          {"tasks": [], "scores": []}                   | 'tasks' must be a list
          {"tasks": [null], "scores": [[1]]}            | 'tasks' must be a list
          {"scores": [[1]]}                             | 'tasks' must be a list
          null                                          | 'tasks' must be a list
          [1]                                           | not a score matrix
          ``                                            | not a score matrix
          """)
  void refusesWhatIsNoScoreMatrix(String json, String message) throws Exception {
    Path file = Files.writeString(folder.resolve("bad.json"), json);
    assertThatThrownBy(() -> ScoreFiles.loadJson(file))
        .isInstanceOfSatisfying(
            Failure.class, failure -> assertThat(failure.exit).isEqualTo(Failure.Exit.DATA))
        .hasMessageContainingAll("bad.json", message);
  }

  @Test
  void aFileThatIsNotThere() {
    assertThatThrownBy(() -> ScoreFiles.loadJson(folder.resolve("none.json")))
        .isInstanceOfSatisfying(
            Failure.class, failure -> assertThat(failure.exit).isEqualTo(Failure.Exit.INPUT))
        .hasMessageContaining("none.json");
  }
}
