package dev.seekr.verify;

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
 * compare. Of a choice: how many differ.
 */
public final class Misses implements Function<Set<String>, Map<String, Double>> {
  static final Path FOLDER = Path.of("src/test/resources/methods");

  @Override
  public Map<String, Double> apply(Set<String> cases) {
    var missed = new LinkedHashMap<String, Double>();
    try (Ops ops = new ReferenceOps(DType.F64)) {
      add(MethodsCheck.verify(FOLDER, ops, cases), missed);
      if (cases.contains(ChoiceChecks.CASE)) add(ChoiceChecks.verify(ops), missed);
    }
    return missed;
  }

  private static void add(Checks checks, Map<String, Double> missed) {
    for (var check : checks.all())
      if (!check.passed())
        missed.put(check.quantity(), check.error() / (check.bound() == 0 ? 1 : check.bound()));
  }
}
