package dev.seekr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class ComparisonTest {
  @Test
  void latexOfNumbersBelowZero() {
    var seqft =
        new Comparison.Row(
            "seqft",
            2,
            new Comparison.Spread(15.0, 1.09),
            new Comparison.Spread(-34.96, 1.79),
            new Comparison.Spread(-26.22, null),
            1,
            2 << 20,
            0);
    assertThat(new Comparison(List.of(seqft)).latex())
        .contains(
            "seqft & $2$ & $15.00 \\pm 1.09$ & $-34.96 \\pm 1.79$ & $-26.22$ & $1.0$ & $2$ & $0.00$ \\\\\n")
        .contains("BWT ($T-1$)");
  }
}
