package dev.seekr.verify;

import static org.assertj.core.api.Assertions.assertThat;

import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class YardstickTest {
  /** From tables of the F distribution at 0.1 %: F(6, 6) is 20.0, F(12, 12) 7.00. */
  @Test
  void fewQuantitiesMayBeFartherOffByLuck() {
    assertThat(Yardstick.factor(6)).isCloseTo(Math.sqrt(20.03), Offset.offset(1e-2));
    assertThat(Yardstick.factor(12)).isCloseTo(Math.sqrt(7.00), Offset.offset(1e-2));
    assertThat(Yardstick.factor(356)).isEqualTo(2);
  }
}
