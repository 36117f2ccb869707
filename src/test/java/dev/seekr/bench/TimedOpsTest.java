package dev.seekr.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.seekr.ops.Arguments;
import dev.seekr.ops.Clock;
import dev.seekr.ops.ForwardingOps;
import dev.seekr.ops.Op;
import dev.seekr.ops.Ops;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Tensor;
import java.util.Map;
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

  /** A device whose work takes seconds of its own, when it is waited for. */
  @Test
  void timesAreThoseOfThePlaceThatComputes() {
    double[] done = {0};
    var device =
        new TimedOps(
            new ForwardingOps(new ReferenceOps(DType.F32)) {
              @Override
              public void run(Op op, Arguments arguments) {
                super.run(op, arguments);
                done[0] += op == Op.DOT ? 7 : 100;
              }

              @Override
              public Clock clock() {
                return () -> new At(done[0]);
              }
            });
    Ops ops = device;
    ops.sumSquares(Tensor.of(new float[] {3, 4}));
    ops.zero(Tensor.of(new float[] {1}));
    ops.sumSquares(Tensor.of(new float[] {1}));
    assertThat(device.seconds()).isEqualTo(Map.of("dot", 14.0, "zero", 100.0));
  }

  private record At(double seconds) implements Clock.Moment {
    @Override
    public double secondsSince(Clock.Moment earlier) {
      return seconds - ((At) earlier).seconds;
    }
  }

  @Test
  void failuresComeThroughAsTheyAre() {
    assertThatThrownBy(() -> ops.zero(null)).isInstanceOf(NullPointerException.class);
  }
}
