package dev.seekr.cli;

import dev.seekr.Failure;
import dev.seekr.config.MethodName;
import dev.seekr.config.RunConfig;
import dev.seekr.data.TaskSequence;
import dev.seekr.model.LlamaConfig;
import dev.seekr.run.Run;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;

/**
 * The runs of a comparison: each method in each task order with each combination of swept values,
 * once a seed. A swept setting that does nothing in a run is left out of it, so that no run is made
 * twice.
 *
 * @param notes what was left out, and of which methods
 */
record Comparison(List<Planned> runs, List<String> notes) {
  /** A file's name has at most 255 bytes, and what is put aside has a longer one. */
  private static final int LONGEST_NAME = 200;

  /**
   * A run.
   *
   * @param title in words
   * @param settings files and overrides that it follows from, its folder among them
   */
  record Planned(String title, List<String> settings, RunConfig config) {
    Path folder() {
      return Path.of(config.run().out());
    }

    /** Whether it is made, by these very settings. */
    boolean finished() {
      return Run.in(folder())
          && Run.finished(folder())
          && config.differences(Run.settings(folder())).isEmpty();
    }

    /**
     * What can be seen before any run is made: its model, its tasks, and epochs for them.
     *
     * @throws Failure input (66) or config (78), with the title
     */
    void requireFiles() {
      titled(
          title,
          () -> {
            LlamaConfig.read(Path.of(config.model().path()), config.model().ignored());
            var atHand = TaskSequence.atHand(config.data());
            int stages = config.method().name() == MethodName.mtl ? 1 : atHand.names().size();
            atHand.settings(config).train().epochs().require(stages);
            return config;
          });
    }

    /** The whole command that trains it alone. */
    String command() {
      return Runs.program() + " train " + Quoting.quoted(settings);
    }

    @Override
    public String toString() {
      return title;
    }
  }

  /**
   * What is asked for.
   *
   * @param settings files and overrides that all runs share
   * @param orders of tasks by names; none: the settings' own
   */
  record Asked(
      List<String> settings,
      List<MethodName> methods,
      List<Long> seeds,
      List<String> orders,
      List<Swept> swept,
      Path folder) {}

  /** One of the swept values for each setting that does anything there. */
  private record Choice(Map<Swept, String> values, Map<Swept, String> idle) {}

  /**
   * @throws Failure 78 where settings are wrong, a swept one does nothing in any run, or two runs
   *     would be of the same settings
   */
  static Comparison of(Asked asked) {
    var runs = new ArrayList<Planned>();
    var idle = new LinkedHashMap<Swept, Set<MethodName>>();
    var used = new LinkedHashSet<Swept>();
    for (MethodName method : asked.methods)
      for (int order = 0; order < Math.max(1, asked.orders.size()); order++)
        for (Choice choice : choices(asked, method)) {
          used.addAll(choice.values.keySet());
          for (Swept s : choice.idle.keySet())
            idle.computeIfAbsent(s, _ -> new TreeSet<>()).add(method);
          for (long seed : asked.seeds) runs.add(planned(asked, method, order, seed, choice));
        }
    for (Swept s : asked.swept)
      if (!used.contains(s))
        throw Failure.config(
            "--set %s: does nothing in any of these runs (methods %s): it is another method's, or another setting takes its place",
            s.key(), names(asked.methods));
    requireDistinct(runs);
    return new Comparison(runs, notes(idle));
  }

  private static String names(Iterable<MethodName> methods) {
    var names = new ArrayList<String>();
    methods.forEach(m -> names.add(m.name()));
    return String.join(", ", names);
  }

  private static List<String> notes(Map<Swept, Set<MethodName>> idle) {
    return idle.entrySet().stream()
        .map(
            e ->
                "%s does nothing in some runs of %s, which are made once for all of its values"
                    .formatted(e.getKey().key(), names(e.getValue())))
        .toList();
  }

  /** The product of all values, each combination of those that do anything once. */
  private static List<Choice> choices(Asked asked, MethodName method) {
    var all = new ArrayList<Map<Swept, String>>(List.of(Map.of()));
    for (Swept s : asked.swept) {
      var longer = new ArrayList<Map<Swept, String>>();
      for (var values : all)
        for (String value : s.values()) {
          var more = new LinkedHashMap<>(values);
          more.put(s, value);
          longer.add(more);
        }
      all = longer;
    }
    var choices = new LinkedHashMap<Map<Swept, String>, Choice>();
    for (var values : all) {
      var with = new ArrayList<>(asked.settings);
      values.forEach((s, value) -> with.add(s.key() + "=" + value));
      with.add("method.name=" + method);
      RunConfig config = Settings.read(with);
      var kept = new LinkedHashMap<Swept, String>();
      var idle = new LinkedHashMap<Swept, String>();
      values.forEach((s, value) -> (config.uses(s.key()) ? kept : idle).put(s, value));
      choices.putIfAbsent(kept, new Choice(kept, idle));
    }
    return List.copyOf(choices.values());
  }

  private static Planned planned(
      Asked asked, MethodName method, int order, long seed, Choice choice) {
    String name = method + "-" + seed, title = method + ", seed " + seed;
    if (asked.orders.size() > 1) {
      name += "-order" + (order + 1);
      title += ", order " + (order + 1);
    }
    var settings = new ArrayList<>(asked.settings);
    for (var s : choice.values.entrySet()) {
      name += "-" + shortKey(s.getKey(), asked.swept) + s.getKey().fileName(s.getValue());
      title += ", " + shortKey(s.getKey(), asked.swept) + " " + s.getValue();
      settings.add(s.getKey().key() + "=" + s.getValue());
    }
    settings.add("method.name=" + method);
    settings.add("train.seed=" + seed);
    if (!asked.orders.isEmpty())
      settings.add("data.tasks=" + Quoting.yaml(asked.orders.get(order)));
    if (Settings.read(settings).idle().contains("run.record_heads"))
      settings.add("run.record_heads=false");
    String out = asked.folder.resolve(name).toString();
    settings.add("run.out=" + Quoting.text(out));
    return new Planned(
        title, settings, titled(title, () -> Settings.read(settings).at(out).requireTrainable()));
  }

  /** What is wrong with a run names it. */
  private static RunConfig titled(String title, Supplier<RunConfig> read) {
    try {
      return read.get();
    } catch (Failure wrong) {
      String message = wrong.getMessage().replaceAll("(?m)^", title + ": ");
      throw new Failure(wrong.exit, message);
    }
  }

  /** The last part of a key, and the one before where two swept keys share the last. */
  private static String shortKey(Swept s, List<Swept> swept) {
    boolean shared = swept.stream().filter(o -> o.shortKey().equals(s.shortKey())).count() > 1;
    if (!shared) return s.shortKey();
    return s.key().replaceFirst("^(.*\\.)?([^.]+\\.[^.]+)$", "$2");
  }

  /** No folder is two runs', and no two runs are one. */
  private static void requireDistinct(List<Planned> runs) {
    var folders = new HashMap<String, Planned>();
    var settings = new HashMap<Map<String, String>, Planned>();
    for (Planned run : runs) {
      String name = run.folder().getFileName().toString();
      if (name.length() > LONGEST_NAME)
        throw Failure.config(
            "--set: a folder's name would have %d letters, of at most %d; sweep fewer settings at once",
            name.length(), LONGEST_NAME);
      var same = settings.put(run.config.texts(), run);
      if (same != null)
        throw Failure.config(
            "(%s) and (%s) come to the same settings; name each once", same.title, run.title);
      var there = folders.put(name.toLowerCase(Locale.ROOT), run);
      if (there != null)
        throw Failure.config(
            "(%s) and (%s) would have the same folder, %s", there.title, run.title, name);
    }
  }
}
