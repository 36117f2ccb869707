package dev.seekr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.seekr.evaluation.ScoreFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** With --json stdout is one object and nothing else. */
class JsonTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;

  private static JsonNode object(CommandLineRun run, int code) throws IOException {
    assertThat(run.code()).as(run.err()).isEqualTo(code);
    return JSON.reader()
        .with(com.fasterxml.jackson.databind.DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
        .readTree(run.out());
  }

  private static List<String> names(JsonNode object) {
    var names = new ArrayList<String>();
    object.fieldNames().forEachRemaining(names::add);
    return names;
  }

  @Test
  void trainAndResume() throws IOException {
    Path out = folder.resolve("run");
    JsonNode outcome = object(Tiny.run("train", "--json", "run.out=" + out), 0);
    assertThat(names(outcome))
        .containsExactly(
            "method",
            "out",
            "tasks",
            "scores",
            "op",
            "bwt",
            "bwt_released",
            "fwt",
            "seconds",
            "peak_rss_bytes",
            "stored_bytes");
    var scores = ScoreFiles.loadJson(out.resolve("scores.json"));
    assertThat(outcome.path("method").textValue()).isEqualTo("seqft");
    assertThat(outcome.path("out").textValue()).isEqualTo(out.toString());
    assertThat(outcome.path("tasks")).hasSize(2);
    assertThat(outcome.path("scores").path(0).path(1).isNull()).isTrue();
    assertThat(outcome.path("scores").path(1).path(0).doubleValue())
        .isEqualTo(scores.get(0, 1).orElseThrow());
    assertThat(outcome.path("op").doubleValue()).isEqualTo(scores.op().orElseThrow());
    var again = CommandLineRun.of("resume", "--json", out.toString());
    assertThat(again.err()).contains("the run is finished");
    assertThat(object(again, 0).path("scores")).isEqualTo(outcome.path("scores"));
  }

  @Test
  void eventsHaveTheirFieldsInOneOrder() throws IOException {
    Path out = folder.resolve("run");
    assertThat(Tiny.run("train", "run.out=" + out).code()).isZero();
    for (String line : Files.readAllLines(out.resolve("log.jsonl"))) {
      JsonNode event = JSON.readTree(line);
      var names = names(event);
      assertThat(names).startsWith("event", "time");
      List<String> expected =
          switch (event.path("event").textValue()) {
            case "run" -> List.of("method", "variant", "backend", "tasks", "parameters", "seed");
            case "step" ->
                List.of(
                    "task",
                    "epoch",
                    "step",
                    "loss",
                    "losses",
                    "weights",
                    "lr",
                    "grad_norm",
                    "tokens",
                    "seconds",
                    "peak_bytes");
            case "evaluation" -> List.of("after", "task", "metric", "score");
            case "end" ->
                List.of(
                    "op",
                    "bwt",
                    "bwt_released",
                    "seconds",
                    "peak_rss_bytes",
                    "stored_bytes",
                    "memory");
            default -> List.of();
          };
      assertThat(names.subList(2, names.size())).isEqualTo(expected);
    }
  }

  @Test
  void evalWritesItsAnswersAndScores() throws IOException {
    Path out = folder.resolve("eval");
    var run =
        CommandLineRun.of(
            "eval",
            "--json",
            "--out=" + out,
            "model.path=examples/nano",
            "data.root=src/test/resources/data",
            "data.tasks=[array, lines]",
            "data.max_prompt=9",
            "eval.max_new_tokens=2",
            "eval.metrics={array: exact}",
            "run.threads=1");
    JsonNode scores = object(run, 0);
    assertThat(names(scores)).containsExactly("model", "backend", "tasks");
    JsonNode array = scores.path("tasks").path(0);
    assertThat(names(array)).containsExactly("task", "samples", "metric", "score");
    assertThat(array.path("samples").intValue()).isEqualTo(4);
    assertThat(array.path("metric").textValue()).isEqualTo("exact");
    assertThat(scores.path("tasks").path(1).path("metric").textValue()).isEqualTo("rouge_l");
    assertThat(run.err())
        .contains("answers to array  step 1/1", "array: 4 of 4 test prompts are cut on the left");
    assertThat(JSON.readTree(out.resolve("scores.json").toFile())).isEqualTo(scores);
    var lines = Files.readAllLines(out.resolve("predictions/array.jsonl"));
    assertThat(lines).hasSize(4);
    assertThat(names(JSON.readTree(lines.getFirst())))
        .startsWith("prompt", "answer", "answers", "prediction");
    assertThat(JSON.readTree(lines.getFirst()).path("answers")).hasSize(2);
    assertThat(
            names(
                JSON.readTree(
                    Files.readAllLines(out.resolve("predictions/lines.jsonl")).getFirst())))
        .doesNotContain("answers");
  }

  @Test
  void generate() throws IOException {
    String[] words = {"generate", "examples/nano", "The", "box \"a\"", "--max-new-tokens=3"};
    var plain = CommandLineRun.of(words);
    var said = new ArrayList<>(List.of(words));
    said.add("--json");
    JsonNode answers = object(CommandLineRun.of(said.toArray(String[]::new)), 0).path("answers");
    assertThat(answers).hasSize(2);
    assertThat(answers.path(1).path("prompt").textValue()).isEqualTo("box \"a\"");
    assertThat(plain.out())
        .isEqualTo(
            answers.path(0).path("answer").textValue()
                + "\n"
                + answers.path(1).path("answer").textValue()
                + "\n");
  }

  @Test
  void plan() throws IOException {
    String[] words = {"plan", "--json", "model.path=examples/nano", "--memory", "0.01"};
    JsonNode plan = object(CommandLineRun.of(words), 1);
    assertThat(plan.path("method").textValue()).isEqualTo("seekr");
    assertThat(plan.path("parameters").longValue()).isEqualTo(1_311_872);
    assertThat(plan.path("bytes").longValue()).isGreaterThan(10_000_000);
    assertThat(plan.path("fits").booleanValue()).isFalse();
    assertThat(plan.path("phases").path(0).path("by_tag").path("weights").longValue())
        .isGreaterThanOrEqualTo(4 * 1_311_872);
  }

  @Test
  void compare() throws IOException {
    var run =
        Tiny.run(
            "compare", "--json", "--methods=seqft", "--seeds=1,2", "--out=" + folder.resolve("c"));
    JsonNode rows = object(run, 0).path("methods");
    assertThat(rows).hasSize(1);
    assertThat(rows.path(0).path("runs").intValue()).isEqualTo(2);
    assertThat(run.err()).contains("run 2/2: seqft, seed 2");
  }

  @Test
  void verify() throws IOException {
    Path golden = Path.of("src/test/resources/golden");
    Path one;
    try (var all = Files.walk(golden)) {
      one = all.filter(p -> p.endsWith("config.json")).sorted().findFirst().orElseThrow();
    }
    JsonNode verified =
        object(CommandLineRun.of("verify", "--json", one.getParent().toString()), 0);
    assertThat(verified.path("missed").longValue()).isZero();
    assertThat(verified.path("checks")).hasSize(verified.path("quantities").intValue());
    assertThat(verified.path("checks").path(0).path("passed").booleanValue()).isTrue();
  }

  @Test
  void reportSaysWhatItWrote() throws IOException {
    Path run = folder.resolve("run"), page = folder.resolve("page.html");
    assertThat(Tiny.run("train", "run.out=" + run).code()).isZero();
    JsonNode written =
        object(CommandLineRun.of("report", run.toString(), "-o", page.toString(), "--json"), 0);
    assertThat(names(written)).containsExactly("page", "runs");
    assertThat(written.path("page").path("file").textValue()).isEqualTo(page.toString());
    assertThat(written.path("page").path("bytes").longValue()).isEqualTo(Files.size(page));
    assertThat(written.path("runs")).hasSize(1);
    assertThat(written.path("runs").path(0).textValue()).isEqualTo(run.toString());
  }

  @Test
  void convertSaysWhatItWrote() throws IOException {
    Path out = folder.resolve("model");
    var run =
        CommandLineRun.of(
            "convert",
            "examples/nano",
            out.toString(),
            "--json",
            "--dtype=f32",
            "--shard-size=4MB");
    JsonNode made = object(run, 0);
    assertThat(names(made)).containsExactly("model", "files");
    assertThat(made.path("model").textValue()).isEqualTo(out.toString());
    var files = new ArrayList<String>();
    for (JsonNode file : made.path("files")) {
      Path path = Path.of(file.path("file").textValue());
      assertThat(file.path("bytes").longValue()).isEqualTo(Files.size(path));
      files.add(out.relativize(path).toString());
    }
    assertThat(files)
        .containsExactly(
            "config.json",
            "model-00001-of-00002.safetensors",
            "model-00002-of-00002.safetensors",
            "model.safetensors.index.json",
            "tokenizer.json");
    assertThat(run.err()).contains("tokenizer.json is taken as it is.");
  }

  /** A command that came without would be noticed here; bench writes its figures into a file. */
  @Test
  void everyCommandHasTheOption() {
    var without = new ArrayList<String>();
    for (Class<?> command : Main.class.getAnnotation(Command.class).subcommands())
      if (Stream.of(command.getDeclaredFields())
          .map(f -> f.getAnnotation(Option.class))
          .noneMatch(o -> o != null && List.of(o.names()).contains("--json")))
        without.add(command.getAnnotation(Command.class).name());
    assertThat(without).containsExactlyInAnyOrder("completion", "bench");
  }

  /** Rounding turns what methods choose, so that nothing narrower can be told apart by them. */
  @ParameterizedTest
  @ValueSource(strings = "--dtype")
  void runsOfMethodsAreComparedInF32Alone(String option) {
    String methods = "src/test/resources/methods";
    var run = CommandLineRun.of("verify", methods, "--backend=reference", option, "bf16");
    assertThat(run.code()).isEqualTo(78);
    assertThat(run.err())
        .startsWith("seekr: " + methods + ": runs of methods are compared in f32 alone")
        .hasLineCount(1);
  }

  @Test
  void info() throws IOException {
    JsonNode info = object(CommandLineRun.of("info", "--json"), 0);
    assertThat(info.path("java").textValue()).startsWith(Runtime.version().toString());
    assertThat(info.path("cpus").intValue()).isPositive();
  }

  @Test
  void completionKnowsCommandsAndOptions() {
    for (String shell : List.of("bash", "zsh")) {
      var script = CommandLineRun.of("completion", shell);
      assertThat(script.code()).isZero();
      assertThat(script.out())
          .startsWith("#!/usr/bin/env bash")
          .contains("check", "--max-new-tokens");
    }
    assertThat(CommandLineRun.of("completion", "fish").code()).isEqualTo(64);
  }
}
