package dev.seekr.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.seekr.ops.cuda.CudaOps;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Which elements dropout keeps: for ever the same ones, in every library, and as many as it says.
 */
class DropoutTest {
  private static final int N = 37, C = 1031;

  /** Every library of every type of elements. */
  private static Map<String, Ops> libraries() {
    Map<String, Ops> all = new LinkedHashMap<>();
    for (DType type : List.of(DType.F64, DType.F32, DType.BF16))
      all.put("reference " + type, new ReferenceOps(type));
    for (String isa : Kernels.isas()) all.put(isa, Kernels.open(2, isa));
    for (DType type : List.of(DType.F32, DType.BF16, DType.F16))
      all.put("cuda " + type, CudaOps.open(type));
    return all;
  }

  private static Tensor keys(Memory memory, long... keys) {
    Tensor t = memory.allocate("keys", DType.I64, keys.length);
    t.copyFrom(keys);
    return t;
  }

  /** What becomes of ones, row after row. */
  private static double[] ofOnes(Ops ops, float p, long salt, int C, long... keys) {
    try (var memory = new Memory("test")) {
      float[] ones = new float[keys.length * C];
      Arrays.fill(ones, 1);
      Tensor x = ops.allocate(memory, "x", keys.length, C),
          y = ops.allocate(memory, "y", x.shape());
      x.copyFrom(ones);
      ops.dropout(y, x, keys(memory, keys), salt, p, false);
      return y.toDoubles();
    }
  }

  private static long[] random(int n) {
    return new SplittableRandom(3).longs(n).toArray();
  }

  /** Runs of old must be repeatable. The formula of seekr.h gives these. */
  @ParameterizedTest
  @CsvSource({
    "0, 0, 0.5, ..11111...1.11.1.1..1....111.11.111..11.",
    "1, 0, 0.5, .1.1111..1......111.11..1.1.1.1.11.1111.",
    "1, 1, 0.5, ..1111.1.11.1.11..1.1.1.1..1..1.1.1....1",
    "-9000000000000000000, 7, 0.9, 1.1.1.....1...1...........11............",
    "9000000000000000000, -3, 0.1, 1111111.11111111111111111.1111111.111111"
  })
  void theSameForEver(long key, long salt, float p, String expected) {
    for (var library : libraries().entrySet()) {
      try (Ops ops = library.getValue()) {
        var kept = new StringBuilder();
        for (double v : ofOnes(ops, p, salt, expected.length(), key))
          kept.append(v == 0 ? '.' : '1');
        assertThat(kept).as(library.getKey()).hasToString(expected);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(floats = {0, 1e-3f, 0.1f, 0.5f, 0.99f})
  void everyLibraryKeepsTheSame(float p) {
    var kept = new ArrayList<boolean[]>();
    for (var library : libraries().entrySet()) {
      try (Ops ops = library.getValue()) {
        double[] y = ofOnes(ops, p, 11, C, random(N));
        boolean[] one = new boolean[y.length];
        for (int i = 0; i < y.length; i++) {
          one[i] = y[i] != 0;
          if (one[i]) assertThat(y[i]).isCloseTo(1 / (1 - (double) p), within(4e-3 / (1 - p)));
        }
        kept.add(one);
        assertThat(one).as(library.getKey()).isEqualTo(kept.getFirst());
      }
    }
    int n = 0;
    for (boolean each : kept.getFirst()) if (each) n++;
    double all = N * C, deviation = Math.sqrt(all * p * (1 - p));
    assertThat((double) n).isCloseTo(all * (1 - (double) p), within(5 * deviation));
    assertThat(n).isPositive();
  }

  /** The mean of many draws is the input, which the gradient passes on in the same way. */
  @Test
  void whatIsKeptMakesUpForWhatIsDropped() {
    int draws = 4000;
    try (Ops ops = Kernels.open(2, "auto")) {
      double[] y = ofOnes(ops, 0.3f, 5, 17, random(draws));
      for (int c = 0; c < 17; c++) {
        double sum = 0;
        for (int n = 0; n < draws; n++) sum += y[n * 17 + c];
        double deviation = Math.sqrt(0.3 / 0.7 / draws);
        assertThat(sum / draws).as("column " + c).isCloseTo(1, within(4.5 * deviation));
      }
    }
  }
}
