package dev.seekr.page;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Differences seed by seed, of runs whose OP is known: BWT is OP less 80. */
class PairedTest {
  private static final List<Measure> SHOWN = List.of(Measure.op, Measure.bwt, Measure.seconds);

  private static final Paired.Against DERPP = Paired.Against.of("derpp");

  @TempDir Path folder;
  private final List<RunRecord> runs = new ArrayList<>();

  private void run(String method, int seed, double op, String... settings) {
    var all = new ArrayList<>(List.of(settings));
    all.add("method.name=" + method);
    all.add("train.seed=" + seed);
    Path run = HandmadeRuns.run(folder, "r" + runs.size(), op, all.toArray(String[]::new));
    runs.add(RunRecord.read(run));
  }

  private String text() {
    return Paired.of(runs, DERPP, SHOWN).text();
  }

  /** t of two degrees of freedom at 97.5 % is 4.3027: 3 ± 4.3027·1/√3. */
  @Test
  void meanAndInterval() {
    for (int seed = 1; seed <= 3; seed++) {
      run("derpp", seed, 20 * seed);
      run("seekr", seed, 20 * seed + 1 + seed);
    }
    assertThat(text())
        .isEqualTo(
            """
            minus derpp  seeds  OP                    BWT
            --------------------------------------------------------------
            seekr        3      +3.00 [+0.52, +5.48]  +3.00 [+0.52, +5.48]
            """);
  }

  /** Seeds that one of both lacks do not count; one pair has no interval. */
  @Test
  void onlySeedsOfBoth() {
    run("derpp", 1, 10);
    run("derpp", 2, 70);
    run("seekr", 2, 60);
    run("seekr", 3, 10);
    assertThat(text())
        .isEqualTo(
            """
            minus derpp  seeds  OP      BWT
            ----------------------------------
            seekr        1      -10.00  -10.00
            """);
  }

  /** What is kept of a task is the same for both; what only one of them uses may differ. */
  @Test
  void nothingElseThatBothUseDiffers() {
    run("derpp", 1, 10, "method.replay_ratio=0.02");
    run("derpp", 1, 50, "method.replay_ratio=0.1");
    run("seekr", 1, 60, "method.replay_ratio=0.1", "method.seekr.lambda2=7");
    run("seekr", 1, 61, "method.replay_ratio=0.1", "method.seekr.lambda2=8");
    run("seekr", 1, 70, "method.replay_ratio=0.05");
    assertThat(Paired.of(runs, DERPP, SHOWN).rows())
        .extracting(row -> row.values().get(Measure.op).mean())
        .containsExactly(10.0, 11.0);
  }

  /** A method without replay may be compared with either of two, so it is with none. */
  @Test
  void ofTwoThatWouldDoNoneIsTaken() {
    run("derpp", 1, 10, "method.replay_ratio=0.02");
    run("derpp", 1, 50, "method.replay_ratio=0.1");
    run("seqft", 1, 5);
    assertThat(Paired.of(runs, DERPP, SHOWN).rows()).isEmpty();
  }

  /** Of one method, the runs in which a setting has a value; the others differ in it alone. */
  @Test
  void aSetting() {
    run("seekr", 1, 50);
    run("seekr", 1, 40, "method.seekr.choice=random");
    run("seekr", 1, 30, "method.seekr.choice=random", "method.seekr.heads=2");
    run("derpp", 1, 20);
    assertThat(
            Paired.of(runs, Paired.Against.of("method.seekr.choice=both"), List.of(Measure.op))
                .text())
        .isEqualTo(
            """
            minus choice both                  seeds  OP
            ------------------------------------------------
            seekr (heads null, choice random)  1      -10.00
            """);
  }
}
