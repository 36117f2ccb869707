package dev.seekr.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.seekr.Failure;
import dev.seekr.config.ConfigReader;
import dev.seekr.config.EvalSettings.Answer;
import dev.seekr.config.MetricName;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class TaskMetricsTest {
  @ParameterizedTest
  @CsvSource({
    "C-STANCE, accuracy_char",
    "c-stance, accuracy_char",
    "FOMC, accuracy_char",
    "ScienceQA, accuracy_char",
    "MeetingBank, rouge_l",
    "Py150, similarity",
    "NumGLUE-cm, exact",
    "NUMGLUE-DS, exact",
    "20Minuten, sari",
    "task363, accuracy_word",
    "task363_sst2_polarity, accuracy_word",
    "TASK875-emotion, accuracy_word",
    "task195, accuracy_word",
    "task1687, accuracy_word",
    "task3630_other, rouge_l",
    "task36, rouge_l",
    "task181, rouge_l",
    "task363x, rouge_l",
    "my own task, rouge_l"
  })
  void benchmarkTasksHaveTheirMetric(String task, String metric) {
    assertThat(TaskMetrics.forTask(task, Map.of(), Answer.whole).name()).isEqualTo(metric);
  }

  @Test
  void settingsWin() {
    var settings =
        Map.of(
            "fomc",
            MetricName.exact,
            "task363",
            MetricName.bleu,
            "task363_own",
            MetricName.sari,
            "mine",
            MetricName.similarity);
    assertThat(TaskMetrics.forTask("FOMC", settings, Answer.whole).name()).isEqualTo("exact");
    assertThat(TaskMetrics.forTask("task363_sst2_polarity", settings, Answer.whole).name())
        .isEqualTo("bleu");
    assertThat(TaskMetrics.forTask("Task363_own", settings, Answer.whole).name()).isEqualTo("sari");
    assertThat(TaskMetrics.forTask("mine", settings, Answer.whole).name()).isEqualTo("similarity");
    assertThat(TaskMetrics.forTask("mines", settings, Answer.whole).name()).isEqualTo("rouge_l");
  }

  @Test
  void anEntryForOneTaskIsNotForAnotherOfThatNumber() {
    assertThat(
            TaskMetrics.forTask("task5_b", Map.of("task5_a", MetricName.exact), Answer.whole)
                .name())
        .isEqualTo("rouge_l");
  }

  @ParameterizedTest
  @EnumSource
  void aMetricHasTheNameThatSettingsGiveIt(MetricName name) {
    assertThat(TaskMetrics.forTask("t", Map.of("t", name), Answer.whole).name())
        .isEqualTo(name.name());
  }

  @Test
  void aMetricOfNoTaskIsRefused() {
    var settings = ConfigReader.parse("", "test", List.of("eval.metrics={mine: sari}")).eval();
    TaskMetrics.require(settings, List.of("FOMC", "mine"));
    assertThatThrownBy(() -> TaskMetrics.require(settings, List.of("FOMC")))
        .isInstanceOfSatisfying(
            Failure.class, failure -> assertThat(failure.exit).isEqualTo(Failure.Exit.CONFIG))
        .hasMessageContainingAll("no task 'mine'", "FOMC");
  }
}
