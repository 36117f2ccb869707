package dev.seekr.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.seekr.Failure;
import dev.seekr.Stop;
import dev.seekr.backends.Backends;
import dev.seekr.config.ConfigReader;
import dev.seekr.config.MethodName;
import dev.seekr.config.RunConfig;
import dev.seekr.data.Batch;
import dev.seekr.data.Example;
import dev.seekr.data.Sample;
import dev.seekr.data.TaskSequence;
import dev.seekr.disk.Reading;
import dev.seekr.disk.RunFolder;
import dev.seekr.evaluation.LanguageModel;
import dev.seekr.report.RunLog;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Losses on samples kept apart, and the epoch that they choose. */
class ValidationTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int EPOCHS = 5;

  @TempDir Path folder;
  private int runs;

  private RunConfig config(String... more) {
    var settings =
        new ArrayList<>(
            List.of(
                "model.path=examples/nano",
                "data.root=examples/superni",
                "data.tasks=[task363]",
                "data.max_prompt=40",
                "data.train_limit=10",
                "data.test_limit=1",
                "data.holdout=4",
                "method.replay_samples=2",
                "method.seekr.queries=9",
                "method.prompt.length=4",
                "method.prompt.lr=0.02",
                "method.lora.lr=0.02",
                "method.lfpt5.top_k=3",
                "train.epochs=" + EPOCHS,
                "train.batch=4",
                "train.lr=4e-3",
                "train.micro_tokens=64",
                "eval.max_new_tokens=1",
                "run.out=" + folder.resolve("run" + runs++)));
    settings.addAll(List.of(more));
    return ConfigReader.parse("", "test", settings);
  }

  private static String record(Example e) throws IOException {
    return JSON.writeValueAsString(Map.of("prompt", e.prompt(), "answer", e.answer()));
  }

  private static RunFolder train(RunConfig config) {
    try (var run = Run.open(config, Stop.NEVER, List.of())) {
      run.train();
      return run.folder();
    }
  }

  /** What the log says of an epoch. */
  private record Epoch(String task, int epoch, double loss, int best) {}

  private static List<Epoch> validations(RunFolder run) {
    return RunLog.read(run.log()).stream()
        .filter(e -> e.path("event").asText().equals("validation"))
        .map(
            e ->
                new Epoch(
                    e.required("task").textValue(),
                    e.required("epoch").intValue(),
                    e.required("loss").doubleValue(),
                    e.required("best").intValue()))
        .toList();
  }

  /** Questions that are all answered alike in training, and otherwise where it is validated. */
  private void contrary() throws IOException {
    Path task = Files.createDirectories(folder.resolve("data/task363"));
    var data = config().data();
    var examples = TaskSequence.load(data, 1).getFirst().train();
    for (var file :
        Map.of("train", "NEG", "eval", "the film was shot in black and white", "test", "NEG")
            .entrySet()) {
      var records = new ArrayList<String>();
      for (var e : examples) records.add(record(new Example(e.prompt(), file.getValue())));
      Files.writeString(task.resolve(file.getKey() + ".json"), records.toString());
    }
  }

  /** The run that chose an epoch has the model of the run that ended there. */
  @ParameterizedTest
  @EnumSource
  void theBestEpochGoesOn(MethodName name) throws IOException {
    contrary();
    String[] settings = {
      "method.name=" + name,
      "data.root=" + folder.resolve("data"),
      "data.holdout=0",
      "data.validation=eval_json"
    };
    RunFolder chosen = train(config(with(settings, "train.best_of=validation")));
    List<Epoch> epochs = validations(chosen);
    assertThat(epochs).hasSize(EPOCHS);
    int best = 0;
    for (Epoch e : epochs) {
      assertThat(e.loss).isPositive().isFinite();
      if (best == 0 || e.loss < epochs.get(best - 1).loss) best = e.epoch;
      assertThat(e.best).isEqualTo(best);
    }
    assertThat(best).as("%s", epochs).isLessThan(EPOCHS);
    RunFolder ended = train(config(with(settings, "train.epochs=" + best)));
    assertThat(validations(ended)).isEqualTo(epochs.subList(0, best));
    RunFolder last = train(config(settings));
    assertThat(validations(last)).isEqualTo(epochs);
    assertThat(model(chosen)).isEqualTo(model(ended)).isNotEqualTo(model(last));
    assertThat(chosen.best(0).getParent()).as("it is not needed any more").doesNotExist();
    assertThat(last.best(0).getParent()).doesNotExist();
  }

  /** Stopped at every chance there is, where an earlier epoch than the last goes on. */
  @ParameterizedTest
  @ValueSource(strings = {"seqft", "lora", "pp"})
  void stoppedAtEveryChance(String method) throws IOException {
    contrary();
    String[] settings = {
      "method.name=" + method,
      "data.root=" + folder.resolve("data"),
      "data.holdout=0",
      "data.validation=eval_json",
      "train.best_of=validation",
      "train.epochs=3",
      "run.checkpoint.keep=1"
    };
    RunFolder expected = train(config(settings));
    assertThat(validations(expected).getLast().best).isLessThan(3);
    RunConfig again = config(settings);
    int stops = 0;
    while (stopped(again)) stops++;
    assertThat(stops).isGreaterThan(9 + 3);
    SameRun.assertSame(expected.path(), Path.of(again.run().out()));
  }

  /** Whether a run that is stopped at the first chance is not at its end. */
  private static boolean stopped(RunConfig config) {
    var stop = new Stop(Duration.ofDays(1));
    stop.request();
    try (var run = Run.open(config, stop, List.of())) {
      run.train();
      return false;
    } catch (Stop.Stopped early) {
      return true;
    }
  }

  private static String[] with(String[] settings, String more) {
    return Stream.concat(Stream.of(settings), Stream.of(more)).toArray(String[]::new);
  }

  /** SHA-256 of weights and prompts of the model saved at the end. */
  private static List<String> model(RunFolder run) {
    Path saved = Reading.list(run.path().resolve("models")).getLast();
    return Stream.of("model.safetensors", "prompts.safetensors")
        .map(saved::resolve)
        .filter(Files::exists)
        .map(file -> Reading.fingerprint(file).sha256())
        .toList();
  }

  /** The loss of the last epoch is that of the saved model, recomputed from its logits. */
  @ParameterizedTest
  @ValueSource(strings = {"seqft", "pp", "l2p"})
  void theLossIsThatOfTheModel(String method) {
    RunConfig config = config("method.name=" + method, "train.epochs=2", "method.prompt.lr=0.01");
    RunFolder run = train(config);
    Path saved = Reading.list(run.path().resolve("models")).getLast();
    double sum = 0;
    int targets = 0;
    try (var ops = Backends.open(config.run());
        var lm = LanguageModel.load(saved, Set.of(), ops);
        var memory = new Memory("test")) {
      var encoder = lm.encoder(config.data());
      var kept = TaskSequence.load(config.data(), config.train().seed()).getFirst().validation();
      assertThat(kept).hasSize(4);
      for (var example : kept) {
        Sample sample = encoder.encode(example).sample();
        int[] prefix =
            lm.prompts() == null ? new int[0] : lm.prompts().before("task363", sample.prompt());
        if (prefix.length > 0)
          sample = sample.after(Arrays.copyOf(prefix, prefix.length - sample.answerStart()));
        int[] rows = IntStream.range(sample.answerStart() - 1, sample.length() - 1).toArray();
        Tensor logits = memory.allocate("x", DType.F32, rows.length, lm.model().config.V());
        lm.model().begin(Batch.of(sample), false).all().logits(logits, rows);
        for (int r = 0; r < rows.length; r++) {
          double[] z = logits.rows(r, r + 1).toDoubles();
          double all = Arrays.stream(z).map(Math::exp).sum();
          sum += Math.log(all) - z[sample.tokens()[rows[r] + 1]];
        }
        targets += rows.length;
      }
    }
    assertThat(validations(run).getLast().loss).isCloseTo(sum / targets, within(1e-5));
  }

  /** To validate changes nothing of what is trained. */
  @ParameterizedTest
  @ValueSource(strings = {"seekr", "pp", "l2p", "lora"})
  void trainingIsTheSameWithout(String method) throws IOException {
    Path data = Files.createDirectories(folder.resolve("data/task363"));
    var kept = config("method.name=" + method, "data.holdout=4", "train.epochs=2");
    var records = new ArrayList<String>();
    for (var e : TaskSequence.load(kept.data(), kept.train().seed()).getFirst().train())
      records.add(record(e));
    Files.writeString(data.resolve("train.json"), records.toString());
    Files.copy(Path.of("examples/superni/task363/test.json"), data.resolve("test.json"));
    var alone =
        config(
            "method.name=" + method,
            "data.holdout=0",
            "train.epochs=2",
            "data.root=" + data.getParent());
    RunFolder without = train(alone);
    assertThat(validations(without)).isEmpty();
    assertThat(model(train(kept))).isEqualTo(model(without));
  }

  /** Tasks with a test split are validated, the others scored by what was kept apart. */
  @ParameterizedTest
  @ValueSource(strings = {"seqft", "mtl"})
  void withoutTestSplit(String method) throws IOException {
    for (String task : List.of("task363", "task875")) {
      Path to = Files.createDirectories(folder.resolve("data").resolve(task));
      Path from = Path.of("examples/superni").resolve(task);
      Files.copy(from.resolve("train.json"), to.resolve("train.json"));
      if (task.equals("task363")) Files.copy(from.resolve("test.json"), to.resolve("test.json"));
    }
    String[] settings = {
      "method.name=" + method,
      "data.root=" + folder.resolve("data"),
      "data.tasks=[task875, task363]",
      "train.epochs=1"
    };
    var config = config(with(settings, "data.test_limit=3"));
    try (var run = Run.open(config, Stop.NEVER, List.of())) {
      assertThat(run.notes())
          .containsOnlyOnce(
              "task875: no test split; scored by 3 training samples kept apart (data.holdout)");
      run.train();
      assertThat(validations(run.folder()))
          .extracting(Epoch::task)
          .containsExactly(method.equals("mtl") ? "all tasks" : "task363");
    }
    var best = config(with(settings, "train.best_of=validation"));
    var failure =
        catchThrowableOfType(Failure.class, () -> Run.open(best, Stop.NEVER, List.of()).close());
    assertThat(failure.exit.code).isEqualTo(78);
    assertThat(failure).hasMessageContaining("but task875 has no test split");
    assertThat(Path.of(best.run().out())).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          data.holdout=0   | train.best_of=validation | nothing is validated on
          data.holdout=0.5 | data.validation=eval_json | are both set
          data.holdout=1.5 | train.epochs=1 | must be a share below 1, or a whole number
          data.holdout=-1  | train.epochs=1 | must be a share below 1
          """)
  void refused(String one, String other, String message) {
    var failure = catchThrowableOfType(Failure.class, () -> config(one, other).requireTrainable());
    assertThat(failure.exit.code).isEqualTo(78);
    assertThat(failure).hasMessageContaining(message);
  }
}
