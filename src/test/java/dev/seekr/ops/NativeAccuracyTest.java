package dev.seekr.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.tensor.DType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * Every operation, shape and instruction set against the reference in double: the largest error of an output is at most twice
 * that of plain float code, or 2 ulp of the output's largest element where float code happens to be exact.
 */
class NativeAccuracyTest {
  private static final double TWO_ULP = 0x1p-22;

  @Test
  void errorIsAtMostTwiceThatOfPlainFloat() {
    List<OpCase> cases = OpCases.all();
    List<String> isas = Kernels.isas();
    Map<String, Ops> kernels = new LinkedHashMap<>();
    for (String isa : isas) kernels.put(isa, Kernels.open(2, isa));
    List<String> wrong = new ArrayList<>();
    int ran = 0;
    for (OpCase c : cases) {
      var exact = c.run(new ReferenceOps(DType.F64));
      var plain = List.of(c.run(new PlainFloat(false)), c.run(new PlainFloat(true)));
      for (var isa : kernels.entrySet()) {
        try {
          var actual = c.run(isa.getValue());
          assertThat(actual.keySet()).isEqualTo(exact.keySet()).isNotEmpty();
          for (String slot : actual.keySet()) {
            double error = error(actual.get(slot), exact.get(slot));
            double allowed = TWO_ULP * Math.max(largest(exact.get(slot)), c.terms(slot));
            for (var p : plain) allowed = Math.max(allowed, 2 * error(p.get(slot), exact.get(slot)));
            if (!(error <= allowed)) {
              wrong.add("%s %s: %s: error %.3g, allowed %.3g".formatted(isa.getKey(), c, slot, error, allowed));
            }
          }
        } catch (AssertionError | RuntimeException e) {
          wrong.add(isa.getKey() + " " + e);
        }
        ran++;
      }
    }
    kernels.values().forEach(Ops::close);
    assertThat(wrong).isEmpty();
    assertThat(cases).hasSize(CASES);
    assertThat(ran).isEqualTo(CASES * isas.size());
    System.out.printf("%d operations and shapes on %s: %d combinations%n", CASES, isas, ran);
  }

  /** Raise it with every case added: a suite that shrinks unnoticed proves nothing. */
  private static final int CASES = 0;

  private static double error(double[] actual, double[] exact) {
    double most = 0;
    for (int i = 0; i < exact.length; i++) most = Math.max(most, Math.abs(actual[i] - exact[i]));
    return most;
  }

  private static double largest(double[] x) {
    double most = 0;
    for (double v : x) most = Math.max(most, Math.abs(v));
    return most;
  }
}
