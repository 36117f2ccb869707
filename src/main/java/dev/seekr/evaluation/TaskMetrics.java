package dev.seekr.evaluation;

import dev.seekr.Failure;
import dev.seekr.config.EvalSettings;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which metric each task is judged by: the paper's tables, and what the settings say of other
 * tasks.
 */
public final class TaskMetrics {
  private static final Map<String, Metric> METRICS = new LinkedHashMap<>();

  static {
    for (Metric metric :
        List.of(
            Accuracy.CHAR,
            Accuracy.WORD,
            Accuracy.EXACT,
            Accuracy.EQUAL,
            Accuracy.EQUAL_CHAR,
            new RougeL(),
            new EditSimilarity(),
            new Sari(),
            new Bleu(4))) {
      METRICS.put(metric.name(), metric);
    }
  }

  /**
   * TRACE's tasks, and the SuperNI tasks whose answer is one label; every other task is ROUGE-L.
   */
  private static final Map<String, String> TASKS =
      Map.ofEntries(
          Map.entry("C-STANCE", "accuracy_char"),
          Map.entry("FOMC", "accuracy_char"),
          Map.entry("ScienceQA", "accuracy_char"),
          Map.entry("MeetingBank", "rouge_l"),
          Map.entry("Py150", "similarity"),
          Map.entry("NumGLUE-cm", "exact"),
          Map.entry("NumGLUE-ds", "exact"),
          Map.entry("20Minuten", "sari"),
          Map.entry("task363", "accuracy_word"),
          Map.entry("task875", "accuracy_word"),
          Map.entry("task195", "accuracy_word"),
          Map.entry("task1687", "accuracy_word"));

  /** What the authors judge otherwise where they take answers out of reasoning. */
  private static final Map<String, String> REASONED =
      Map.ofEntries(
          Map.entry("C-STANCE", "equal"),
          Map.entry("FOMC", "equal"),
          Map.entry("ScienceQA", "equal_char"),
          Map.entry("NumGLUE-cm", "equal"),
          Map.entry("NumGLUE-ds", "equal"),
          Map.entry("task363", "equal"),
          Map.entry("task875", "equal"),
          Map.entry("task195", "equal"),
          Map.entry("task1687", "equal"));

  private static final Pattern NUMBERED = Pattern.compile("(task\\d+)[^0-9a-z].*");

  private TaskMetrics() {}

  /** The names that a setting may give. */
  public static Set<String> names() {
    return Collections.unmodifiableSet(METRICS.keySet());
  }

  /**
   * The metric of a task. Names match whatever their case; a SuperNI task also by its number alone,
   * so that an entry for {@code task363} holds for {@code task363_sst2_polarity}.
   *
   * @param overrides names of metrics by task, which win over the benchmarks' own
   * @param answer what of a prediction it scores
   */
  public static Metric forTask(
      String taskName, Map<String, String> overrides, EvalSettings.Answer answer) {
    boolean reasoned = answer == EvalSettings.Answer.reasoned;
    String name =
        find(overrides, taskName)
            .or(() -> reasoned ? find(REASONED, taskName) : Optional.empty())
            .or(() -> find(TASKS, taskName))
            .orElse("rouge_l");
    Metric metric = METRICS.get(name);
    if (metric == null) {
      throw Failure.config(
          "eval.metrics: no metric '%s' for task %s; there are %s",
          name, taskName, String.join(", ", METRICS.keySet()));
    }
    boolean letter = find(TASKS, taskName).equals(Optional.of(Accuracy.CHAR.name()));
    return reasoned ? new Reasoned(metric, letter) : metric;
  }

  /** Throws Failure (78) where a metric is unknown, or named for a task that is none of these. */
  public static void require(EvalSettings eval, List<String> tasks) {
    tasks.forEach(task -> forTask(task, eval.metrics(), eval.answer()));
    for (String named : eval.metrics().keySet())
      if (!tasks.contains(named))
        throw Failure.config("eval.metrics: no task '%s'; there are %s", named, tasks);
  }

  private static Optional<String> find(Map<String, String> table, String taskName) {
    Matcher numbered = NUMBERED.matcher(taskName.toLowerCase(Locale.ROOT));
    return entry(table, taskName)
        .or(() -> numbered.matches() ? entry(table, numbered.group(1)) : Optional.empty());
  }

  private static Optional<String> entry(Map<String, String> table, String name) {
    return table.entrySet().stream()
        .filter(entry -> entry.getKey().equalsIgnoreCase(name))
        .map(Map.Entry::getValue)
        .findFirst();
  }
}
