package dev.seekr.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A few faults of every kind; {@code make soak} tries all. */
class FaultSweepTest {
  @TempDir Path folder;

  @Test
  void noFaultIsTheEndOfARun() {
    var sweep = new FaultSweep(folder);
    assertThat(sweep.all(1, 20261125, false)).isEmpty();
    assertThat(sweep.trials()).isGreaterThan(60);
  }
}
