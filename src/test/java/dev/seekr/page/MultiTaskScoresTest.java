package dev.seekr.page;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.evaluation.Spread;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Intransigence, which needs multi-task learning beside it. */
class MultiTaskScoresTest {
  @TempDir Path folder;
  private final List<RunRecord> runs = new ArrayList<>();

  private void run(double end, String... settings) {
    runs.add(RunRecord.read(HandmadeRuns.run(folder, "r" + runs.size(), end, settings)));
  }

  private Map<String, Double> intransigence() {
    return Results.of(runs).rows().stream()
        .filter(row -> row.get(Measure.intransigence).isPresent())
        .collect(
            Collectors.toMap(
                Results.Row::label,
                row -> row.get(Measure.intransigence).map(Spread::mean).orElseThrow()));
  }

  /** 80 when the first task is learnt and 60 when the second is, beside 90 and 92 on both. */
  @Test
  void meansOverSeedsOfBoth() {
    run(60, "method.name=replay", "train.seed=1");
    assertThat(intransigence()).as("none to compare with").isEmpty();
    run(90, "method.name=mtl", "train.seed=1");
    run(92, "method.name=mtl", "train.seed=2");
    assertThat(intransigence()).isEqualTo(Map.of("replay", 91.0 - 70));
    assertThat(Results.of(runs).text()).contains("intransigence").contains("  21.00 ");
  }

  /** Without general data its share does nothing, whatever it is. */
  @Test
  void idleSettingsMayDiffer() {
    run(60, "method.name=replay");
    run(90, "method.name=mtl", "data.general_share=0.5");
    assertThat(intransigence().values()).containsExactly(90.0 - 70);
  }

  /**
   * Other tasks, data or models are nothing to compare with; order, epochs and rates may differ.
   */
  @Test
  void onlyWhatIsComparable() {
    run(60, "method.name=replay");
    run(90, "method.name=mtl", "data.train_limit=9");
    run(90, "method.name=mtl", "model.path=other");
    assertThat(intransigence()).isEmpty();
    run(80, "method.name=mtl", "train.lr=1e-3", "data.tasks=[b, <a>&]");
    assertThat(intransigence().values()).containsExactly(80.0 - 70);
    run(70, "method.name=mtl", "train.lr=2e-3");
    assertThat(intransigence()).as("which of the two is not known").isEmpty();
    run(75, "method.name=mtl");
    assertThat(intransigence().values()).as("the one of the same rate").containsExactly(75.0 - 70);
  }
}
