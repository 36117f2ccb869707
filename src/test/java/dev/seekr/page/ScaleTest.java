package dev.seekr.page;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ScaleTest {
  private static Scale of(boolean count, double... values) {
    return Scale.of(DoubleStream.of(values), count, 0, 100);
  }

  @Test
  void ticksAreRound() {
    assertThat(of(false, 0.3, 9.7).ticks()).containsExactly(0.0, 2.0, 4.0, 6.0, 8.0, 10.0);
    assertThat(of(true, 1, 4).ticks()).containsExactly(1.0, 2.0, 3.0, 4.0);
  }

  @Test
  void ofNothingAndOfOneValue() {
    assertThat(of(false).at(0.5)).isEqualTo(50);
    for (double v : new double[] {0, 1e-5, -3, 7}) {
      double at = of(false, v).at(v);
      assertThat(at).isBetween(0.0, 100.0);
    }
  }

  @Test
  void endsLieAtTheEnds() {
    var scale = of(true, -2, 6);
    assertThat(scale.at(-2)).isZero();
    assertThat(scale.at(6)).isEqualTo(100);
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
