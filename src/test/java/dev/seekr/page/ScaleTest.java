package dev.seekr.page;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ScaleTest {
  private static Scale of(boolean log, boolean count, boolean wide, double... values) {
    return Scale.of(DoubleStream.of(values), log, count, 0, 100, wide);
  }

  @Test
  void ticksAreRound() {
    assertThat(of(false, false, true, 0.3, 9.7).ticks())
        .containsExactly(0.0, 2.0, 4.0, 6.0, 8.0, 10.0);
    assertThat(of(false, true, false, 1, 4).ticks()).containsExactly(1.0, 2.0, 3.0, 4.0);
    assertThat(of(true, false, true, 2e-3, 50).ticks()).hasSize(6).startsWith(1e-3).endsWith(100.0);
  }

  @Test
  void ofNothingAndOfOneValue() {
    assertThat(of(false, false, true).at(0.5)).isEqualTo(50);
    for (double v : new double[] {0, 1e-5, -3, 7}) {
      double at = of(false, false, true, v).at(v);
      assertThat(at).isBetween(0.0, 100.0);
    }
  }

  @Test
  void endsLieAtTheEnds() {
    var scale = of(false, false, false, -2, 6);
    assertThat(scale.at(-2)).isZero();
    assertThat(scale.at(6)).isEqualTo(100);
    assertThat(of(true, false, true, 1, 100).at(10)).isEqualTo(50);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "100, 100",
    "12.5, 12.5",
    "0.25, 0.25",
    "0.001, 1e-3",
    "0.0015, 1.5e-3",
    "-40, -40",
    "123456, 1.2e5",
    "1.999, 1.999",
    "30, 30"
  })
  void labels(double value, String label) {
    assertThat(Scale.label(value)).isEqualTo(label);
  }
}
