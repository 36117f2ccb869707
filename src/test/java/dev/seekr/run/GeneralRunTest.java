package dev.seekr.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.seekr.Failure;
import dev.seekr.Stop;
import dev.seekr.config.ConfigReader;
import dev.seekr.config.MethodName;
import dev.seekr.config.RunConfig;
import dev.seekr.disk.RunFolder;
import dev.seekr.report.RunLog;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Samples of no task in whole runs. */
class GeneralRunTest {
  @TempDir Path folder;

  private RunConfig config(String... more) {
    var settings =
        new ArrayList<>(
            List.of(
                "model.path=examples/nano",
                "data.root=examples/superni",
                "data.tasks=[task363, task1687]",
                "data.general=examples/superni/task1510",
                "data.general_share=0.5",
                "data.general_loss=kl",
                "data.max_prompt=24",
                "data.train_limit=4",
                "data.test_limit=1",
                "method.replay_samples=2",
                "method.buffer_dtype=f32",
                "method.seekr.queries=5",
                "method.prompt.length=2",
                "method.lfpt5.top_k=3",
                "train.epochs=1",
                "train.batch=2",
                "train.accumulate=2",
                "train.lr=1e-3",
                "eval.max_new_tokens=1",
                "run.save_models=false",
                "run.out=" + folder.resolve("run")));
    settings.addAll(List.of(more));
    return ConfigReader.parse("", "test", settings);
  }

  private static List<JsonNode> steps(RunConfig config) {
    try (var run = Run.open(config, Stop.NEVER, List.of())) {
      run.train();
      return RunLog.read(new RunFolder(run.folder().path()).log()).stream()
          .filter(e -> e.path("event").asText().equals("step"))
          .toList();
    }
  }

  /** Each step of the first task has two new samples and two general ones. */
  @ParameterizedTest
  @EnumSource
  void everyMethod(MethodName name) {
    var steps = steps(config("method.name=" + name));
    boolean prompts = List.of("pp", "l2p", "lfpt5").contains(name.name());
    JsonNode first = steps.getFirst();
    assertThat(first.required("weights").required("general").doubleValue())
        .isCloseTo(0.5, within(1e-9));
    assertThat(first.required("weights").required("task").doubleValue())
        .isCloseTo(0.5, within(1e-9));
    double at = first.required("losses").required("general").doubleValue();
    if (prompts) assertThat(at).isGreaterThan(1e-3);
    else assertThat(at).isBetween(-1e-6, 1e-6);
    double last = 0;
    for (JsonNode step : steps) {
      double total = 0;
      for (var term : step.required("losses").properties())
        total +=
            term.getValue().doubleValue()
                * step.required("weights").required(term.getKey()).doubleValue();
      assertThat(step.required("loss").doubleValue()).isFinite().isCloseTo(total, within(1e-9));
      if (step.required("losses").has("general"))
        last = step.required("losses").required("general").doubleValue();
    }
    assertThat(last).isGreaterThan(1e-6);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          data.general_share=0 | 78 | data.general_share is 0
          data.general_share=1 | 78 | must be at least 0 and below 1
          data.general=none | 66 | none: no such folder (data.general)
          data.general=examples | 66 | examples/train.json: no such file
          """)
  void refused(String setting, int exit, String message) {
    var failure =
        catchThrowableOfType(
            Failure.class,
            () -> {
              var config = config(setting).requireTrainable();
              Run.open(config, Stop.NEVER, List.of()).close();
            });
    assertThat(failure.exit.code).isEqualTo(exit);
    assertThat(failure).hasMessageContaining(message);
    assertThat(folder.resolve("run")).doesNotExist();
  }

  /** What is written is known before. */
  @Test
  void theDiskIsReckonedWith() {
    try (var run = Run.open(config("method.name=seqft"), Stop.NEVER, List.of())) {
      assertThat(run.notes()).anyMatch(note -> note.contains("kept of the tasks"));
    }
  }
}
