package dev.seekr.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.ops.cuda.CudaOps;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.tensor.DType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every operation, shape, element type and instruction set or device against the reference in
 * double, on several draws of data. The error of an output (root mean square) is at most twice that
 * of plain code of the same type, and that of its worst element at most four times: a single
 * element is a matter of luck. Where plain code happens to be exact, 2 ulp of the output's largest
 * element are allowed, as float32 has them: kernels of 16 bits compute in it too, and need no more.
 * Of sums that tensor cores make, what these cut off is allowed too ({@link #sumFloor}).
 */
class NativeAccuracyTest {
  /**
   * Tensors of the second are aligned. An emulated device, which is slow, is spared the third,
   * which differs from the first in its random numbers alone.
   */
  private static final int DRAWS = 3, EMULATED_DRAWS = 2;

  private static final boolean EMULATED = System.getProperty("seekr.cuda.emulator") != null;

  private static final double TWO_ULP = 0x1p-22;

  /**
   * What k products, added one group of 8 after the other, may be off, in parts of the largest
   * term: sum_floor in cuda/test/shape.h says why. An emulator that adds exactly is off by nothing.
   */
  private static double sumFloor(long k) {
    boolean exact = EMULATED && !"hardware".equals(System.getenv("SEEKR_EMULATOR_SUMS"));
    return exact || k == 0 ? 0 : (k + 7) / 8 * 6.5 * 0x1p-23;
  }

  /** Error of one output of one case over all draws. */
  private static final class Error {
    private double squares;
    private double most;
    private int draws;

    void add(double[] actual, double[] exact) {
      double sum = 0;
      for (int i = 0; i < exact.length; i++) {
        double e = Math.abs(actual[i] - exact[i]);
        sum += e * e;
        most = Math.max(most, e);
      }
      squares += sum / Math.max(1, exact.length);
      draws++;
    }

    private double mean() {
      return Math.sqrt(squares / draws);
    }

    /** What plain code and rounding of the result, or of the terms it is a difference of, allow. */
    boolean within(Error plain, double rounding) {
      double all = Math.max(2 * plain.mean(), rounding);
      double one = Math.max(4 * plain.most, rounding);
      // Any error is within an infinite one.
      return Double.isFinite(all) && Double.isFinite(one) && mean() <= all && most <= one;
    }

    @Override
    public String toString() {
      return "error %.3g (worst %.3g)".formatted(mean(), most);
    }
  }

  /** Errors of one output of one case. */
  private static final class Output {
    final Map<String, Error> of = new LinkedHashMap<>();
    double rounding;
  }

  /**
   * What the cases of a draw come to in double and in plain code: the same for CPUs and devices,
   * and by far what takes longest.
   */
  private record Yardstick(List<Map<String, double[]>> exact, List<Map<String, double[]>> plain) {
    private static final Map<List<Object>, Yardstick> KNOWN = new HashMap<>();

    static Yardstick of(DType element, int draw, List<OpCase> cases) {
      return KNOWN.computeIfAbsent(
          List.of(element, draw),
          _ -> {
            Ops exact = new ReferenceOps(DType.F64), plain = new PlainOps(element);
            return new Yardstick(
                cases.stream().map(c -> c.run(exact)).toList(),
                cases.stream().map(c -> c.run(plain)).toList());
          });
    }
  }

  private static final String PLAIN = "plain";
  private final Map<String, Output> outputs = new LinkedHashMap<>();

  private void compare(
      OpCase c, String what, Map<String, double[]> actual, Map<String, double[]> exact) {
    assertThat(actual.keySet()).isEqualTo(exact.keySet()).isNotEmpty();
    exact.forEach(
        (slot, values) -> {
          var output = outputs.computeIfAbsent(c + ": " + slot, _ -> new Output());
          output.of.computeIfAbsent(what, _ -> new Error()).add(actual.get(slot), values);
          double largest = c.terms(slot);
          for (double v : values) largest = Math.max(largest, Math.abs(v));
          double floor = what.equals("cuda") ? sumFloor(c.products()) * c.exponent() : 0;
          output.rounding = Math.max(output.rounding, Math.max(TWO_ULP, floor) * largest);
        });
  }

  @Test
  void kernelsAreAsExactAsPlainCode() {
    Map<String, Ops> kernels = new LinkedHashMap<>();
    for (String isa : Kernels.isas()) kernels.put(isa, Kernels.open(2, isa));
    assertAsExactAsPlainCode(DType.F32, kernels, DRAWS);
  }

  /** By everyone who multiplies. */
  @Test
  void kernelsOfBfloat16AreToo() {
    Map<String, Ops> kernels = new LinkedHashMap<>();
    for (String isa : Kernels.isas())
      for (String by : Kernels.multipliers(isa))
        kernels.put(isa + " " + by, Kernels.open(DType.BF16, by, 2, isa));
    assertAsExactAsPlainCode(DType.BF16, kernels, DRAWS);
  }

  @Tag("device")
  @ParameterizedTest
  @EnumSource(names = {"F32", "BF16", "F16"})
  void kernelsOfADeviceAreToo(DType element) {
    Map<String, Ops> device = Map.of("cuda", CudaOps.open(element));
    assertAsExactAsPlainCode(element, device, EMULATED ? EMULATED_DRAWS : DRAWS);
  }

  private void assertAsExactAsPlainCode(DType element, Map<String, Ops> kernels, int draws) {
    List<String> wrong = new ArrayList<>();
    int ran = 0;
    for (int draw = 1; draw <= draws; draw++) {
      List<OpCase> cases = OpCases.all(element, draw);
      var yardstick = Yardstick.of(element, draw, cases);
      for (int i = 0; i < cases.size(); i++) {
        OpCase c = cases.get(i);
        var exact = yardstick.exact.get(i);
        compare(c, PLAIN, yardstick.plain.get(i), exact);
        for (var isa : kernels.entrySet()) {
          try {
            compare(c, isa.getKey(), c.run(isa.getValue()), exact);
          } catch (AssertionError | RuntimeException e) {
            wrong.add(isa.getKey() + " " + e);
          }
          ran++;
        }
      }
    }
    kernels.values().forEach(Ops::close);
    outputs.forEach(
        (name, output) -> {
          Error plainly = output.of.remove(PLAIN);
          output.of.forEach(
              (isa, error) -> {
                if (!error.within(plainly, output.rounding)) {
                  wrong.add("%s %s: %s, plain: %s".formatted(isa, name, error, plainly));
                }
              });
        });
    assertThat(wrong).isEmpty();
    assertThat(ran).isEqualTo(OpCases.CASES * kernels.size() * draws);
  }
}
