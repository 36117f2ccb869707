package dev.seekr.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.model.TinyModel;
import org.junit.jupiter.api.Test;

class StepFlopsTest {
  /**
   * V 11, C 4, F 6, one layer, 2 heads of 2 on 1: P = 4·8 + 4·4 + 3·4·6 = 120. Two sequences of 5
   * tokens: 2·10·120 = 2400; a map 2·2·15·2·2 = 240; the output of 2 rows 2·2·2·4·11 = 352.
   */
  @Test
  void byHand() {
    var flops = StepFlops.of(TinyModel.config(11, 4, 6, 1, 2, 1, 2, true), 2, 5, 2);
    assertThat(flops.forward()).isEqualTo(2400 + 2 * 240 + 352);
    assertThat(flops.inputs()).isEqualTo(2400 + 5 * 240 + 352);
    assertThat(flops.weights()).isEqualTo(2400 + 352);
    assertThat(flops.total()).isEqualTo(3 * 2400 + 7 * 240 + 3 * 352);
  }
}
