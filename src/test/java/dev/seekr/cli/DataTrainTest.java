package dev.seekr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.evaluation.ScoreFiles;
import dev.seekr.report.RunLog;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Data of every format are trained on as they are. */
class DataTrainTest {
  @TempDir Path folder;

  private CommandLineRun train(Path out, String... more) {
    var words =
        new java.util.ArrayList<>(
            java.util.List.of(
                "train",
                "model.path=examples/nano",
                "data.root=src/test/resources/data",
                "data.max_prompt=48",
                "data.train_limit=2",
                "data.test_limit=1",
                "method.name=seqft",
                "train.epochs=1",
                "train.batch=2",
                "eval.max_new_tokens=2",
                "run.save_models=false",
                "run.out=" + out));
    words.addAll(java.util.List.of(more));
    return CommandLineRun.of(words.toArray(String[]::new));
  }

  @Test
  void everyFormatInOneSequence() {
    Path out = folder.resolve("all");
    var run =
        train(
            out,
            "data.tasks=[array, numbers, lines, lines_as_json, zipped, alpaca, sharegpt, messages, superni, csv, tsv, parquet, parts, folder]");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(ScoreFiles.loadJson(out.resolve("scores.json")).trained()).isEqualTo(14);
    var steps =
        RunLog.read(out.resolve("log.jsonl")).stream()
            .filter(e -> e.path("event").textValue().equals("step"))
            .toList();
    assertThat(steps).hasSize(14).allMatch(s -> s.path("loss").doubleValue() > 0);
  }

  @Test
  void fieldsThatAreNamed() {
    Path out = folder.resolve("named");
    var run =
        train(
            out,
            "data.tasks=[named]",
            "data.fields={prompt: question + context, answer: answers.text}");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(ScoreFiles.loadJson(out.resolve("scores.json")).trained()).isEqualTo(1);
  }

  @Test
  void whatIsCutIsSaidBeforeTraining() {
    var run = train(folder.resolve("cut"), "data.tasks=[lines]", "data.max_prompt=8");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out())
        .contains("lines: 2 of 2 prompts are cut on the left (data.max_prompt 8; data.too_long")
        .contains("lines: 1 of 1 test prompts are cut");
    run =
        train(
            folder.resolve("fail"),
            "data.tasks=[lines]",
            "data.max_prompt=8",
            "data.too_long=fail");
    assertThat(run.code()).isEqualTo(65);
    assertThat(run.err())
        .contains("train.jsonl: line 1: the prompt is longer than data.max_prompt 8");
    assertThat(folder.resolve("fail")).doesNotExist();
  }

  @Test
  void replayThatKeepsNothingIsRefused() {
    for (String method : java.util.List.of("seekr", "derpp", "agem", "lfpt5")) {
      Path out = folder.resolve(method);
      String[] none = {"data.tasks=[lines, csv]", "method.name=" + method, "method.replay_ratio=0"};
      var run = train(out, none);
      assertThat(run.code()).as(method).isEqualTo(78);
      assertThat(run.err())
          .contains("method.replay_ratio 0 of 2 samples (lines) keeps none; at least one is kept");
      assertThat(out).doesNotExist();
    }
  }

  /** A hundredth of two samples is none, rounded; one is kept all the same, and said. */
  @Test
  void aShareBelowOneSampleKeepsOne() {
    for (String method : List.of("replay", "seekr")) {
      var run =
          train(
              folder.resolve(method),
              "data.tasks=[lines, csv]",
              "method.name=" + method,
              "method.replay_ratio=0.01");
      assertThat(run.code()).as(run.err()).isZero();
      assertThat(run.out())
          .contains("task 2/2 csv: 2 samples and 1 replayed", method + ": kept 1 of 2, 1 of 2");
    }
  }

  @Test
  void conversationsByATemplate() {
    Path out = folder.resolve("chat");
    String template = "src/test/resources/chat/llama2.jinja";
    String[] settings = {"data.tasks=[messages, lines]", "data.chat=" + template};
    var run = train(out, settings);
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(ScoreFiles.loadJson(out.resolve("scores.json")).trained()).isEqualTo(2);
    var again = CommandLineRun.of("resume", out.toString());
    assertThat(again.out()).as(again.err()).contains("the run is finished");
    var none = train(folder.resolve("none"), "data.tasks=[lines]", "data.chat=template");
    assertThat(none.code()).isEqualTo(78);
    assertThat(none.err()).contains("examples/nano: has no chat template");
    for (String other : List.of("method.name=lfpt5", "data.tokenize=joint")) {
      var refused = train(folder.resolve("other"), settings[0], settings[1], other);
      assertThat(refused.code()).isEqualTo(78);
      assertThat(refused.err()).contains("data.chat is not none");
    }
  }

  @Test
  void generateByATemplate() {
    String template = "--chat=src/test/resources/chat/vicuna.jinja";
    var chat =
        CommandLineRun.of("generate", "examples/nano", "Hello", template, "--max-new-tokens=4");
    assertThat(chat.code()).as(chat.err()).isZero();
    String put =
        "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, detailed, and polite answers to the user's questions. USER: Hello ASSISTANT:";
    var plain = CommandLineRun.of("generate", "examples/nano", put, "--max-new-tokens=4");
    assertThat(chat.out()).isEqualTo(plain.out()).isNotBlank();
    var none = CommandLineRun.of("generate", "examples/nano", "Hello", "--chat");
    assertThat(none.code()).isEqualTo(78);
    assertThat(none.err()).contains("has no chat template");
  }
}
