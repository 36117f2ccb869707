package dev.seekr.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.seekr.Stop;
import dev.seekr.StopAtChance;
import dev.seekr.config.ConfigReader;
import dev.seekr.config.ConfigWriter;
import dev.seekr.config.RunConfig;
import dev.seekr.disk.Disk;
import dev.seekr.report.EventReader;
import dev.seekr.report.EventReader.Scalar;
import dev.seekr.report.RunLog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What TensorBoard is given of a run, stopped or not. */
class EventsListenerTest {
  @TempDir Path folder;

  private RunConfig config(String name) {
    return ConfigReader.parse(
        "",
        "test",
        List.of(
            "model.path=examples/nano",
            "data.root=examples/superni",
            "data.tasks=[task363, task1687]",
            "data.max_prompt=24",
            "data.train_limit=6",
            "data.test_limit=2",
            "method.name=replay",
            "method.replay_samples=2",
            "train.epochs=2",
            "train.batch=2",
            "train.lr=1e-3",
            "eval.max_new_tokens=2",
            "eval.ahead=true",
            "eval.every=4",
            "run.tensorboard=true",
            "run.checkpoint={steps: 3}",
            "run.save_models=false",
            "run.out=" + folder.resolve(name)));
  }

  private static Path train(RunConfig config, Stop stop) {
    try (var run = Run.open(config, stop, List.of())) {
      run.train();
      return run.folder().path();
    }
  }

  private static List<Scalar> scalars(Path run) throws IOException {
    return EventReader.scalars(run.resolve("events")).stream()
        .filter(s -> !s.tag().equals("train/tokens_per_second")) // it takes its time
        .toList();
  }

  /** Steps are counted over all tasks; every number is that of the log. */
  @Test
  void theLogsNumbersByTags() throws IOException {
    Path run = train(config("run"), Stop.NEVER);
    var all = EventReader.scalars(run.resolve("events"));
    assertThat(all).extracting(s -> s.tag() + " " + s.step()).doesNotHaveDuplicates();
    var steps =
        RunLog.read(run.resolve("log.jsonl")).stream()
            .filter(e -> e.path("event").asText().equals("step"))
            .toList();
    assertThat(steps).hasSizeGreaterThan(10);
    for (int i = 0; i < steps.size(); i++) {
      JsonNode step = steps.get(i);
      has(all, "loss/total", i + 1, step.path("loss").doubleValue());
      has(all, "train/lr", i + 1, step.path("lr").doubleValue());
      has(all, "train/grad_norm", i + 1, step.path("grad_norm").doubleValue());
      double rate = step.path("tokens").doubleValue() / step.path("seconds").doubleValue();
      has(all, "train/tokens_per_second", i + 1, rate);
      for (var term : step.path("losses").properties())
        has(all, "loss/" + term.getKey(), i + 1, term.getValue().doubleValue());
    }
    assertThat(all).extracting(Scalar::tag).contains("loss/replay", "result/OP", "result/FWT");
    assertThat(all)
        .filteredOn(s -> s.tag().equals("score/task1687"))
        .extracting(Scalar::step)
        .as("before all, after the first task, in the middle of its own, and at the end")
        .startsWith(0L, 6L, 10L)
        .endsWith((long) steps.size());
    var first = EventReader.events(run.resolve("events/events.out.tfevents.0000000001.seekr"));
    assertThat(first.get(1).inner(5).getFirst().inner(1).getFirst().inner(8).getFirst().text(8))
        .contains(ConfigWriter.write(config("run")));
  }

  private static void has(List<Scalar> all, String tag, long step, double value) {
    assertThat(all)
        .filteredOn(s -> s.tag().equals(tag) && s.step() == step)
        .as(tag + " " + step)
        .singleElement()
        .satisfies(
            s -> assertThat((double) s.value()).isCloseTo(value, within(1e-6 * Math.abs(value))));
  }

  /**
   * No step is lost or doubled, whether it was saved when it stopped or died after a checkpoint.
   */
  @Test
  void stopsAndDeathsLeaveNoTrace() throws IOException {
    var expected = scalars(train(config("whole"), Stop.NEVER));
    var config = config("parts");
    Path events = folder.resolve("parts/events");
    for (int chance : new int[] {2, 4, 9, 5})
      assertThat(
              catchThrowableOfType(
                  Stop.Stopped.class, () -> train(config, new StopAtChance(chance))))
          .isNotNull();
    // What an attempt writes behind its last checkpoint: it died there.
    try (var files = Files.list(events)) {
      Path newest = files.sorted().toList().getLast();
      Files.write(newest, new byte[] {1, 2, 3}, java.nio.file.StandardOpenOption.APPEND);
    }
    Files.write(events.resolve("events.out.tfevents.0000000009.seekr"), new byte[] {1});
    train(config, Stop.NEVER);
    assertThat(scalars(folder.resolve("parts"))).isEqualTo(expected);
    try (var files = Files.list(events)) {
      var names = files.sorted().toList();
      assertThat(names).hasSize(5);
      var begins = EventReader.events(names.getLast()).get(1);
      assertThat(begins.inner(7)).hasSize(1);
      long before = names.subList(0, 4).stream().mapToLong(f -> lastStep(f)).max().orElseThrow();
      assertThat(begins.step()).isEqualTo(before + 1);
    }
  }

  private static long lastStep(Path file) {
    try {
      return EventReader.events(file).stream()
          .filter(e -> e.fields().containsKey(5))
          .mapToLong(EventReader.Event::step)
          .max()
          .orElse(0);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /** They are a view: a run goes on without what was deleted. */
  @Test
  void filesThatAreGoneAreNotMissed() throws IOException {
    var config = config("run");
    assertThat(catchThrowableOfType(Stop.Stopped.class, () -> train(config, new StopAtChance(9))))
        .isNotNull();
    Disk.delete(folder.resolve("run/events"));
    train(config, Stop.NEVER);
    assertThat(scalars(folder.resolve("run"))).isNotEmpty();
  }
}
