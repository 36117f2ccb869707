package dev.seekr.page;

import dev.seekr.config.MethodName;
import dev.seekr.page.Groups.Group;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The scores of multi-task learning that a group of runs is compared with: those of an mtl group
 * with the same tasks, in whichever order, and the same model, data and evaluation. Epochs, rates
 * and methods' settings may be others, as each method has its own; but where several mtl groups
 * differ in these alone, only one whose train settings are the group's will do.
 */
final class MultiTaskScores {
  private MultiTaskScores() {}

  /** Scores by task, means over seeds; empty where there is no such group. */
  static Map<String, Double> of(Groups groups, Group group) {
    RunRecord run = group.runs().getFirst();
    if (isMultiTask(run)) return Map.of();
    var all =
        groups.all().stream()
            .filter(g -> isMultiTask(g.runs().getFirst()))
            .filter(g -> g.runs().stream().anyMatch(RunRecord::finished))
            .filter(g -> same(g.runs().getFirst(), run, key -> !key.startsWith("train.")))
            .toList();
    if (all.size() > 1)
      all = all.stream().filter(g -> same(g.runs().getFirst(), run, _ -> true)).toList();
    return all.size() == 1 ? means(all.getFirst()) : Map.of();
  }

  private static boolean isMultiTask(RunRecord run) {
    return run.config().method().name() == MethodName.mtl;
  }

  /** Whether two runs are over the same tasks, and settings of some keys are the same. */
  private static boolean same(RunRecord a, RunRecord b, Predicate<String> keys) {
    if (!Set.copyOf(a.scores().tasks()).equals(Set.copyOf(b.scores().tasks()))) return false;
    return a.settings().keySet().stream()
        .filter(key -> !Groups.LEFT_OUT.contains(key) && !key.startsWith("run."))
        .filter(key -> !key.startsWith("method.") && !ORDER.contains(key))
        .filter(key -> a.config().uses(key) && b.config().uses(key))
        .filter(keys)
        .allMatch(key -> Groups.text(a, key).equals(Groups.text(b, key)));
  }

  /** What says in which order tasks come. */
  private static final Set<String> ORDER = Set.of("data.tasks", "data.order");

  private static Map<String, Double> means(Group group) {
    var runs = group.runs().stream().filter(RunRecord::finished).map(RunRecord::scores).toList();
    var means = new HashMap<String, Double>();
    for (String task : runs.getFirst().tasks()) {
      double sum = 0;
      for (var scores : runs) {
        var score = scores.get(scores.tasks().indexOf(task), scores.trained() - 1);
        if (score.isEmpty()) return Map.of();
        sum += score.getAsDouble();
      }
      means.put(task, sum / runs.size());
    }
    return means;
  }
}
