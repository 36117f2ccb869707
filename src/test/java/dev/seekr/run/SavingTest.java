package dev.seekr.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.seekr.Failure;
import dev.seekr.Stop;
import dev.seekr.config.CheckpointSettings;
import dev.seekr.disk.Injection;
import dev.seekr.disk.Injection.Mode;
import dev.seekr.disk.Meanwhile;
import dev.seekr.disk.Reading;
import dev.seekr.disk.RunFolder;
import dev.seekr.distributed.Collectives;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import dev.seekr.state.Stateful;
import dev.seekr.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** When a run is saved, by a clock that goes when the test says so. */
class SavingTest {
  @TempDir Path path;
  private long now; // nanoseconds
  private int step;
  private Duration forStep, forSaving;
  private final Tensor weights = Tensor.of(new float[] {0}, 1);

  /** It takes three seconds to say what it holds. */
  private final Stateful run =
      new Stateful() {
        @Override
        public void save(StateWriter to) {
          now += 3_000_000_000L;
          to.put("stage", 0);
          to.put("step", step);
          to.section("weights").tensor("flat", weights);
        }

        @Override
        public void load(StateReader from) {
          throw new IllegalStateException("nobody loads it");
        }
      };

  private final Stop stop =
      new Stop(Duration.ZERO) {
        @Override
        public void reserve(Duration step, Duration save) {
          forStep = step;
          forSaving = save;
        }
      };

  private Saving saving(int steps, double minutes, int keep) {
    var checkpoints = new Checkpoints(new RunFolder(path), 1, "");
    return new Saving(
        new CheckpointSettings(steps, minutes, keep),
        checkpoints,
        stop,
        Collectives.ALONE,
        () -> now);
  }

  /** A step, and what is saved when all that was begun is done. */
  private void step(Saving saving, boolean stageEnds) {
    step++;
    weights.set(0, step);
    saving.step(null);
    saving.between(run, stageEnds);
    saving.close();
  }

  /** The steps that there are checkpoints of. */
  private List<Integer> saved() throws IOException {
    Path checkpoints = new RunFolder(path).checkpoints();
    if (!Files.exists(checkpoints)) return List.of();
    return Reading.list(checkpoints).stream().map(SavingTest::step).toList();
  }

  private static int step(Path checkpoint) {
    try (var from = StateReader.open(checkpoint)) {
      Tensor back = Tensor.of(new float[1], 1);
      from.section("weights").tensor("flat", back);
      int step = from.get("step", Integer.class);
      assertThat(back.get(0)).as("weights and values are of one moment").isEqualTo(step);
      return step;
    }
  }

  @Test
  void everyFewSteps() throws IOException {
    var saving = saving(3, 0, 9);
    for (int i = 0; i < 10; i++) step(saving, i == 3);
    // The third, the end of a stage, and from there the third again.
    assertThat(saved()).containsExactly(3, 4, 7, 10);
  }

  @Test
  void everyFewMinutes() throws IOException {
    var saving = saving(0, 0.5, 9);
    for (int i = 0; i < 12; i++) {
      now += 10_000_000_000L;
      step(saving, false);
    }
    // 30 s of steps; then 3 s of saving are over when the next 30 s begin.
    assertThat(saved()).containsExactly(3, 6, 9, 12);
  }

  @Test
  void whatComesFirst() throws IOException {
    var saving = saving(5, 1, 9);
    for (int i = 0; i < 10; i++) {
      now += i < 3 ? 20_000_000_000L : 1_000_000_000L;
      step(saving, false);
    }
    assertThat(saved()).containsExactly(3, 8);
  }

  @Test
  void atTheEndsOfStagesInAnyCase() throws IOException {
    var saving = saving(0, 0, 9);
    for (int i = 0; i < 6; i++) {
      now += 1_000_000_000_000L;
      step(saving, i % 3 == 2);
    }
    assertThat(saved()).containsExactly(3, 6);
  }

  @Test
  void whatIsKept() throws IOException {
    for (int keep : new int[] {3, 2, 1, 0}) {
      var saving = saving(1, 0, keep);
      for (int i = 0; i < 4; i++) step(saving, false);
      assertThat(saved()).hasSize(Math.max(1, keep)).last().isEqualTo(step);
      saving.finish();
      assertThat(saved()).isEqualTo(keep == 0 ? List.of() : List.of(step));
      assertThat(Saving.whenFinished(new CheckpointSettings(1, 0, keep)))
          .isEqualTo(keep == 0 ? 0 : 1);
    }
  }

  /** Training goes on meanwhile; the next one waits until the one before is done. */
  @Test
  void oneAtATime() throws Exception {
    var begun = new CountDownLatch(1);
    var goOn = new CountDownLatch(1);
    var saving = saving(1, 0, 9);
    try (var _ =
        new Meanwhile(
            "OPEN",
            "weights.safetensors",
            1,
            _ -> {
              begun.countDown();
              await(goOn);
            })) {
      step++;
      weights.set(0, 1);
      saving.step(null);
      saving.between(run, false);
      begun.await();
      for (step = 2; step < 5; step++) {
        weights.set(0, step);
        saving.step(null);
        saving.between(run, false);
      }
      assertThat(saved()).isEmpty();
      goOn.countDown();
      saving.close();
      assertThat(saved()).as("as it was when it began").containsExactly(1);
      weights.set(0, step);
      saving.between(run, false);
      saving.save(run);
    }
    assertThat(saved()).containsExactly(1, 5, 5);
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** What went wrong beside training is said at the next chance, once. */
  @Test
  void faultsOfTheWriter() throws IOException {
    var saving = saving(1, 0, 9);
    for (int chance = 0; chance < 3; chance++) {
      try (var _ = new Injection(path, "WRITE", Mode.ONCE, 1)) {
        step(saving, false);
      }
      int now = chance;
      var failure =
          catchThrowableOfType(
              Failure.class,
              () -> {
                if (now == 0) saving.between(run, false);
                if (now == 1) saving.save(run);
                if (now == 2) saving.finish();
              });
      assertThat(failure.exit.code).isEqualTo(74);
      assertThat(failure)
          .hasMessageStartingWith(path.toString())
          .hasMessageEndingWith("weights.safetensors: cannot be written: injected: WRITE number 1");
    }
    saving.finish();
    assertThat(saved()).isEmpty();
    try (var _ = new Meanwhile("OPEN", "weights.safetensors", 1, _ -> await(null))) {
      step(saving, false);
    }
    assertThatIllegalStateException()
        .isThrownBy(saving::finish)
        .withMessage("a checkpoint could not be written");
  }

  /** For a step and a save, each longer than any so far, and two seconds. */
  @Test
  void timeIsLeftBeforeTheDeadline() {
    var saving = saving(0, 0, 1);
    left(saving, 0, 2);
    saving.expect(10);
    now += 4_000_000_000L;
    left(saving, 6, 2 + 20);
    now += 1_000_000_000L;
    left(saving, 6, 2 + 20); // the longest step counts
  }

  private void left(Saving saving, int step, int save) {
    saving.between(run, false);
    assertThat(forStep).isEqualTo(Duration.ofSeconds(step));
    assertThat(forSaving).isEqualTo(Duration.ofSeconds(save));
  }

  @Test
  void whatItCost() {
    var saving = saving(0, 0, 1);
    assertThat(saving.cost()).isEmpty();
    now += 57_000_000_000L;
    saving.save(run);
    assertThat(saving.cost())
        .isEqualTo("1 checkpoint held training up for 3.0 s, 5.0 % of the time");
    step(saving, true);
    now += 37_000_000_000L;
    assertThat(saving.cost())
        .isEqualTo("2 checkpoints held training up for 6.0 s, 6.0 % of the time");
  }
}
