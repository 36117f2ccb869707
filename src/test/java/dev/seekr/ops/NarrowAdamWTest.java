package dev.seekr.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.seekr.ops.cuda.CudaOps;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** AdamW that stores bfloat16: the same bits in every library, and no bias. */
class NarrowAdamWTest {
  private static final int N = 40_003;

  /** Every library of every type of elements. */
  private static Map<String, Ops> libraries() {
    Map<String, Ops> all = new LinkedHashMap<>();
    for (DType type : List.of(DType.F32, DType.BF16))
      all.put("reference " + type, new ReferenceOps(type));
    for (String isa : Kernels.isas())
      for (int threads : new int[] {1, 3}) all.put(isa + "/" + threads, Kernels.open(threads, isa));
    for (DType type : List.of(DType.F32, DType.BF16)) all.put("cuda " + type, CudaOps.open(type));
    return all;
  }

  private static Tensor tensor(Ops ops, Memory memory, DType type, double size, long seed) {
    Tensor t = ops.allocate(memory, "test", type, N);
    var random = new SplittableRandom(seed);
    float[] values = new float[N];
    for (int i = 0; i < N; i++) values[i] = (float) (random.nextGaussian() * size);
    t.copyFrom(values);
    return t;
  }

  /** w, m and v, one after the other, after three steps. */
  private static float[] steps(Ops ops, DType w, DType g, long key) {
    try (var memory = new Memory("test")) {
      Tensor ws = tensor(ops, memory, w, 1, 1);
      Tensor ms = tensor(ops, memory, DType.BF16, 0, 0), vs = tensor(ops, memory, DType.BF16, 0, 0);
      for (int step = 1; step <= 3; step++) {
        Tensor gs = tensor(ops, memory, g, 0.01, step);
        ops.adamw(
            new AdamWStep(
                ws, ms, vs, gs, null, step, key + step, 1e-3f, 0.9f, 0.95f, 1e-8f, 0.1f, 0.7f));
      }
      float[] all = Arrays.copyOf(ws.toFloats(), 3 * N);
      System.arraycopy(ms.toFloats(), 0, all, N, N);
      System.arraycopy(vs.toFloats(), 0, all, 2 * N, N);
      return all;
    }
  }

  @ParameterizedTest
  @CsvSource({"F32, F32", "BF16, F32", "BF16, BF16"})
  void everyLibraryStoresTheSameBits(DType w, DType g) {
    float[] first = null;
    for (var library : libraries().entrySet()) {
      try (Ops ops = library.getValue()) {
        float[] stored = steps(ops, w, g, 12345);
        if (first == null) first = stored;
        assertThat(stored).as(library.getKey()).isEqualTo(first);
      }
    }
    for (float x : first) assertThat(x).isFinite();
    try (Ops ops = Kernels.open(2, "auto")) {
      assertThat(steps(ops, w, g, 54321)).isNotEqualTo(first);
    }
  }

  /** Runs of old go on to the same bits. */
  @Test
  void theSameForEver() {
    var step = new AdamWStep(null, null, null, null, null, 1, 7, 0, 0, 0, 0, 0, 0);
    int[] random = new int[4];
    for (int i = 0; i < 2; i++) random[i] = step.random(i);
    random[2] = step.random(5L << 32);
    random[3] = step.randomOfW(0);
    assertThat(random).containsExactly(-1283738324, 1326893263, -439054684, 875128610);
  }

  /** As often up as what is cut off says: the mean of many draws is what was to be stored. */
  @Test
  void roundingHasNoBias() {
    var random = new SplittableRandom(9);
    int draws = 20_000;
    for (float x : new float[] {1.003f, -0.3337f, 3e-5f, 1e-39f, -2.5e30f, 0, 1}) {
      double sum = 0, unit = 0;
      for (int i = 0; i < draws; i++) {
        float y = DType.fromBf16(DType.toBf16(x, random.nextInt()));
        sum += y / draws;
        unit = Math.max(unit, Math.abs((double) y - x));
      }
      // A draw is off by less than a unit, so its variance is at most a quarter of a unit's square.
      double units = Math.abs(x) < 1e-38 ? 0x1p-133 : 2 * Math.ulp(x) * 32768;
      assertThat(unit).isLessThan(units);
      assertThat(sum)
          .as("%s", x)
          .isCloseTo(x, within(5 * units / 2 / Math.sqrt(draws) + 1e-12 * Math.abs(x)));
    }
  }

  @Test
  void whatDoesNotGoTogetherIsRefused() {
    try (var memory = new Memory("test");
        Ops ops = Kernels.open(1, "auto")) {
      Tensor wide = memory.allocate("test", DType.F32, 3);
      Tensor narrow = memory.allocate("test", DType.BF16, 3);
      refused(ops, "adamw w: BF16[3], expected F32[3]", narrow, wide, wide, wide, null);
      refused(ops, "adamw m: BF16[3], expected F32[3]", wide, narrow, wide, wide, null);
      refused(ops, "adamw v: BF16[3], expected F32[3]", wide, wide, narrow, wide, null);
      refused(ops, "adamw g: BF16[3], expected F32[3]", wide, narrow, narrow, narrow, null);
      refused(ops, "adamw rounded: BF16[3], expected null", wide, narrow, narrow, wide, narrow);
    }
  }

  private static void refused(
      Ops ops, String words, Tensor w, Tensor m, Tensor v, Tensor g, Tensor rounded) {
    assertThatThrownBy(() -> ops.adamw(new AdamWStep(w, m, v, g, rounded, 1, 0, 0, 0, 0, 0, 0, 1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(words);
  }
}
