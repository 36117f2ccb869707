package dev.seekr.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.seekr.ops.Clock.Moment;
import dev.seekr.ops.cuda.CudaOps;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a device promises beside the values of its kernels. */
@Tag("device")
class CudaOpsTest {
  /** 257, the sum of the first half, is no number of 8 bits; nor is 2049 one of 11. */
  @ParameterizedTest
  @EnumSource(names = {"BF16", "F16"})
  void partsOfASumAreFloats(DType element) {
    int k = 4096;
    float large = element == DType.BF16 ? 256 : 2048;
    float[] x = new float[k], ones = new float[k];
    Arrays.fill(ones, 1);
    x[0] = large;
    x[1] = 1;
    x[k - 1] = -large;
    try (var ops = CudaOps.open(element);
        var memory = new Memory("test")) {
      Tensor a = ops.allocate(memory, "a", 1, k), b = ops.allocate(memory, "b", 1, k);
      Tensor y = ops.allocate(memory, "y", 1, 1);
      a.copyFrom(x);
      b.copyFrom(ones);
      ops.linearForward(y, a, b, false);
      assertThat(y.toFloats()).containsExactly(1);
    }
  }

  /** A copy in the middle of a step, once for each chunk of rows, would be no one's plan. */
  @Test
  void theTeacherMustLieOnTheDevice() {
    try (var ops = CudaOps.open(DType.F32);
        var memory = new Memory("test")) {
      Tensor logits = ops.allocate(memory, "logits", 1, 3), row = Tensor.of(new int[] {0});
      Tensor nll = memory.allocate("nll", DType.F64, 1), kl = memory.allocate("kl", DType.F64, 1);
      Tensor w = ops.allocate(memory, "w", 1);
      Tensor host = memory.allocate("teacher", DType.F32, 1, 3);
      assertThatThrownBy(
              () ->
                  ops.loss(
                      new LossRows(nll, kl, logits, row, w, host, row, w, Ops.Distance.KL, true)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("loss teacher")
          .hasMessageContaining("lies on the host");
    }
  }

  /** The host's clock would tell how long calling takes. Parts of a time are no longer than all. */
  @Test
  void timeIsTheDevices() {
    int n = 70;
    try (var ops = CudaOps.open(DType.F32);
        var memory = new Memory("test")) {
      Tensor a = ops.allocate(memory, "a", n, n), y = ops.allocate(memory, "y", n, n);
      Tensor one = ops.allocate(memory, "one", 1);
      var clock = ops.clock();
      ops.linearForward(y, a, a, false);
      ops.sumSquares(one);
      try (Moment begin = clock.now()) {
        ops.linearForward(y, a, a, false);
        try (Moment between = clock.now()) {
          ops.sumSquares(one);
          try (Moment end = clock.now()) {
            assertThat(end).isNotInstanceOf(Clock.HostMoment.class);
            double product = between.secondsSince(begin), sum = end.secondsSince(between);
            assertThat(product).isPositive();
            assertThat(sum).isPositive();
            assertThat(product + sum).isLessThan(end.secondsSince(begin) * 1.01);
          }
        }
      }
    }
  }
}
