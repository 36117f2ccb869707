package dev.seekr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckTest {
  private static final List<String> SETTINGS =
      List.of(
          "model.path=examples/nano",
          "data.root=src/test/resources/data",
          "data.tasks=[lines, numbers]",
          "data.max_answer=3",
          "train.batch=4",
          "train.epochs=3",
          "method.replay_samples=2",
          "method.seekr.heads=5");

  @TempDir Path folder;

  private static CommandLineRun run(String command, Object... more) {
    var words = new ArrayList<String>(List.of(command));
    words.addAll(SETTINGS);
    for (Object word : more) words.add(word.toString());
    return CommandLineRun.of(words.toArray(String[]::new));
  }

  private static JsonNode json(Object... more) throws IOException {
    var run = run("check", Stream.concat(Stream.of("--json"), Stream.of(more)).toArray());
    assertThat(run.code()).as(run.err()).isZero();
    return new ObjectMapper().readTree(run.out());
  }

  @Test
  void saysWhatWouldBeTrained() throws IOException {
    JsonNode survey = json(), preview = survey.path("preview");
    assertThat(preview.path("method").textValue()).isEqualTo("seekr");
    var settings = preview.path("settings");
    assertThat(settings.path("kept").textValue()).isEqualTo("2 of 8, 2 of 8");
    assertThat(settings.path("lambda2").textValue()).isEqualTo("100.0");
    assertThat(settings.path("heads").textValue()).isEqualTo("5 of 32");
    assertThat(settings.path("layers").textValue()).isEqualTo("1 of 4");
    var lines = preview.path("tasks").path(0);
    assertThat(lines.path("name").textValue()).isEqualTo("lines");
    assertThat(lines.path("train").intValue()).isEqualTo(8);
    assertThat(lines.path("test").intValue()).isEqualTo(4);
    assertThat(lines.path("answers_cut").intValue()).isZero();
    var shorter = json("data.max_answer=2").path("preview");
    assertThat(shorter.path("tasks").path(0).path("answers_cut").intValue())
        .as("green and blue are two tokens each")
        .isEqualTo(5);
    assertThat(shorter.path("notes").path(0).textValue())
        .startsWith("lines: 5 of 8 answers are cut");
    var second = preview.path("stages").path(1);
    assertThat(second.path("replayed").intValue()).isEqualTo(2);
    assertThat(second.path("epochs").intValue()).isEqualTo(3);
    assertThat(second.path("steps").intValue()).isEqualTo(3 * (2 + 1));
    assertThat(second.path("replaying").intValue()).isEqualTo(3);
    assertThat(survey.path("memory_bytes").longValue()).isGreaterThan(4 * 1_311_872 * 4);
    assertThat(survey.path("disk_bytes").longValue()).isGreaterThan(1_311_872 * 4);
    assertThat(survey.path("seconds").doubleValue()).isPositive();
    var names = new ArrayList<String>();
    survey.fieldNames().forEachRemaining(names::add);
    assertThat(names)
        .containsExactly("backend", "preview", "memory_bytes", "disk_bytes", "seconds", "samples");
  }

  /** Two replayed samples fill one of five steps of an epoch; with larger ones, one of three. */
  @Test
  void saysWhereFewStepsReplay() {
    assertThat(run("check", "train.batch=2", "train.epochs=2").out())
        .contains("numbers: 2 of 10 steps replay, since a step is all new or all replayed;");
    assertThat(run("check", "train.batch=4").out()).doesNotContain("steps replay");
    assertThat(run("check", "train.batch=1", "train.accumulate=2").out())
        .doesNotContain("steps replay");
    assertThat(run("check", "train.batch=2", "method.name=seqft").out())
        .doesNotContain("steps replay");
  }

  @Test
  void marksTargetsTokenByToken() throws IOException {
    var text = new StringBuilder();
    var targets = new StringBuilder();
    for (JsonNode token : json("data.max_answer=9").path("samples").path("lines")) {
      text.append(token.path("text").textValue());
      if (token.path("target").booleanValue()) targets.append(token.path("text").textValue());
    }
    assertThat(text.toString())
        .isEqualTo("<s>Which colour?\nBox 0 is painted \"red\", not grey.red</s>");
    assertThat(targets.toString()).isEqualTo("red</s>");
    var all = json("data.loss_on=all").path("samples").path("lines");
    assertThat(all.path(0).path("target").booleanValue()).isFalse();
    assertThat(all.path(1).path("target").booleanValue()).isTrue();
  }

  @Test
  void stepsAreThoseThatAreTaken() throws IOException {
    int planned = 0;
    for (JsonNode stage : json().path("preview").path("stages"))
      planned += stage.path("steps").intValue();
    Path out = folder.resolve("run");
    var train = run("train", "run.out=" + out, "run.save_models=false", "eval.max_new_tokens=1");
    assertThat(train.code()).as(train.err()).isZero();
    assertThat(train.out())
        .contains("task 1/2 lines: 8 samples, 3 epochs, 6 steps")
        .contains("task 2/2 numbers: 8 samples and 2 replayed, 3 epochs, 9 steps")
        .contains("seekr: kept 2 of 8, 2 of 8; lambda2 100.0; layers 1 of 4; heads 5 of 32; rows");
    try (var log = Files.lines(out.resolve("log.jsonl"))) {
      assertThat(log.filter(l -> l.startsWith("{\"event\":\"step\"")).count()).isEqualTo(planned);
    }
  }

  @Test
  void samplesOfBothSplitsAreFound() throws IOException {
    Path task = Files.createDirectories(folder.resolve("data/t"));
    Files.writeString(task.resolve("train.csv"), "prompt,answer\np,a\nq,b\nr,c\n");
    Files.writeString(
        task.resolve("test.jsonl"),
        "{\"prompt\":\"p\",\"answer\":[\"x\",\"a\"]}\n{\"prompt\":\"q \",\"answer\":\"b\"}\n{\"prompt\":\"r\",\"answer\":\"d\"}\n");
    var run = run("check", "data.root=" + folder.resolve("data"), "data.tasks=[t]");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out()).contains("t: 2 of 3 test samples stand in its training data too");
    assertThat(folder.resolve("data")).isDirectoryContaining(p -> p.endsWith("t"));
  }

  @Test
  void whatIsWrongIsSaidAsTrainWouldSayIt() {
    for (String[] wrong :
        new String[][] {
          {
            "78",
            "method.replay_ratio 0 of 8 samples (lines) keeps none; at least one is kept where",
            "method.replay_samples=0",
            "method.replay_ratio=0"
          },
          {"78", "train.epochs has 3 numbers; expected one", "train.epochs=[1, 2, 3]"},
          {"78", "eval.metrics: no task 'x'", "eval.metrics={x: exact}"},
          {"66", "no such task folder", "data.tasks=[none]"},
          {
            "65",
            "train.jsonl: line 1: the prompt is longer",
            "data.max_prompt=3",
            "data.too_long=fail"
          }
        }) {
      var settings = List.of(wrong).subList(2, wrong.length);
      var run = run("check", settings.toArray());
      assertThat(run.code()).as(wrong[1]).isEqualTo(Integer.parseInt(wrong[0]));
      assertThat(run.err()).contains(wrong[1]);
      assertThat(run.out()).isEmpty();
    }
  }
}
