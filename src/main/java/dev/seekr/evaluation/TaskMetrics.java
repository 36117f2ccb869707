package dev.seekr.evaluation;

import dev.seekr.Failure;
import dev.seekr.config.EvalSettings;
import dev.seekr.config.MetricName;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which metric each task is judged by: the paper's tables, and what the settings say of other
 * tasks.
 */
public final class TaskMetrics {
  /**
   * TRACE's tasks, and the SuperNI tasks whose answer is one label; every other task is ROUGE-L.
   */
  private static final Map<String, MetricName> TASKS =
      Map.ofEntries(
          Map.entry("C-STANCE", MetricName.accuracy_char),
          Map.entry("FOMC", MetricName.accuracy_char),
          Map.entry("ScienceQA", MetricName.accuracy_char),
          Map.entry("MeetingBank", MetricName.rouge_l),
          Map.entry("Py150", MetricName.similarity),
          Map.entry("NumGLUE-cm", MetricName.exact),
          Map.entry("NumGLUE-ds", MetricName.exact),
          Map.entry("20Minuten", MetricName.sari),
          Map.entry("task363", MetricName.accuracy_word),
          Map.entry("task875", MetricName.accuracy_word),
          Map.entry("task195", MetricName.accuracy_word),
          Map.entry("task1687", MetricName.accuracy_word));

  /** What the authors judge otherwise where they take answers out of reasoning. */
  private static final Map<String, MetricName> REASONED =
      Map.ofEntries(
          Map.entry("C-STANCE", MetricName.equal),
          Map.entry("FOMC", MetricName.equal),
          Map.entry("ScienceQA", MetricName.equal_char),
          Map.entry("NumGLUE-cm", MetricName.equal),
          Map.entry("NumGLUE-ds", MetricName.equal),
          Map.entry("task363", MetricName.equal),
          Map.entry("task875", MetricName.equal),
          Map.entry("task195", MetricName.equal),
          Map.entry("task1687", MetricName.equal));

  private static final Pattern NUMBERED = Pattern.compile("(task\\d+)[^0-9a-z].*");

  private TaskMetrics() {}

  private static Metric metric(MetricName name) {
    return switch (name) {
      case accuracy_char -> Accuracy.CHAR;
      case accuracy_word -> Accuracy.WORD;
      case exact -> Accuracy.EXACT;
      case equal -> Accuracy.EQUAL;
      case equal_char -> Accuracy.EQUAL_CHAR;
      case rouge_l -> new RougeL();
      case similarity -> new EditSimilarity();
      case sari -> new Sari();
      case bleu -> new Bleu(4);
    };
  }

  /**
   * The metric of a task. Names match whatever their case; a SuperNI task also by its number alone,
   * so that an entry for {@code task363} holds for {@code task363_sst2_polarity}.
   *
   * @param overrides metrics by task, which win over the benchmarks' own
   * @param answer what of a prediction it scores
   */
  public static Metric forTask(
      String taskName, Map<String, MetricName> overrides, EvalSettings.Answer answer) {
    boolean reasoned = answer == EvalSettings.Answer.reasoned;
    MetricName name =
        find(overrides, taskName)
            .or(() -> reasoned ? find(REASONED, taskName) : Optional.empty())
            .or(() -> find(TASKS, taskName))
            .orElse(MetricName.rouge_l);
    Metric metric = metric(name);
    boolean letter = find(TASKS, taskName).equals(Optional.of(MetricName.accuracy_char));
    return reasoned ? new Reasoned(metric, letter) : metric;
  }

  /** Throws Failure (78) where a metric is named for a task that is none of these. */
  public static void require(EvalSettings eval, List<String> tasks) {
    for (String named : eval.metrics().keySet())
      if (!tasks.contains(named))
        throw Failure.config("eval.metrics: no task '%s'; there are %s", named, tasks);
  }

  private static Optional<MetricName> find(Map<String, MetricName> table, String taskName) {
    Matcher numbered = NUMBERED.matcher(taskName.toLowerCase(Locale.ROOT));
    return entry(table, taskName)
        .or(() -> numbered.matches() ? entry(table, numbered.group(1)) : Optional.empty());
  }

  private static Optional<MetricName> entry(Map<String, MetricName> table, String name) {
    return table.entrySet().stream()
        .filter(entry -> entry.getKey().equalsIgnoreCase(name))
        .map(Map.Entry::getValue)
        .findFirst();
  }
}
