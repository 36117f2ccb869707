package dev.seekr.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.ops.cuda.CudaOps;
import dev.seekr.tensor.DType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The same call gives the same bits, however many threads work on it and however often it is made.
 */
class NativeRepeatTest {
  private static final int REPEATS = 20;

  /** On a device: repeats of the largest case, of so many elements at most, of each signature. */
  private static final int DEVICE_REPEATS = 50, ELEMENTS = 2000;

  @Test
  void threadsDoNotShow() {
    for (String isa : Kernels.isas()) threadsDoNotShow(DType.F32, "auto", isa);
  }

  @Test
  void threadsDoNotShowInBfloat16() {
    for (String isa : Kernels.isas())
      for (String by : Kernels.multipliers(isa)) threadsDoNotShow(DType.BF16, by, isa);
  }

  private static void threadsDoNotShow(DType element, String by, String isa) {
    List<OpCase> cases = OpCases.all(element, 7);
    int compared = 0;
    List<String> wrong = new ArrayList<>();
    try (var one = Kernels.open(element, by, 1, isa);
        var two = Kernels.open(element, by, 2, isa);
        var three = Kernels.open(element, by, 3, isa)) {
      for (OpCase c : cases) {
        var first = c.run(one);
        compared += compare(wrong, isa + " 1 thread " + c, first, c.run(one));
        compared += compare(wrong, isa + " 2 threads " + c, first, c.run(two));
        compared += compare(wrong, isa + " 3 threads " + c, first, c.run(three));
      }
    }
    assertThat(wrong).isEmpty();
    assertThat(compared).isEqualTo(cases.size() * 3);
  }

  @Test
  void repeatsDoNotShow() {
    List<OpCase> cases = OpCases.all(DType.F32, 8);
    int compared = 0;
    List<String> wrong = new ArrayList<>();
    try (var three = Kernels.open(3, "auto")) {
      for (OpCase c : cases) {
        var first = c.run(three);
        for (int i = 0; i < REPEATS; i++) {
          compared += compare(wrong, "repeat " + i + " " + c, first, c.run(three));
        }
      }
    }
    assertThat(wrong).isEmpty();
    assertThat(compared).isEqualTo(cases.size() * REPEATS);
  }

  @Tag("device")
  @ParameterizedTest
  @EnumSource(names = {"F32", "BF16", "F16"})
  void repeatsOnADeviceDoNotShow(DType element) {
    Map<String, OpCase> cases = new LinkedHashMap<>();
    for (OpCase c : OpCases.all(element, 9)) {
      cases.merge(c.signature(), c, (x, y) -> x.size() < y.size() && y.size() <= ELEMENTS ? y : x);
    }
    int compared = 0;
    List<String> wrong = new ArrayList<>();
    try (var device = CudaOps.open(element)) {
      for (OpCase c : cases.values()) {
        var first = c.run(device);
        for (int i = 0; i < DEVICE_REPEATS; i++) {
          compared += compare(wrong, "repeat " + i + " " + c, first, c.run(device));
        }
      }
    }
    assertThat(wrong).isEmpty();
    assertThat(compared).isEqualTo(OpCases.SIGNATURES * DEVICE_REPEATS);
  }

  private static int compare(
      List<String> wrong, String what, Map<String, double[]> a, Map<String, double[]> b) {
    // Arrays.equals tells 0 from -0, as bits do.
    a.forEach(
        (slot, values) -> {
          if (!java.util.Arrays.equals(values, b.get(slot))) wrong.add(what + ": " + slot);
        });
    return 1;
  }
}
