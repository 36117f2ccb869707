package dev.seekr.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Tensor;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** The checks that other tests rely on do notice. */
class OpCaseTest {
  private static OpCase copying(Consumer<Tensor[]> mischief) {
    return new OpCase("copy", DType.F32)
        .in("x", new double[] {1, 2, 3}, 3)
        .out("y", 3)
        .run(
            (_, t) -> {
              t.get("y").copyFrom(t.get("x"));
              mischief.accept(new Tensor[] {t.get("x"), t.get("y")});
            });
  }

  private static void noticed(String message, Consumer<Tensor[]> mischief) {
    assertThatThrownBy(() -> copying(mischief).run(new ReferenceOps(DType.F32)))
        .isInstanceOf(AssertionError.class)
        .hasMessage("copy: " + message);
  }

  /** Element {@code i} of the memory around a tensor. */
  private static void poke(Tensor t, int i) {
    var around = java.lang.foreign.MemorySegment.ofAddress(t.data().address() + i * 4L);
    around.reinterpret(4).set(java.lang.foreign.ValueLayout.JAVA_FLOAT, 0, 0);
  }

  @Test
  void nothingToNotice() {
    assertThat(copying(_ -> {}).run(new ReferenceOps(DType.F64)).get("y")).containsExactly(1, 2, 3);
  }

  @Test
  void mischief() {
    noticed("y: canary overwritten", t -> poke(t[1], 3));
    noticed("y: canary overwritten", t -> poke(t[1], -1));
    noticed("x: input or canary changed", t -> poke(t[0], 3));
    noticed("x: input or canary changed", t -> t[0].set(2, 4));
    noticed("y[1] is NaN", t -> t[1].set(1, Double.NaN));
    noticed("y[2] is Infinity", t -> t[1].set(2, Double.POSITIVE_INFINITY));
  }
}
