package dev.seekr.trainer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.config.ConfigReader;
import dev.seekr.config.TrainSettings;
import dev.seekr.data.ReplayBuffer;
import dev.seekr.data.Sample;
import dev.seekr.disk.RunFolder;
import dev.seekr.method.General;
import dev.seekr.method.Replayed;
import dev.seekr.method.Setup;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StagePlanTest {
  @TempDir Path folder;

  private static TrainSettings settings(int batch, int accumulate, long seed) {
    return ConfigReader.read(
            List.of(),
            List.of(
                "train.batch=" + batch,
                "train.accumulate=" + accumulate,
                "train.seed=" + seed,
                "train.epochs=3"))
        .train();
  }

  /** Sample i begins with token i. */
  private static List<Sample> samples(int n) {
    return IntStream.range(0, n).mapToObj(i -> new Sample(new int[] {i, 1, 2}, 1)).toList();
  }

  private List<Replayed> replayed(int n) {
    Path kept = folder.resolve("buffer");
    ReplayBuffer.write(
        kept,
        new int[0][],
        -1,
        out -> samples(n).forEach(s -> out.accept(new ReplayBuffer.Entry(s, null, null, null))));
    var buffer = ReplayBuffer.open(kept);
    return IntStream.range(0, n).mapToObj(i -> new Replayed(buffer, i)).toList();
  }

  private static List<Integer> order(List<List<Unit>> steps, Class<? extends Unit> kind) {
    return steps.stream()
        .flatMap(List::stream)
        .filter(kind::isInstance)
        .flatMap(u -> u.samples().stream())
        .map(s -> s.tokens()[0])
        .toList();
  }

  /** No number is too large to be told from none. */
  @Test
  void aBatchOfAllThereCouldBe() {
    var plan =
        new StagePlan(settings(Integer.MAX_VALUE, Integer.MAX_VALUE, 1), 0, samples(10), List.of());
    assertThat(plan.steps()).isEqualTo(3);
    assertThat(plan.epoch(0)).hasSize(1);
    assertThat(order(plan.epoch(0), Unit.Fresh.class)).hasSize(10);
  }

  /** Each task has its own number of epochs. */
  @Test
  void epochsOfAStage() {
    var settings =
        ConfigReader.read(List.of(), List.of("train.batch=5", "train.epochs=[3, 1]")).train();
    assertThat(new StagePlan(settings, 0, samples(10), List.of()).steps()).isEqualTo(6);
    assertThat(new StagePlan(settings, 1, samples(10), List.of()).steps()).isEqualTo(2);
  }

  @Test
  void everySampleComesOnceAnEpochInAnOrderOfItsOwn() {
    var plan = new StagePlan(settings(4, 1, 1), 0, samples(10), List.of());
    assertThat(plan.stepsPerEpoch()).isEqualTo(3);
    assertThat(plan.steps()).isEqualTo(9);
    var first = order(plan.epoch(0), Unit.Fresh.class);
    assertThat(first)
        .containsExactlyInAnyOrder(0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
        .isNotEqualTo(List.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
    assertThat(order(plan.epoch(1), Unit.Fresh.class)).isNotEqualTo(first);
    assertThat(order(plan.epoch(0), Unit.Fresh.class)).isEqualTo(first);
    assertThat(
            order(
                new StagePlan(settings(4, 1, 2), 0, samples(10), List.of()).epoch(0),
                Unit.Fresh.class))
        .isNotEqualTo(first);
    assertThat(
            order(
                new StagePlan(settings(4, 1, 1), 1, samples(10), List.of()).epoch(0),
                Unit.Fresh.class))
        .isNotEqualTo(first);
  }

  @Test
  void replayLeavesTheOrderOfNewDataAlone() {
    var alone = new StagePlan(settings(2, 1, 1), 1, samples(9), List.of());
    var mixed = new StagePlan(settings(2, 1, 1), 1, samples(9), replayed(4));
    assertThat(order(mixed.epoch(0), Unit.Fresh.class))
        .isEqualTo(order(alone.epoch(0), Unit.Fresh.class));
    assertThat(order(mixed.epoch(0), Unit.Rehearsal.class)).containsExactlyInAnyOrder(0, 1, 2, 3);
  }

  /** 5 and 3 micro-batches: replayed ones come again in their order. */
  @Test
  void replayIsBegunAgain() {
    var settings =
        ConfigReader.read(
                List.of(), List.of("train.batch=2", "train.accumulate=3", "train.interleave=cycle"))
            .train();
    var plan = new StagePlan(settings, 0, samples(10), replayed(6));
    var epoch = plan.epoch(0);
    assertThat(epoch).hasSize(4).hasSize(plan.stepsPerEpoch());
    var replayed = order(epoch, Unit.Rehearsal.class);
    assertThat(replayed).hasSize(10);
    assertThat(replayed.subList(0, 6)).containsExactlyInAnyOrder(0, 1, 2, 3, 4, 5);
    assertThat(replayed.subList(6, 10)).isEqualTo(replayed.subList(0, 4));
    assertThat(order(epoch, Unit.Fresh.class))
        .isEqualTo(
            order(new StagePlan(settings, 0, samples(10), List.of()).epoch(0), Unit.Fresh.class));
  }

  /** 9 new samples, 3 general ones to be 9 as well: 5, 2 and 5 micro-batches. */
  @Test
  void samplesOfNoTask() {
    var config =
        ConfigReader.parse(
            "", "test", List.of("train.batch=2", "train.accumulate=5", "data.general_share=0.5"));
    var generals =
        IntStream.range(100, 103).mapToObj(i -> new Sample(new int[] {i, 1, 2}, 1)).toList();
    var general = General.of(new Setup(config, null, new RunFolder(folder)), generals);
    var plan = new StagePlan(config.train(), 0, samples(9), replayed(4), general);
    var epoch = plan.epoch(0);
    assertThat(epoch.stream().map(List::size)).containsExactly(5, 5, 2);
    assertThat(plan.stepsPerEpoch()).isEqualTo(3);
    assertThat(order(epoch, Unit.OfNoTask.class))
        .hasSize(9)
        .containsExactlyElementsOf(general.draw(9, 0, 0).stream().map(s -> s.tokens()[0]).toList());
    var without = new StagePlan(config.train(), 0, samples(9), replayed(4));
    for (var kind : List.of(Unit.Fresh.class, Unit.Rehearsal.class))
      assertThat(order(epoch, kind)).isEqualTo(order(without.epoch(0), kind));
    for (var step : epoch)
      assertThat(step).as("spread evenly").anyMatch(Unit.OfNoTask.class::isInstance);
  }

  /** Sixteen replayed samples among 200: one step of 16 of their own, or in most steps of 8 x 2. */
  @Test
  void stepsThatReplay() {
    assertThat(StagePlan.replayingPerEpoch(settings(16, 1, 1), 200, 16, 0)).isEqualTo(1);
    assertThat(StagePlan.replayingPerEpoch(settings(2, 8, 1), 200, 16, 0)).isEqualTo(8);
    assertThat(StagePlan.replayingPerEpoch(settings(2, 8, 1), 200, 0, 50)).isZero();
    for (int accumulate = 1; accumulate < 6; accumulate++)
      for (int replayed = 0; replayed < 9; replayed++) {
        var settings = settings(2, accumulate, 1);
        var epoch = new StagePlan(settings, 0, samples(13), replayed(replayed)).epoch(0);
        assertThat(StagePlan.replayingPerEpoch(settings, 13, replayed, 0))
            .as("%d replayed, %d together", replayed, accumulate)
            .isEqualTo(
                (int)
                    epoch.stream()
                        .filter(s -> s.stream().anyMatch(Unit.Rehearsal.class::isInstance))
                        .count());
      }
  }

  @Test
  void stepsHoldTheUnitsThatAccumulate() {
    var plan = new StagePlan(settings(2, 3, 1), 0, samples(9), replayed(4));
    var sizes = new ArrayList<Integer>();
    for (var step : plan.epoch(0)) sizes.add(step.size());
    assertThat(sizes).containsExactly(3, 3, 1);
    assertThat(plan.stepsPerEpoch()).isEqualTo(sizes.size());
  }
}
