package dev.seekr.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.seekr.ops.Ops;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Tensor;
import org.junit.jupiter.api.Test;

class TimedOpsTest {
  private final TimedOps timed = new TimedOps(new ReferenceOps(DType.F32));
  private final Ops ops = timed;

  @Test
  void resultsComeThroughAndTimesAreBookedByName() {
    assertThat(ops.sumSquares(Tensor.of(new float[] {3, 4}))).isEqualTo(25);
    ops.sumSquares(Tensor.of(new float[] {1}));
    Tensor y = Tensor.of(new float[1], 1, 1);
    ops.linearForward(y, Tensor.of(new float[] {2}, 1, 1), Tensor.of(new float[] {5}, 1, 1), false);
    assertThat(y.get(0)).isEqualTo(10);
    assertThat(timed.seconds()).containsOnlyKeys("dot", "matmul forward");
    assertThat(timed.seconds().values()).allMatch(s -> s > 0);
    timed.reset();
    assertThat(timed.seconds()).isEmpty();
  }

  @Test
  void failuresComeThroughAsTheyAre() {
    assertThatThrownBy(() -> ops.zero(null)).isInstanceOf(NullPointerException.class);
  }
}
