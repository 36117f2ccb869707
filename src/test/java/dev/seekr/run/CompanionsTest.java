package dev.seekr.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import dev.seekr.Failure;
import dev.seekr.Stop;
import dev.seekr.StopAtChance;
import dev.seekr.config.DistSettings.Shard;
import dev.seekr.config.MethodName;
import dev.seekr.config.RunConfig;
import dev.seekr.disk.Reading;
import dev.seekr.disk.RunFolder;
import dev.seekr.distributed.Collectives;
import dev.seekr.distributed.ThreadWire;
import dev.seekr.distributed.WireCollectives;
import dev.seekr.report.RunLog;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Several processes come to what one comes to, and to the same bits whenever they are as many. */
class CompanionsTest {
  /**
   * Losses of processes are sums in another order. So they are where one process cuts its passes
   * otherwise; by how many times as much, or by what share of a loss, they may be apart.
   */
  private static final double TIMES = 4, SHARE = 1e-4;

  /** Weights in bfloat16 are rounded at random, by other draws where parts are others. */
  private static final double OTHER_DRAWS = 0.02;

  @TempDir static Path folder;
  private static int runs;

  private static Stop never() {
    return new Stop(Duration.ofDays(1));
  }

  private static Path train(RunConfig config, int ranks) {
    if (ranks == 1) train(config, never(), Collectives.ALONE);
    else
      ThreadWire.run(ranks, wire -> train(config, never(), new WireCollectives(wire, wire.rank())));
    return Path.of(config.run().out());
  }

  private static Void train(RunConfig config, Stop stop, Collectives all) {
    try (all;
        var run = Run.open(config, stop, all, List.of())) {
      run.train();
    }
    return null;
  }

  private static RunConfig config(List<String> method, String... more) {
    var settings = Stream.concat(Stream.of("run.threads=1"), Stream.of(more));
    return ResumeTest.config(
        folder.resolve("run" + runs++), method, settings.toArray(String[]::new));
  }

  /** Dropout is of a pass's own rows, so that it falls elsewhere where passes are cut otherwise. */
  static Stream<List<String>> methods() {
    return ResumeTest.methods().filter(m -> !String.join(" ", m).contains("dropout"));
  }

  @ParameterizedTest
  @MethodSource("methods")
  void comeToWhatOneComesTo(List<String> method) {
    Path one = train(config(method), 1), two = train(config(method), 2);
    assertAlike(one, two, method);
    // Adapters begin where the signs of some gradients are left to rounding: then so is a choice.
    if (!method.contains("train.parameters=lora"))
      assertThat(selected(two)).isEqualTo(selected(one));
    assertThat(files(two)).isEqualTo(files(one));
  }

  @ParameterizedTest
  @EnumSource(names = {"seekr", "ewc", "l2p", "lfpt5"})
  void areTheSameToTheBit(MethodName method) {
    var settings = List.of("method.name=" + method);
    SameRun.assertSame(train(config(settings), 3), train(config(settings), 3));
  }

  /** Stopped in one process, it is stopped in all, and goes on in another number of them. */
  @ParameterizedTest
  @EnumSource(names = {"seekr", "lwf", "olora"})
  void goOnAsMoreOrFewer(MethodName method) {
    var settings = List.of("method.name=" + method);
    RunConfig config = config(settings);
    Path whole = train(config(settings), 1);
    stop(config, 2, 9);
    assertAlike(whole, train(config, 3), settings);
  }

  static Stream<List<String>> divided() {
    var cases = new ArrayList<List<String>>();
    for (String shard : List.of("optimizer", "gradients")) {
      for (String method : List.of("seekr", "lwf"))
        cases.add(List.of("method.name=" + method, "dist.shard=" + shard));
      cases.add(
          List.of("method.name=derpp", "dist.shard=" + shard, "run.dtype=bf16", "run.backend=cpu"));
      cases.add(
          List.of(
              "method.name=seqft",
              "dist.shard=" + shard,
              "run.dtype=bf16",
              "train.state=bf16",
              "run.backend=cpu"));
    }
    return cases.stream();
  }

  /** Each holds a part of the optimizer, and perhaps of gradients; the run is the same. */
  @ParameterizedTest
  @MethodSource("divided")
  void divideWhatTheyHold(List<String> settings) {
    RunConfig whole = config(settings);
    Path one = train(whole, 1), three = train(config(settings), 3);
    if (settings.contains("train.state=bf16"))
      assertThat(apart(steps(one), steps(three))).isLessThanOrEqualTo(OTHER_DRAWS);
    else assertAlike(one, three, settings);
    assertThat(files(three)).isEqualTo(files(one));
  }

  /** Stopped as two that divide, it goes on as three, then as one, then as two that do not. */
  @ParameterizedTest
  @EnumSource
  void goOnWithPartsOfOthers(Shard shard) {
    var settings = List.of("method.name=seekr");
    Path whole = train(config(settings), 1);
    RunConfig config = config(settings, "dist.shard=" + shard);
    stop(config, 2, 7);
    if (shard != Shard.none)
      assertThat(Reading.list(newest(config)))
          .extracting(p -> p.getFileName().toString())
          .contains("optimizer-1-of-2.safetensors", "optimizer-2-of-2.safetensors");
    stop(config, 3, 4);
    stop(config, 1, 3);
    RunConfig undivided = ResumeTest.config(Path.of(config.run().out()), settings, "run.threads=1");
    stop(undivided, 2, 3);
    train(config, 3);
    assertAlike(whole, Path.of(config.run().out()), settings);
  }

  private static Path newest(RunConfig config) {
    return Checkpoints.newest(new RunFolder(Path.of(config.run().out()))).orElseThrow().path();
  }

  /** Trains until the last process asks to stop, at its n-th chance. */
  private static void stop(RunConfig config, int ranks, int chance) {
    ThreadWire.run(
        ranks,
        wire -> {
          Stop stop = wire.rank() == ranks - 1 ? new StopAtChance(chance) : never();
          var all = ranks == 1 ? Collectives.ALONE : new WireCollectives(wire, wire.rank());
          var stopped = catchThrowableOfType(Stop.Stopped.class, () -> train(config, stop, all));
          assertThat(stopped).isNotNull();
          return null;
        });
  }

  @ParameterizedTest
  @EnumSource(names = {"ewc", "agem", "lora", "pp"})
  void refuseToDivideWhatCannotBe(MethodName method) {
    var settings = List.of("method.name=" + method, "dist.shard=optimizer");
    var failure = catchThrowableOfType(Failure.class, () -> train(config(settings), 2));
    assertThat(failure.exit).isEqualTo(Failure.Exit.CONFIG);
    assertThat(failure)
        .hasMessageContaining("dist.shard=optimizer")
        .hasMessageContaining("" + method);
  }

  @Test
  void answerBenchmarksTogether() {
    var settings = new ArrayList<>(ResumeTest.GENERAL);
    settings.add("method.name=seqft");
    Path one = train(config(settings), 1), two = train(config(settings), 2);
    assertThat(files(two)).isEqualTo(files(one));
    assertThat(Reading.text(two.resolve("ability/00/boolq.json")))
        .isEqualTo(Reading.text(one.resolve("ability/00/boolq.json")));
  }

  /** Those too that may change when a run goes on. */
  @ParameterizedTest
  @ValueSource(
      strings = {"train.lr=5e-3", "dist.shard=optimizer", "run.checkpoint.steps=7", "run.out=x"})
  void refuseSettingsThatDiffer(String setting) {
    RunConfig config = config(List.of("method.name=seqft"));
    RunConfig other =
        ResumeTest.config(
            Path.of(config.run().out()), List.of("method.name=seqft"), "run.threads=1", setting);
    var messages =
        ThreadWire.run(
            2,
            wire ->
                catchThrowableOfType(
                        Failure.class,
                        () ->
                            train(
                                wire.rank() == 0 ? config : other,
                                never(),
                                new WireCollectives(wire, wire.rank())))
                    .getMessage());
    String key = setting.substring(0, setting.indexOf('='));
    assertThat(messages)
        .allMatch(m -> m.startsWith("process 1 of 2: has other settings than process 0: " + key));
    assertThat(Path.of(config.run().out())).doesNotExist();
  }

  @Test
  void refuseDataThatDiffer() {
    RunConfig config = config(List.of("method.name=seqft", "data.tasks=[nosuch]"));
    var messages =
        ThreadWire.run(
            2,
            wire ->
                catchThrowableOfType(
                        Failure.class,
                        () -> train(config, never(), new WireCollectives(wire, wire.rank())))
                    .getMessage());
    assertThat(messages.get(0)).contains("nosuch").isEqualTo(messages.get(1));
    assertThat(messages.get(0)).doesNotContain("process");
  }

  private static List<String> files(Path run) {
    try (var all = Files.walk(run)) {
      return all.filter(Files::isRegularFile)
          .map(p -> run.relativize(p).toString())
          .filter(name -> !name.startsWith("checkpoints"))
          .sorted()
          .toList();
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /**
   * The same steps with the same losses. How far a process that cuts its passes otherwise is from
   * {@code one} is looked at where the two are further apart than {@link #SHARE} alone.
   */
  private static void assertAlike(Path one, Path other, List<String> settings) {
    double apart = apart(steps(one), steps(other));
    if (apart <= SHARE) return;
    Path otherwise = train(config(settings, "train.micro_tokens=150"), 1);
    assertThat(apart).isLessThanOrEqualTo(TIMES * apart(steps(one), steps(otherwise)));
  }

  /** The largest share of a step's loss by which two runs of the same steps are apart. */
  private static double apart(List<JsonNode> one, List<JsonNode> other) {
    assertThat(other).hasSameSizeAs(one).isNotEmpty();
    double most = 0;
    for (int i = 0; i < one.size(); i++) {
      assertThat(other.get(i).path("lr")).isEqualTo(one.get(i).path("lr"));
      double a = one.get(i).path("loss").doubleValue(), b = other.get(i).path("loss").doubleValue();
      most = Math.max(most, Math.abs(a - b) / Math.abs(a));
    }
    assertThat(most).isFinite();
    return most;
  }

  private static List<JsonNode> steps(Path run) {
    return RunLog.read(run.resolve("log.jsonl")).stream()
        .filter(e -> e.path("event").asText().equals("step"))
        .toList();
  }

  private static List<String> selected(Path run) {
    Path folder = run.resolve("importance");
    if (!Files.exists(folder)) return List.of();
    return Reading.list(folder).stream()
        .filter(p -> p.toString().endsWith(".csv"))
        .flatMap(p -> Reading.text(p).lines())
        .map(line -> line.replaceAll("^([^,]*,[^,]*),.*,([^,]*)$", "$1,$2"))
        .toList();
  }
}
