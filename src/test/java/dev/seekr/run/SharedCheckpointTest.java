package dev.seekr.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.seekr.Failure;
import dev.seekr.disk.Attempt;
import dev.seekr.disk.Fingerprint;
import dev.seekr.disk.Reading;
import dev.seekr.distributed.ThreadWire;
import dev.seekr.distributed.WireCollectives;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import dev.seekr.state.Stateful;
import dev.seekr.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What processes put into a checkpoint is told to the first one, and an orphan puts nothing there.
 */
class SharedCheckpointTest {
  @TempDir Path run;

  /** A vector that each process has for itself, and one that all have. */
  private record Held(int rank, int ranks) implements Stateful {
    @Override
    public void save(StateWriter to) {
      to.section("weights").tensor("flat", Tensor.of(new float[] {1, 2}));
      to.section("optimizer")
          .beside("optimizer-%d-of-%d".formatted(rank + 1, ranks))
          .tensor("m", Tensor.of(new float[] {rank, 3}));
    }

    @Override
    public void load(StateReader from) {}
  }

  /** What the first process of three is told; the others put their files into {@code part}. */
  private Map<String, Fingerprint> collect(Path part, int attempt) {
    return ThreadWire.run(
            3,
            wire -> {
              try (var all = new WireCollectives(wire, wire.rank())) {
                if (!all.first()) {
                  new SharedCheckpoint.Companion(all, run).save(new Held(all.rank(), 3));
                  return null;
                }
                var files = SharedCheckpoint.collect(all, part, attempt);
                SharedCheckpoint.done(all);
                return files;
              }
            })
        .getFirst();
  }

  @Test
  void eachPutsItsOwnThere() throws Exception {
    Path part = Files.createDirectory(run.resolve("part"));
    try (var attempt = Attempt.take(run, 1)) {
      var files = collect(part, attempt.number());
      assertThat(files)
          .containsOnlyKeys("optimizer-2-of-3.safetensors", "optimizer-3-of-3.safetensors");
      assertThat(Reading.list(part)).hasSize(2);
      files.forEach((name, f) -> assertThat(Reading.fingerprint(part.resolve(name))).isEqualTo(f));
    }
  }

  @Test
  void anOrphanPutsNothingThere() throws Exception {
    Path part = Files.createDirectory(run.resolve("part"));
    try (var newer = Attempt.take(run, 2)) {
      assertThat(newer.number()).isEqualTo(2);
      var failure = catchThrowableOfType(Failure.class, () -> collect(part, 1));
      assertThat(failure.exit).isEqualTo(Failure.Exit.CREATE);
      assertThat(failure).hasMessageContaining("this process (attempt 1) writes no more");
    }
    assertThat(Reading.list(part)).isEmpty();
  }
}
