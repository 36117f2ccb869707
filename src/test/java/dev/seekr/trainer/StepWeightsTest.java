package dev.seekr.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.seekr.config.Reduction;
import dev.seekr.data.ReplayBuffer;
import dev.seekr.data.Sample;
import dev.seekr.method.Losses;
import dev.seekr.method.Replayed;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Weights of mixed steps: two micro-batches of new samples, and one of a replayed one. */
class StepWeightsTest {
  @TempDir Path folder;

  /** Of so many target tokens. */
  private static Sample sample(int targets) {
    return new Sample(new int[targets + 1], 1);
  }

  private Unit.Rehearsal rehearsal(int... targets) {
    ReplayBuffer.write(
        folder.resolve("buffer"),
        new int[0][],
        -1,
        out -> {
          for (int t : targets) out.accept(new ReplayBuffer.Entry(sample(t), null, null, null));
        });
    var buffer = ReplayBuffer.open(folder.resolve("buffer"));
    var replayed = new ArrayList<Replayed>();
    for (int i = 0; i < targets.length; i++) replayed.add(new Replayed(buffer, i));
    return new Unit.Rehearsal(replayed);
  }

  private List<Unit> units() {
    return List.of(
        new Unit.Fresh(List.of(sample(10), sample(6))),
        new Unit.Fresh(List.of(sample(4))),
        rehearsal(2));
  }

  /** Three of four samples are new, of 20 tokens; the replayed one has 2. */
  @Test
  void byKind() {
    var units = units();
    var weights = StepWeights.of(Reduction.by_kind, units);
    var step = weights.step(7, units);
    assertThat(step.number()).isEqualTo(7);
    assertThat(step.freshToken()).isCloseTo(0.75 / 20, within(1e-15));
    assertThat(step.replayedToken()).isCloseTo(0.25 / 2, within(1e-15));
    assertThat(step.replayedSample()).isEqualTo(0.25);
    assertThat(step.fresh()).hasSize(3).allMatch(f -> f.weight() == 0.25);
    for (Unit unit : units) assertThat(weights.step(7, unit, step)).isSameAs(step);
  }

  /** However the same samples are cut. */
  @Test
  void byKindTheCutMakesNoDifference() {
    var one =
        List.<Unit>of(new Unit.Fresh(List.of(sample(10), sample(6), sample(4))), rehearsal(2));
    var a = StepWeights.of(Reduction.by_kind, one).step(0, one);
    var units = units();
    var b = StepWeights.of(Reduction.by_kind, units).step(0, units);
    assertThat(a.freshToken()).isEqualTo(b.freshToken());
    assertThat(a.replayedToken()).isEqualTo(b.replayedToken());
    assertThat(a.replayedSample()).isEqualTo(b.replayedSample());
  }

  /** Passes are filled from all micro-batches of a kind, whose samples keep their order. */
  @Test
  void microBatchesOfAKindAreJoined() {
    var first = new Unit.Fresh(List.of(sample(10), sample(6)));
    var second = new Unit.Fresh(List.of(sample(4)));
    var general = new Unit.OfNoTask(null, List.of(sample(5)));
    Unit.Rehearsal early = rehearsal(2), late = rehearsal(3, 7);
    var joined = Unit.byKind(List.of(early, first, general, late, second, general));
    var replayed = List.of(early.replayed().get(0), late.replayed().get(0), late.replayed().get(1));
    assertThat(joined)
        .containsExactly(
            new Unit.Rehearsal(replayed),
            new Unit.Fresh(
                List.of(first.samples().get(0), first.samples().get(1), second.samples().get(0))),
            new Unit.OfNoTask(
                null, List.of(general.samples().getFirst(), general.samples().getFirst())));
    assertThat(joined.get(1).passes(1000)).hasSize(1);
  }

  /** Each of three micro-batches is a mean of its own. */
  @Test
  void authors() {
    var units = units();
    var weights = StepWeights.of(Reduction.authors, units);
    var whole = weights.step(0, units);
    var first = weights.step(0, units.get(0), whole);
    assertThat(first.freshToken()).isCloseTo(1.0 / 3 / 16, within(1e-15));
    assertThat(first.freshSample()).isCloseTo(1.0 / 6, within(1e-15));
    var last = weights.step(0, units.get(2), whole);
    assertThat(last.replayedToken()).isCloseTo(1.0 / 3 / 2, within(1e-15));
    assertThat(last.replayedSample()).isCloseTo(1.0 / 3, within(1e-15));
    assertThat(last.fresh()).isEmpty();
    assertThat(whole.fresh().stream().map(f -> f.weight()))
        .containsExactly(1.0 / 6, 1.0 / 6, 1.0 / 3);
  }

  /** Two of six samples are of no task, of 12 tokens: a third kind, and the others' shares fall. */
  @Test
  void general() {
    var units = new ArrayList<>(units());
    units.add(new Unit.OfNoTask(null, List.of(sample(5), sample(7))));
    var step = StepWeights.of(Reduction.by_kind, units).step(0, units);
    assertThat(step.freshToken()).isCloseTo(3.0 / 6 / 20, within(1e-15));
    assertThat(step.replayedToken()).isCloseTo(1.0 / 6 / 2, within(1e-15));
    assertThat(step.generalToken()).isCloseTo(2.0 / 6 / 12, within(1e-15));
    assertThat(step.replayedSample()).isCloseTo(1.0 / 6, within(1e-15));
    assertThat(step.fresh()).hasSize(3).allMatch(f -> Math.abs(f.weight() - 1.0 / 6) < 1e-15);

    var authors = StepWeights.of(Reduction.authors, units);
    var last = authors.step(0, units.get(3), authors.step(0, units));
    assertThat(last.generalToken()).isCloseTo(1.0 / 4 / 12, within(1e-15));
    assertThat(last.fresh()).isEmpty();
  }

  @Test
  void oneKindAlone() {
    var units = List.<Unit>of(new Unit.Fresh(List.of(sample(3), sample(5))));
    var step = StepWeights.of(Reduction.by_kind, units).step(0, units);
    assertThat(step.freshToken()).isEqualTo(1.0 / 8);
    assertThat(step.replayedToken()).isZero();
    var none = StepWeights.of(Reduction.by_kind, List.of()).step(0, List.of());
    assertThat(none.freshToken()).isZero();
    assertThat(none.replayedSample()).isZero();
  }

  /** What is logged makes the loss again. */
  @Test
  void meansTimesWeightsAreTheTotal() {
    var losses = new Losses();
    losses.add("task", 30, 10, 0.02);
    losses.add("task", 8, 4, 0.05);
    losses.add("replay", 6, 2, 0.125);
    losses.add("reference", 9, 3, 0);
    double sum = 0;
    for (var mean : losses.means().entrySet())
      sum += mean.getValue() * losses.weights().get(mean.getKey());
    assertThat(sum).isCloseTo(losses.total(), within(1e-15)).isCloseTo(1.75, within(1e-15));
    assertThat(losses.means().get("task")).isCloseTo(1.0 / 0.4, within(1e-15));
    assertThat(losses.means().get("reference")).isEqualTo(3);
    assertThat(losses.weights().get("replay")).isEqualTo(0.25);
  }
}
