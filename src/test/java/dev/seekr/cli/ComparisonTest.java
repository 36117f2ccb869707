package dev.seekr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class ComparisonTest {
  @Test
  void latexOfNumbersBelowZero() {
    String[] row = {"seqft", "2", "15.00 ± 1.09", "-34.96 ± 1.79", "-26.22", "1.0", "2", "0.00"};
    assertThat(new Comparison(List.<String[]>of(row)).latex())
        .contains(
            "seqft & 2 & 15.00 $\\pm$ 1.09 & $-$34.96 $\\pm$ 1.79 & $-$26.22 & 1.0 & 2 & 0.00 \\\\\n")
        .contains("BWT (T-1)");
  }
}
