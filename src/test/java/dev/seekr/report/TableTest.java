package dev.seekr.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class TableTest {
  @Test
  void textsToTheLeftNumbersToTheRightMissingBlank() {
    assertThat(
            new Table("task", "n", "score", "note")
                .row("a", 12, 0.5, "x")
                .row("long name", 3, Double.NaN, null)
                .row("c", null, -10.25f)
                .toString())
        .isEqualTo(
            """
            task        n     score  note
            -----------------------------
            a          12    0.5000  x
            long name   3
            c              -10.2500
            """);
  }

  @Test
  void noHeadingWithoutHeaders() {
    assertThat(new Table("", "").row("k", "v").toString()).isEqualTo("k  v\n");
  }

  @Test
  void moreCellsThanColumnsAreRefused() {
    assertThatIllegalArgumentException().isThrownBy(() -> new Table("a").row(1, 2));
  }
}
