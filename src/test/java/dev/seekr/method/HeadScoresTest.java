package dev.seekr.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.seekr.Failure;
import dev.seekr.disk.RunFolder;
import dev.seekr.safetensors.TensorSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is known of heads, on disk. */
class HeadScoresTest {
  @TempDir Path folder;

  private static final double[][] S = {{0.1, 1 / 3.0, 0.5}, {1, 0, 1e-300}};
  private static final double[][] F = {{2, 3, 5}, {7, 11, 13}};
  private static final boolean[][] SELECTED = {{false, true, false}, {true, false, false}};

  private RunFolder write(HeadScores scores) {
    var run = new RunFolder(folder);
    scores.write(run, 4, Map.of("task", "a task"));
    return run;
  }

  @Test
  void theTableHasTheSameDoubles() {
    RunFolder run = write(new HeadScores(S, F, null, SELECTED));
    assertThat(folder.resolve("importance/05.csv"))
        .content()
        .startsWith("layer,head,S,F,I,selected\n0,0,0.1,2.0,,0\n0,1,0.3333333333333333,3.0,,1\n");
    HeadScores read = HeadScores.read(run.importanceCsv(4));
    assertThat(read.s()).isDeepEqualTo(S);
    assertThat(read.f()).isDeepEqualTo(F);
    assertThat(read.i()).isNull();
    assertThat(read.selected()).isDeepEqualTo(SELECTED);
    assertThat(read.L()).isEqualTo(2);
    assertThat(read.NH()).isEqualTo(3);
  }

  @Test
  void tensorsHaveThemToo() {
    RunFolder run = write(new HeadScores(null, F, S, SELECTED));
    try (var source = TensorSource.open(run.importance(4))) {
      assertThat(source.names()).containsExactlyInAnyOrder("F", "I", "selected");
      assertThat(source.metadata()).containsEntry("task", "a task");
      assertThat(source.shape("F")).containsExactly(2, 3);
      assertThat(source.get("F").toDoubles()).containsExactly(2, 3, 5, 7, 11, 13);
      assertThat(source.get("I").toDoubles()).containsExactly(0.1, 1 / 3.0, 0.5, 1, 0, 1e-300);
      assertThat(source.get("selected").toInts()).containsExactly(0, 1, 0, 1, 0, 0);
    }
  }

  @Test
  void changeAloneIsATableToo() {
    HeadScores read = HeadScores.read(write(HeadScores.ofChange(F)).importanceCsv(4));
    assertThat(read.byName()).containsOnlyKeys("F");
    assertThat(read.selected()).isNull();
    assertThat(read.L()).isEqualTo(2);
    assertThat(read.NH()).isEqualTo(3);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          layer,head,S,F,I,selected            | expected layer,head,S,F,I,selected and a line a head
          layer,head,F;0,0,1;1,1,2             | expected every head once
          layer,head,F;0,0,1;0,0,2             | expected every head once
          layer,head,F;0,0,1;0,1,              | x.csv:3: F is null; expected a number in all lines or in none
          layer,head,F;0,0,1;0,1,NaN           | x.csv:3: F is NaN
          layer,head,F;0,0,1;0,1,two           | x.csv:3: expected layer,head,S,F,I,selected
          layer,head,F;0,,1                    | x.csv:2: expected layer and head
          layer,head,F;0,-1,1                  | x.csv:2: expected layer and head
          layer,head,F;0,2147483647,1          | expected every head once
          layer,head,selected;0,0,2            | x.csv:2: selected is 2.0; expected 1 or 0
          layer,head,colour;0,0,2              | expected layer,head,S,F,I,selected
          """)
  void damagedTablesAreRefused(String table, String message) throws IOException {
    Path file = folder.resolve("x.csv");
    Files.writeString(file, table.replace(';', '\n') + "\n");
    var failure = catchThrowableOfType(Failure.class, () -> HeadScores.read(file));
    assertThat(failure).isNotNull().hasMessageContaining(message);
    assertThat(failure.exit).isEqualTo(Failure.Exit.DATA);
    assertThat(failure.getMessage()).doesNotContain("\n");
  }
}
