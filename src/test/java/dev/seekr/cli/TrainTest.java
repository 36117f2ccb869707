package dev.seekr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.seekr.config.MethodName;
import dev.seekr.disk.Reading;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole runs of the shipped nano model, good and bad, as a user would start them. */
class TrainTest {
  private static final Path NANO = Path.of("examples/nano");
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;
  private Path model, data, out;

  @BeforeEach
  void copyTheExamples() throws IOException {
    model = Files.createDirectory(folder.resolve("model"));
    for (String file : List.of("config.json", "tokenizer.json", "model.safetensors"))
      Files.copy(NANO.resolve(file), model.resolve(file));
    data = folder.resolve("data");
    for (String task : List.of("task363", "task1687")) {
      Path to = Files.createDirectories(data.resolve(task));
      for (String file : List.of("train.json", "test.json"))
        Files.copy(Path.of("examples/superni", task, file), to.resolve(file));
    }
    out = folder.resolve("run");
  }

  private CommandLineRun train(String... settings) {
    var args =
        new ArrayList<>(
            List.of(
                "train",
                "model.path=" + model,
                "data.root=" + data,
                "data.tasks=[task363, task1687]",
                "data.max_prompt=96",
                "data.train_limit=8",
                "data.test_limit=3",
                "method.replay_samples=3",
                "method.seekr.queries=9",
                "train.epochs=1",
                "train.batch=4",
                "train.lr=1e-3",
                "train.micro_tokens=512",
                "eval.max_new_tokens=4",
                "run.out=" + out));
    args.addAll(List.of(settings));
    return CommandLineRun.of(args.toArray(String[]::new));
  }

  private List<JsonNode> log(String event) throws IOException {
    var events = new ArrayList<JsonNode>();
    for (String line : Files.readAllLines(out.resolve("log.jsonl"))) {
      JsonNode json = JSON.readTree(line);
      if (json.path("event").asText().equals(event)) events.add(json);
    }
    return events;
  }

  @ParameterizedTest
  @EnumSource
  void everyMethodLearnsATaskSequence(MethodName name) throws IOException {
    String method = name.name();
    var run = train("method.name=" + method);
    assertThat(run.err()).doesNotContain("seekr:");
    assertThat(run.code()).isZero();
    assertThat(run.out())
        .contains("backend:", "scores in percent after each task, " + method, "OP ");
    assertThat(out.resolve("config.yaml")).isNotEmptyFile();
    assertThat(out.resolve("scores.csv")).isNotEmptyFile();

    List<JsonNode> steps = log("step");
    boolean replays = List.of("replay", "derpp", "seekr").contains(method);
    assertThat(steps).hasSize(replays ? 5 : 4); // three replayed samples are one more micro-batch
    for (JsonNode step : steps) {
      assertThat(step.path("loss").asDouble()).isPositive().isFinite();
      assertThat(step.path("grad_norm").asDouble()).isPositive().isFinite();
      assertThat(step.path("lr").asDouble()).isEqualTo(1e-3);
      assertThat(step.path("tokens").asInt()).isPositive();
      assertThat(step.path("seconds").asDouble()).isPositive();
      assertThat(step.path("peak_bytes").asLong()).isPositive();
    }
    assertThat(steps.stream().flatMap(s -> s.path("losses").propertyStream()).map(e -> e.getKey()))
        .containsOnly(
            switch (name) {
              case replay -> new String[] {"task", "replay"};
              case derpp -> new String[] {"task", "replay", "logits"};
              case seekr -> new String[] {"task", "replay", "logits", "attention"};
              case ewc, lwf -> new String[] {"task", method};
              case olora -> new String[] {"task", "orthogonality"};
              case l2p -> new String[] {"task", "keys"};
              case lfpt5 -> new String[] {"task", "generation"};
              case agem -> new String[] {"task", "reference"};
              case seqft, mtl, lora, pp -> new String[] {"task"};
            });
    assertThat(log("end")).hasSize(1);

    Path last =
        out.resolve("models").resolve(method.equals("mtl") ? "01-all-tasks" : "02-task1687");
    assertThat(CommandLineRun.of("generate", last.toString(), "a", "--max-new-tokens", "2").code())
        .isZero();
    var summary = CommandLineRun.of("summary", out.toString());
    assertThat(summary.code()).isZero();
    assertThat(summary.out().lines()).hasSize(3).last().asString().startsWith(method);
  }

  /** What settings leave open is logged as it was chosen, for each task, and shown. */
  @Test
  void whatWasUsedIsLoggedAndShown() throws IOException {
    var run = train("method.name=seekr", "method.replay_samples=0", "method.replay_ratio=0.25");
    assertThat(run.code()).isZero();
    List<JsonNode> used = log("used");
    assertThat(used).hasSize(2);
    int[] all = {2, 4};
    for (int i = 0; i < 2; i++) {
      JsonNode u = used.get(i);
      assertThat(u.propertyStream()).noneMatch(e -> e.getValue().isNull());
      assertThat(u.path("task").textValue()).isEqualTo(i == 0 ? "task363" : "task1687");
      assertThat(u.path("kept").intValue()).isEqualTo(2);
      assertThat(u.path("of").intValue()).isEqualTo(8);
      assertThat(u.path("kept_in_all").intValue()).isEqualTo(all[i]);
      assertThat(u.path("lambda2").doubleValue()).as("a quarter is kept").isEqualTo(100);
      assertThat(u.path("layer_budget").intValue()).as("a quarter of 4 layers").isEqualTo(1);
      assertThat(u.path("layers").intValue()).isEqualTo(1);
      assertThat(u.path("heads").intValue()).isPositive();
      assertThat(u.path("heads").intValue()).isLessThanOrEqualTo(u.path("head_budget").intValue());
    }
    assertThat(run.err()).contains("task 2/2 task1687: kept 2, of 8, kept_in_all 4, lambda1 0.5");
    assertThat(train("--fresh", "method.name=seqft").code()).isZero();
    assertThat(log("used")).as("the settings say all").isEmpty();
  }

  /** A model that is saved and scored again gives the score it had. */
  @Test
  void evalScoresTheSavedModelAsTheRunDid() throws IOException {
    assertThat(train("method.name=seqft").code()).isZero();
    var last = log("evaluation").getLast();
    Files.delete(data.resolve("task1687/train.json")); // scoring needs test.json alone
    var eval =
        CommandLineRun.of(
            "eval",
            out.resolve("config.yaml").toString(),
            "data.tasks=[task1687]",
            "model.path=" + out.resolve("models/02-task1687"));
    assertThat(eval.err()).doesNotContain("seekr:").contains("answers to task1687  step 1/1");
    assertThat(eval.out().lines().toList().getLast())
        .matches("task1687 +3 +accuracy_word +" + "%.2f".formatted(last.path("score").asDouble()));
  }

  /** So does one that answers with soft prompts; and it is no model to train on. */
  @ParameterizedTest
  @ValueSource(strings = {"l2p", "pp", "lfpt5"})
  void softPromptsAreSavedWithTheModel(String method) throws IOException {
    assertThat(train("method.name=" + method, "method.prompt.lr=0.05").code()).isZero();
    Path saved = out.resolve("models/02-task1687");
    List<String> answered = Files.readAllLines(out.resolve("predictions/02/task1687.jsonl"));
    var eval =
        CommandLineRun.of(
            "eval",
            out.resolve("config.yaml").toString(),
            "data.tasks=[task1687]",
            "model.path=" + saved,
            "--show=3");
    assertThat(eval.err()).doesNotContain("seekr:").contains("answers to task1687  step 1/1");
    assertThat(answered).hasSize(3);
    for (String line : answered)
      assertThat(eval.out())
          .contains("answered " + JSON.readTree(line).path("prediction").asText());

    out = folder.resolve("again");
    var again = train("model.path=" + saved);
    assertThat(again.code()).isEqualTo(78);
    assertThat(again.err()).contains("seekr: " + saved + " has soft prompts");
    assertThat(out).doesNotExist();

    Files.writeString(saved.resolve("prompts.json"), "{\"others\": [999], \"picks\": 99}");
    var damaged = CommandLineRun.of("generate", saved.toString(), "a");
    assertThat(damaged.code()).isEqualTo(65);
    assertThat(damaged.err()).contains(saved + "/prompts.");
  }

  @Test
  void theSameSeedGivesTheSameBits() throws IOException {
    byte[][] weights = new byte[2][];
    for (int i = 0; i < 2; i++) {
      out = folder.resolve("run" + i);
      assertThat(train("run.threads=" + (i + 1)).code()).isZero();
      weights[i] = Files.readAllBytes(out.resolve("models/02-task1687/model.safetensors"));
    }
    assertThat(weights[1]).isEqualTo(weights[0]);
  }

  /** What a user may get wrong, and how the run must end. */
  enum Bad {
    NO_RECORDS(65, "task363/train.json: expected an array of records, found a string") {
      @Override
      void make(TrainTest t) throws IOException {
        t.write("\"prompt\"");
      }
    },
    NO_ANSWER(65, "task363/train.json: record 2: field 'answer': expected text, found none") {
      @Override
      void make(TrainTest t) throws IOException {
        t.write("[{\"prompt\": \"p\", \"answer\": \"a\"}, {\"prompt\": \"p\"}]");
      }
    },
    OBJECT_FOR_TEXT(65, "record 1: field 'prompt': expected text, found an object") {
      @Override
      void make(TrainTest t) throws IOException {
        t.write("[{\"prompt\": {}, \"answer\": \"a\"}]");
      }
    },
    NO_TEST_FILE(66, "task363: no test split; expected test.json, ") {
      @Override
      void make(TrainTest t) throws IOException {
        Files.delete(t.data.resolve("task363/test.json"));
      }
    },
    NO_SUCH_TASK(
        66, "task364: no such task folder; there are task1687, task363", "data.tasks=[task364]"),
    TOO_LONG(
        65,
        "task363/train.json: record 1: the prompt is longer than data.max_prompt 2",
        "data.max_prompt=2",
        "data.too_long=fail"),
    NOTHING_REPLAYED(
        78,
        "method.replay_ratio 0 of ",
        "method.name=replay",
        "method.replay_samples=0",
        "method.replay_ratio=0"),
    MISSPELT_KEY(78, "did you mean 'train.epochs'", "train.epoch=2"),
    MISSPELT_METHOD(78, "did you mean 'seekr'", "method.name=seeker"),
    NO_MODEL_FOLDER(66, "config.json: no such file", "model.path=none"),
    NO_WEIGHTS(66, "model.safetensors") {
      @Override
      void make(TrainTest t) throws IOException {
        Files.delete(t.weights());
      }
    },
    LFS_POINTER(65, "Git LFS pointer") {
      @Override
      void make(TrainTest t) throws IOException {
        Files.writeString(
            t.weights(),
            "version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 2622208\n");
      }
    },
    TRUNCATED(65, "model.safetensors") {
      @Override
      void make(TrainTest t) throws IOException {
        byte[] bytes = Files.readAllBytes(t.weights());
        Files.write(t.weights(), java.util.Arrays.copyOf(bytes, bytes.length - 1));
      }
    },
    MISSING_TENSOR(65, "model.norm.weight is missing") {
      @Override
      void make(TrainTest t) throws IOException {
        t.header("model.norm.weight", "model.norm.weighs");
      }
    },
    DUPLICATED_TENSOR(65, "model.layers.1.mlp.up_proj.weight") {
      @Override
      void make(TrainTest t) throws IOException {
        t.header("model.layers.0.mlp.up_proj.weight", "model.layers.1.mlp.up_proj.weight");
      }
    },
    MISSHAPEN_TENSOR(65, "config.json asks for") {
      @Override
      void make(TrainTest t) throws IOException {
        t.config("\"intermediate_size\": 384", "\"intermediate_size\": 383");
      }
    },
    TOKENIZER_TOO_LARGE(65, "tokenizer.json: has 4096 tokens") {
      @Override
      void make(TrainTest t) throws IOException {
        t.config("\"vocab_size\": 4096", "\"vocab_size\": 4095");
      }
    },
    BROKEN_TOKENIZER(65, "tokenizer.json") {
      @Override
      void make(TrainTest t) throws IOException {
        Files.writeString(t.model.resolve("tokenizer.json"), "{\"model\":");
      }
    },
    UNKNOWN_METRIC(78, "bleurt", "eval.metrics={task363: bleurt}"),
    LEARNING_RATE_TOO_HIGH(78, "a smaller train.lr may help", "train.lr=1e30");

    private final int exit;
    private final String message;
    private final String[] settings;

    Bad(int exit, String message, String... settings) {
      this.exit = exit;
      this.message = message;
      this.settings = settings;
    }

    void make(TrainTest test) throws IOException {}
  }

  private Path weights() {
    return model.resolve("model.safetensors");
  }

  private void write(String records) throws IOException {
    Files.writeString(data.resolve("task363/train.json"), records);
  }

  private void config(String from, String to) throws IOException {
    String text = Files.readString(model.resolve("config.json"));
    assertThat(text).contains(from);
    Files.writeString(model.resolve("config.json"), text.replace(from, to));
  }

  /** Replaces a name in the safetensors header by one of the same length. */
  private void header(String from, String to) throws IOException {
    assertThat(to).hasSameSizeAs(from);
    byte[] bytes = Files.readAllBytes(weights());
    String text = new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1);
    int at = text.indexOf('"' + from + '"');
    assertThat(at).isPositive();
    System.arraycopy(
        to.getBytes(java.nio.charset.StandardCharsets.US_ASCII), 0, bytes, at + 1, to.length());
    Files.write(weights(), bytes);
  }

  @ParameterizedTest
  @EnumSource
  void badInputEndsInOneMessageAndNothingIsWritten(Bad bad) throws IOException {
    bad.make(this);
    var run = train(bad.settings);
    assertThat(run.err().lines().filter(l -> l.startsWith("seekr: ")).toList())
        .as(run.err())
        .isNotEmpty()
        .anyMatch(line -> line.contains(bad.message));
    assertThat(run.err()).doesNotContain("\tat ").doesNotContain("unexpected error");
    assertThat(run.code()).isEqualTo(bad.exit);
    if (bad != Bad.LEARNING_RATE_TOO_HIGH) assertThat(out).doesNotExist();
  }

  /** Another run, and what is no run at all: neither is touched. */
  @Test
  void aFolderThatHoldsSomethingElseIsLeftAsItIs() throws IOException {
    assertThat(train("method.name=seqft", "run.save_models=false").code()).isZero();
    List<String> before = contents();
    var again = train("method.name=seekr", "run.save_models=false");
    assertThat(again.code()).isEqualTo(78);
    assertThat(again.err())
        .contains(out + ": holds a run of other settings: method.name is seekr, and was seqft;");
    assertThat(contents())
        .containsAll(before.stream().filter(f -> !f.contains("attempt")).toList());

    out = Files.createDirectories(folder.resolve("notes"));
    Files.writeString(out.resolve("notes.txt"), "mine");
    before = contents();
    var notes = train("method.name=seqft");
    assertThat(notes.code()).isEqualTo(78);
    assertThat(notes.err()).contains(out + ": is not empty and holds no run");
    assertThat(contents()).isEqualTo(before);
  }

  @Test
  void aFinishedRunSaysSo() throws IOException {
    var first = train("method.name=seqft", "run.save_models=false");
    List<String> log = Files.readAllLines(out.resolve("log.jsonl"));
    var again = train("method.name=seqft", "run.save_models=false", "run.threads=1");
    assertThat(again.code()).isZero();
    assertThat(again.out()).contains(out + ": the run is finished");
    String scores = first.out().lines().filter(l -> l.startsWith("OP ")).findFirst().orElseThrow();
    assertThat(again.out()).contains(scores);
    assertThat(Files.readAllLines(out.resolve("log.jsonl"))).isEqualTo(log);

    var fresh = train("method.name=seqft", "run.save_models=false", "--fresh");
    assertThat(fresh.code()).isZero();
    assertThat(fresh.out()).contains("what was in " + out + " is in " + out + ".aside-1");
    assertThat(Files.readAllLines(Path.of(out + ".aside-1/log.jsonl"))).isEqualTo(log);
    assertThat(log("end")).hasSize(1);
  }

  private List<String> contents() throws IOException {
    try (Stream<Path> files = Files.walk(out)) {
      var list = new ArrayList<String>();
      for (Path p : (Iterable<Path>) files.sorted()::iterator)
        list.add(p + (Files.isRegularFile(p) ? " " + Reading.fingerprint(p).sha256() : ""));
      return list;
    }
  }

  @Test
  void badRecordsAreLeftOutWhereAskedFor() throws IOException {
    write("[{}, {\"prompt\": \"p\", \"answer\": \"a\"}]");
    var run = train("method.name=seqft", "data.bad_records=skip");
    assertThat(run.code()).isZero();
    assertThat(log("step")).hasSize(3);
  }
}
