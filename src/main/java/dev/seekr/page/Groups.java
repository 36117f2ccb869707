package dev.seekr.page;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Runs that differ in their seed alone, in the order in which they came. A group is called by its
 * method and what else tells it from the others.
 *
 * @param keys settings that are not the same in all runs that use them, but for the method and the
 *     seed
 */
record Groups(List<Group> all, List<String> keys) {
  /** Runs of one label. */
  record Group(String label, List<RunRecord> runs) {}

  /** What says nothing of how a result came about. */
  static final Set<String> LEFT_OUT =
      Set.of(
          "train.seed",
          "method.name",
          "model.save",
          "eval.ahead",
          "eval.every",
          "run.save_models",
          "run.log_every",
          "run.record_heads",
          "run.tensorboard");

  /** A label with more settings than these is that of the group's first run. */
  private static final int TOLD = 4;

  static Groups of(List<RunRecord> runs) {
    return of(runs, List.of());
  }

  /**
   * @param always settings that labels have even where all runs have them alike
   */
  static Groups of(List<RunRecord> runs, List<String> always) {
    List<String> keys =
        runs.stream()
            .flatMap(run -> run.settings().keySet().stream())
            .distinct()
            .filter(key -> !LEFT_OUT.contains(key) && !key.startsWith("run.checkpoint"))
            .filter(key -> always.contains(key) || differs(key, runs))
            .toList();
    var alike = new LinkedHashMap<String, List<RunRecord>>();
    for (RunRecord run : runs)
      alike.computeIfAbsent(label(run, told(run, keys)), _ -> new ArrayList<>()).add(run);
    var groups = new ArrayList<Group>();
    alike.forEach(
        (label, members) -> {
          RunRecord first = members.getFirst();
          boolean many = told(first, keys).size() > TOLD;
          String name = many ? first.method() + " (" + first.name() + ")" : label;
          groups.add(new Group(name, members));
        });
    return new Groups(groups, keys);
  }

  /** Whether a setting is not the same in all runs that use it. */
  static boolean differs(String key, List<RunRecord> runs) {
    var using = runs.stream().filter(run -> run.config().uses(key));
    return using.map(run -> text(run, key)).distinct().count() > 1;
  }

  /** What each group came to, in their order. */
  List<Results.Row> rows() {
    return all.stream().map(this::row).toList();
  }

  Results.Row row(Group group) {
    return Results.row(group, MultiTaskScores.of(this, group));
  }

  static String text(RunRecord run, String key) {
    return run.settings().get(key);
  }

  /** Without the sections it is in. */
  static String shortKey(String key) {
    return key.substring(key.lastIndexOf('.') + 1);
  }

  /** Without those that do nothing in a run. */
  private static List<String> told(RunRecord run, List<String> keys) {
    return keys.stream().filter(run.config()::uses).toList();
  }

  private static String label(RunRecord run, List<String> keys) {
    String own =
        keys.stream()
            .map(key -> shortKey(key) + " " + text(run, key))
            .collect(Collectors.joining(", "));
    return own.isEmpty() ? run.method() : run.method() + " (" + own + ")";
  }
}
