package dev.seekr.verify;

import dev.seekr.verify.Checks.Check;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.commons.math3.distribution.FDistribution;

/**
 * Bounds for narrow element types. How far rounding to 8 bits carries depends on the model, so no
 * number can be fixed beforehand; but the reference kernels, which compute in double and round
 * nothing but the tensors they store, show how far it must. Of each kind of quantity the error
 * (root mean square over all folders) may be twice theirs, or more where quantities are so few that
 * luck may make more of it ({@link #factor}), and that of a single one four times their worst.
 */
public final class Yardstick {
  private static final double TWICE = 2, SINGLE = 4;

  /** Names of quantities by kind: the first that one begins with. */
  private static final Map<String, List<String>> KINDS = new LinkedHashMap<>();

  static {
    KINDS.put("logits", List.of("student.logits", "student.greedy"));
    KINDS.put("attention rows", List.of("student.attention", "teacher.rows"));
    KINDS.put("head scores", List.of("importance."));
    KINDS.put("gradients", List.of("seqft.grad", "seekr.grad"));
    KINDS.put("losses", List.of("seqft.loss", "seekr."));
    KINDS.put("losses of the run", List.of("trace.step"));
    KINDS.put("head scores of the run", List.of("trace.importance", "trace.selected_heads"));
    KINDS.put("weights of the run", List.of("trace.final"));
  }

  /**
   * Numbers that follow from others nearly alone: a mean over kinds counts what they share once.
   */
  private static final Set<String> DERIVED =
      Set.of(
          "seekr.replay",
          "seekr.ad_sum",
          "seekr.total_paper",
          "seekr.total_paper: attention",
          "seekr.total_official",
          "seekr.total_official: attention");

  private Yardstick() {}

  /**
   * The checks of each folder with bounds from the reference kernels' checks of the same folders;
   * last, one more with the kinds.
   */
  public static List<Checks> judge(List<Checks> actual, List<Checks> plain) {
    Map<String, List<Check>> errors = byKind(actual), yard = byKind(plain);
    var judged = new ArrayList<Checks>();
    for (Checks folder : actual) {
      var checks = new Checks();
      folder.notes().forEach(checks::note);
      for (Check c : folder.all()) {
        double worst =
            yard.get(kind(c.quantity())).stream().mapToDouble(Check::error).max().orElseThrow();
        checks.add(c.quantity(), c.error(), Math.max(c.bound(), SINGLE * worst));
      }
      judged.add(checks);
    }
    var kinds = new Checks();
    errors.forEach(
        (kind, all) -> {
          double float32 = all.stream().mapToDouble(Check::bound).min().orElseThrow();
          kinds.add(
              kind + ", root mean square of " + independent(all).size(),
              rms(all),
              Math.max(float32, factor(independent(all).size()) * rms(yard.get(kind))));
        });
    judged.add(kinds);
    return judged;
  }

  /**
   * Two root mean squares of n errors of one distribution are farther apart in one case of a
   * thousand: the ratio of their squares is F(n, n) distributed.
   */
  static double factor(int n) {
    return Math.max(TWICE, Math.sqrt(new FDistribution(n, n).inverseCumulativeProbability(0.999)));
  }

  private static Map<String, List<Check>> byKind(List<Checks> folders) {
    var byKind = new LinkedHashMap<String, List<Check>>();
    for (Checks folder : folders)
      for (Check c : folder.all())
        byKind.computeIfAbsent(kind(c.quantity()), _ -> new ArrayList<>()).add(c);
    return byKind;
  }

  private static String kind(String quantity) {
    for (var kind : KINDS.entrySet())
      if (kind.getValue().stream().anyMatch(quantity::startsWith)) return kind.getKey();
    throw new IllegalStateException(quantity + " is of no kind");
  }

  private static List<Check> independent(List<Check> checks) {
    return checks.stream().filter(c -> !DERIVED.contains(c.quantity())).toList();
  }

  /** NaN where one of them is. */
  private static double rms(List<Check> checks) {
    double sum = 0;
    for (Check c : independent(checks)) sum += c.error() * c.error();
    return Math.sqrt(sum / independent(checks).size());
  }
}
