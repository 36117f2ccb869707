package dev.seekr.verify;

import dev.seekr.config.Reduction;
import dev.seekr.ops.Ops;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.tensor.DType;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * Verifies cases of the reference folder, in double precision, and {@link ChoiceChecks} where they
 * are among them: what was missed, by how many times its bound, NaN where nothing was there to
 * compare. Of a choice: how many differ. A case that misses much under one reduction is not run
 * under the next.
 */
public final class Misses implements Function<Set<String>, Map<String, Double>> {
  static final Path FOLDER = Path.of("src/test/resources/methods");
  private static final double MUCH = 100;

  @Override
  public Map<String, Double> apply(Set<String> cases) {
    var missed = new LinkedHashMap<String, Double>();
    try (Ops ops = new ReferenceOps(DType.F64)) {
      for (String name : cases) {
        if (name.equals(ChoiceChecks.CASE)) missed.putAll(of(ChoiceChecks.verify(ops)));
        else missed.putAll(run(ops, name));
      }
    }
    return missed;
  }

  private static Map<String, Double> run(Ops ops, String name) {
    var missed = new LinkedHashMap<String, Double>();
    for (Reduction reduction : Reduction.values()) {
      missed.putAll(of(MethodsCheck.verify(FOLDER, ops, name, reduction)));
      if (missed.values().stream().anyMatch(by -> by >= MUCH)) break;
    }
    return missed;
  }

  private static Map<String, Double> of(Checks checks) {
    var missed = new LinkedHashMap<String, Double>();
    for (var check : checks.all())
      if (!check.passed())
        missed.put(check.quantity(), check.error() / (check.bound() == 0 ? 1 : check.bound()));
    return missed;
  }
}
