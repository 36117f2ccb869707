package dev.seekr.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.seekr.config.EvalSettings.Answer;
import dev.seekr.config.MetricName;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Answers taken out of reasoning, against the verdicts of the authors' own functions. */
class ReasonedTest {
  /** A number of the verdicts, the metric that gives it, and what turns it into percent. */
  private record Verdict(String name, Metric metric, double factor) {}

  /** What the authors compute of a task beside the score by which they judge it. */
  private static List<Verdict> more(String task) {
    var bleus =
        List.of(new Verdict("bleu_1", new Bleu(1), 100), new Verdict("bleu_4", new Bleu(4), 100));
    return switch (task) {
      case "MeetingBank" -> bleus;
      case "20Minuten", "ScienceQA" -> {
        var all = new ArrayList<>(bleus);
        all.add(new Verdict("rouge_l", new RougeL(), 100));
        yield all;
      }
      default -> List.of();
    };
  }

  private static Verdict main(String task) {
    Metric metric = TaskMetrics.forTask(task, Map.of(), Answer.reasoned);
    return switch (metric.name()) {
      case "sari" -> new Verdict("sari", metric, 1);
      case "similarity" -> new Verdict("fuzz_ratio", metric, 1);
      case "rouge_l" -> new Verdict("rouge_l", metric, 100);
      default -> new Verdict("accuracy", metric, 100);
    };
  }

  /** The authors compare what is behind a letter and its line break, of which nothing is left. */
  private static String compared(String task, String text) {
    return !task.equals("ScienceQA") ? text : text.length() < 2 ? "" : text.substring(2);
  }

  @Test
  void everyRowIsJudgedAsTheAuthorsJudgeIt() throws Exception {
    JsonNode golden;
    try (var in = getClass().getResourceAsStream("/golden/metrics-reasoning.json")) {
      golden = new ObjectMapper().readTree(in);
    }
    var scores = new HashMap<String, List<OptionalDouble>>();
    int numbers = 0;
    for (JsonNode row : golden.required("rows")) {
      String task = row.required("task").textValue();
      String source = row.required("source").textValue();
      String prediction = row.required("prediction").textValue();
      String target = row.required("target").textValue();
      Verdict main = main(task);
      String answer = main.metric.answer(prediction);
      assertThat(answer).as("%s", row).isEqualTo(row.required("answer").textValue());
      OptionalDouble score = main.metric.score(source, prediction, target);
      same(row, main, score);
      scores.computeIfAbsent(task, t -> new ArrayList<>()).add(score);
      for (Verdict verdict : more(task)) {
        same(
            row,
            verdict,
            verdict.metric.score(source, compared(task, answer), compared(task, target)));
        numbers++;
      }
      numbers++;
      assertThat(row.size()).as("%s", row).isEqualTo(6 + more(task).size());
    }
    assertThat(numbers).isEqualTo(272 + 34 * 2 + 68 * 3);
    scores.forEach(
        (task, all) -> {
          Verdict main = main(task);
          double mean = golden.required("tasks").required(task).required(main.name).doubleValue();
          assertThat(main.metric.aggregate(all))
              .as(task)
              .isCloseTo(main.factor * mean, within(1e-9));
        });
    assertThat(scores).hasSize(8);
  }

  private static void same(JsonNode row, Verdict verdict, OptionalDouble score) {
    assertThat(score.orElse(0))
        .as("%s of %s", verdict.name, row)
        .isFinite()
        .isCloseTo(verdict.factor * row.required(verdict.name).doubleValue(), within(1e-9));
  }

  /** As the authors' functions for them: equal strings, or ROUGE-L. */
  @ParameterizedTest
  @CsvSource({
    "task363_sst2_polarity_classification, 'because\nAnswer: POS', POS, equal, 100",
    "task875, 'joy and love', joy, equal, 0",
    "task1687, 'POS\nReasoning: none', 'POS ', equal, 0",
    "task1510, 'so\nAnswer: a b', 'a b', rouge_l, 100",
    "mine, 'a\nReasoning: b', a, rouge_l, 100"
  })
  void tasksOfNoReasoningBenchmark(
      String task, String prediction, String target, String metric, double score) {
    Metric reasoned = TaskMetrics.forTask(task, Map.of(), Answer.reasoned);
    assertThat(reasoned.name()).isEqualTo(metric);
    assertThat(reasoned.score("", prediction, target).orElseThrow()).isCloseTo(score, within(1e-5));
  }

  @Test
  void settingsChooseTheMetricAndNotTheAnswer() {
    Metric own = TaskMetrics.forTask("FOMC", Map.of("FOMC", MetricName.bleu), Answer.reasoned);
    assertThat(own.name()).isEqualTo("bleu");
    assertThat(own.answer("why\nAnswer: A because")).isEqualTo("A");
    assertThat(own.answer("why\nAnswer: 😀x")).isEqualTo("😀");
  }

  @Test
  void withoutReasoningAllOfItIsScored() {
    Metric whole = TaskMetrics.forTask("NumGLUE-cm", Map.of(), Answer.whole);
    assertThat(whole.answer("7\nReasoning: 1")).isEqualTo("7\nReasoning: 1");
    assertThat(whole.score("", "7\nReasoning: 1", "7")).hasValue(0);
  }
}
