package dev.seekr.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.seekr.Stop;
import dev.seekr.StopAtChance;
import dev.seekr.config.ConfigReader;
import dev.seekr.config.MethodName;
import dev.seekr.config.RunConfig;
import dev.seekr.disk.Reading;
import dev.seekr.evaluation.ScoreFiles;
import dev.seekr.report.RunLog;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A run that is stopped anywhere goes on to the bits that it would have come to without. */
class ResumeTest {
  /** Stops of one run, one after another, beside the first and the last chance there is. */
  private static final int STOPS = 3;

  @TempDir static Path folder;
  private static int runs;

  /** Gives up at the n-th look, whatever is being done then. */
  private static final class AtLook extends Stop {
    private int left;
    private int looks;

    AtLook(int n) {
      super(Duration.ZERO);
      left = n;
    }

    @Override
    public void poll() {
      looks++;
      if (--left > 0) return;
      request();
      now();
    }
  }

  static Stream<List<String>> methods() {
    var cases = new ArrayList<List<String>>();
    for (MethodName name : MethodName.values()) cases.add(List.of("method.name=" + name));
    cases.add(List.of("method.name=seekr", "method.seekr.variant=released"));
    cases.add(List.of("method.name=seekr", "method.seekr.choice=random"));
    cases.add(List.of("method.name=lwf", "method.lwf.cache=none"));
    cases.add(List.of("method.name=ewc", "method.ewc.gamma=0.5", "method.ewc.samples=4"));
    cases.add(List.of("method.name=pp", "method.pp.hidden=0"));
    var lora = "train.parameters=lora";
    var perRun = "method.lora.per=run";
    var heads = "run.record_heads=true";
    cases.add(List.of("method.name=seqft", heads));
    cases.add(List.of("method.name=seekr", "method.seekr.choice=random", heads));
    cases.add(List.of("method.name=olora", heads));
    cases.add(List.of("method.name=ewc", lora, perRun, heads));
    cases.add(List.of("method.name=seekr", lora));
    cases.add(List.of("method.name=seekr", lora, perRun, "run.save_models=true"));
    cases.add(List.of("method.name=lwf", "method.lwf.cache=none", lora, perRun));
    cases.add(List.of("method.name=ewc", lora, perRun));
    cases.add(List.of("method.name=olora", "method.lora.dropout=0.1"));
    cases.add(List.of("method.name=replay", lora, perRun, "method.lora.dropout=0.1"));
    cases.add(
        List.of(
            "method.name=derpp",
            lora,
            "run.backend=reference",
            "run.dtype=bf16",
            "data.max_prompt=12",
            "data.train_limit=4"));
    for (String name : List.of("seekr", "lora", "pp", "mtl"))
      cases.add(
          List.of(
              "method.name=" + name,
              "data.general=examples/superni/task1510",
              "data.general_share=0.3",
              "data.general_loss=" + (name.equals("mtl") ? "labels" : "kl")));
    for (String name : List.of("seekr", "lora", "pp", "ewc"))
      cases.add(
          List.of(
              "method.name=" + name,
              "train.best_of=validation",
              "data.holdout=2",
              "train.lr=2e-2"));
    return cases.stream();
  }

  private static RunConfig config(List<String> method, String... more) {
    return config(folder.resolve("run" + runs++), method, more);
  }

  static RunConfig config(Path out, List<String> method, String... more) {
    var settings =
        new ArrayList<>(
            List.of(
                "model.path=examples/nano",
                "data.root=examples/superni",
                "data.tasks=[task363, task1687, task875]",
                "data.max_prompt=40",
                "data.train_limit=6",
                "data.test_limit=3",
                "method.replay_samples=2",
                "method.seekr.queries=9",
                "method.prompt.length=4",
                "method.lora.lr=1e-2",
                "method.lfpt5.top_k=3",
                "train.epochs=2",
                "train.batch=4",
                "train.accumulate=2",
                "train.lr=1e-3",
                "train.micro_tokens=64",
                "eval.batch=2",
                "eval.max_new_tokens=3",
                "run.save_models=false",
                "run.out=" + out));
    settings.addAll(method);
    settings.addAll(List.of(more));
    return ConfigReader.parse("", "test", settings);
  }

  private static Path train(RunConfig config, Stop stop) {
    try (var run = Run.open(config, stop, List.of())) {
      run.train();
      return run.folder().path();
    }
  }

  /** Runs until it is stopped, goes on until it is stopped again, and last to the end. */
  private static Path stopAndGoOn(RunConfig config, Stop... stops) {
    for (Stop stop : stops)
      assertThat(catchThrowableOfType(Stop.Stopped.class, () -> train(config, stop))).isNotNull();
    return train(config, new AtLook(Integer.MAX_VALUE));
  }

  /** Stops a run at each of these places, one after another, and then lets it end. */
  private static Path stopAt(RunConfig config, IntFunction<Stop> stop, IntStream places) {
    int[] at = places.sorted().distinct().toArray();
    return stopAndGoOn(
        config,
        IntStream.range(0, at.length)
            .mapToObj(i -> stop.apply(i == 0 ? at[0] : at[i] - at[i - 1]))
            .toArray(Stop[]::new));
  }

  static final List<String> GENERAL =
      List.of(
          "eval.general.root=src/test/resources/general/data",
          "eval.general.limit=1",
          "eval.general.sets=[boolq, tydiqa, piqa]",
          "eval.general.max_new_tokens=3",
          "eval.general.batch=1",
          "eval.general.tokens=100",
          "eval.general.when=stages");

  /** Also before the first task, when the method has not begun, and between the batches. */
  @ParameterizedTest
  @EnumSource(names = {"seekr", "ewc", "olora", "l2p", "mtl"})
  void anywhereInGeneralAbility(MethodName method) {
    var settings = new ArrayList<>(GENERAL);
    settings.add("method.name=" + method);
    var looking = new StopAtChance(Integer.MAX_VALUE);
    Path expected = train(config(settings), looking);
    var random = new SplittableRandom(method.ordinal());
    var places = IntStream.of(3, random.nextInt(4, looking.chances()));
    SameRun.assertSame(expected, stopAt(config(settings), StopAtChance::new, places));
    assertThat(Reading.list(expected.resolve("ability")))
        .extracting(p -> p.getFileName().toString())
        .containsExactlyElementsOf(
            method == MethodName.mtl ? List.of("00", "03") : List.of("00", "01", "02", "03"));
  }

  /**
   * Scores ahead and in the middle of a task change nothing else, and are the same after a stop
   * before the first task, in the middle of them, and anywhere.
   */
  @ParameterizedTest
  @EnumSource(names = {"seekr", "olora", "pp", "l2p", "mtl"})
  void anywhereInScoresAheadAndBetween(MethodName method) {
    var settings = List.of("method.name=" + method, "eval.ahead=true", "eval.every=1");
    var looking = new StopAtChance(Integer.MAX_VALUE);
    Path expected = train(config(settings), looking);
    var random = new SplittableRandom(method.ordinal());
    var places = IntStream.of(2, random.nextInt(3, looking.chances()), looking.chances() / 2);
    SameRun.assertSame(expected, stopAt(config(settings), StopAtChance::new, places));

    var plain =
        ScoreFiles.loadJson(
            train(config(settings.subList(0, 1)), Stop.NEVER).resolve("scores.json"));
    var scores = ScoreFiles.loadJson(expected.resolve("scores.json"));
    boolean ahead = method != MethodName.mtl; // it learns all at once
    for (int i = 0; i < 3; i++) {
      assertThat(scores.initial(i).isPresent()).isEqualTo(ahead && i > 0);
      for (int j = i; j < 3; j++) assertThat(scores.get(i, j)).isEqualTo(plain.get(i, j));
      if (i > 0) assertThat(scores.get(i, i - 1).isPresent()).isEqualTo(ahead);
    }
    assertThat(scores.forwardTransfer().isPresent()).isEqualTo(ahead);
    assertThat(plain.forwardTransfer()).isEmpty();
    var between =
        RunLog.read(expected.resolve("log.jsonl")).stream()
            .filter(e -> e.path("event").asText().equals("evaluation") && e.has("step"))
            .map(e -> e.path("in").asText() + " " + e.path("step") + " " + e.path("task").asText())
            .toList();
    assertThat(between).doesNotHaveDuplicates().isNotEmpty();
    if (method == MethodName.seekr)
      assertThat(between)
          .startsWith("task363 1 task363", "task1687 1 task363", "task1687 1 task1687");
  }

  @ParameterizedTest
  @MethodSource("methods")
  void anywhere(List<String> method) {
    var looking = new AtLook(Integer.MAX_VALUE);
    Path expected = train(config(method), looking);
    var random = new SplittableRandom(method.hashCode());
    var anywhere = IntStream.concat(IntStream.of(1), random.ints(STOPS, 1, looking.looks));
    SameRun.assertSame(expected, stopAt(config(method), AtLook::new, anywhere));
    SameRun.assertSame(expected, stopAndGoOn(config(method), new AtLook(looking.looks)));
  }

  /**
   * At every chance between two steps, two phases and two batches of answers, one after another.
   */
  @Test
  void atEveryChance() {
    var method = List.of("method.name=seekr");
    var chances = new StopAtChance(Integer.MAX_VALUE);
    Path expected = train(config(method), chances);
    assertThat(chances.chances()).isGreaterThan(20);
    RunConfig again = config(method);
    int stops = 0;
    while (catchThrowableOfType(Stop.Stopped.class, () -> train(again, new StopAtChance(1)))
        != null) stops++;
    assertThat(stops).isEqualTo(chances.chances());
    SameRun.assertSame(expected, Path.of(again.run().out()));
    assertThat(RunLog.read(Path.of(again.run().out(), "log.jsonl")))
        .filteredOn(e -> e.path("event").asText().equals("stopped"))
        .hasSize(stops);
  }

  /** Checkpoints while training goes on are those of the very step. */
  @Test
  void checkpointsInTheMiddle() {
    var method = List.of("method.name=seekr");
    Path expected = train(config(method), Stop.NEVER);
    String[] often = {"run.checkpoint={steps: 1, keep: 3}"};
    SameRun.assertSame(expected, train(config(method, often), Stop.NEVER));
    var places = new SplittableRandom(1).ints(3, 200, 1000);
    SameRun.assertSame(expected, stopAt(config(method, often), AtLook::new, places));
  }

  /** With one CPU, and on another number of threads afterwards. */
  @Test
  void threadsMayChange() {
    var method = List.of("method.name=derpp");
    Path expected = train(config(method, "run.threads=2"), Stop.NEVER);
    RunConfig one = config(method, "run.threads=1");
    assertThat(catchThrowableOfType(Stop.Stopped.class, () -> train(one, new AtLook(300))))
        .isNotNull();
    var two = config(method, "run.threads=2", "run.out=" + one.run().out());
    SameRun.assertSame(expected, train(two, Stop.NEVER));
  }
}
