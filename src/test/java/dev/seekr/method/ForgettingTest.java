package dev.seekr.method;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.model.TinyModel;
import dev.seekr.ops.Ops;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Methods without replay forget less of the first task than sequential fine-tuning does. */
class ForgettingTest {
  @TempDir Path folder;

  /** Losses on the first task before and after the second, and on the second. */
  private double[] losses(String... settings) {
    try (Ops ops = TinyModel.cpu();
        var run = new TwoTasks(folder.resolve(String.join(",", settings)), ops, 2e-3, settings)) {
      run.learn(0, 30);
      double learnt = run.loss(0);
      run.learn(1, 12);
      return new double[] {learnt, run.loss(0), run.loss(1)};
    }
  }

  @Test
  void lessIsForgotten() {
    double[] seqft = losses("method.name=seqft");
    assertThat(seqft[1]).isGreaterThan(2 * seqft[0]);
    for (String[] settings :
        new String[][] {
          {"method.name=ewc", "method.ewc.lambda=1e4"},
          {"method.name=lwf", "method.lwf.temperature=1", "method.lwf.cache=disk"},
          {"method.name=lwf", "method.lwf.temperature=1", "method.lwf.cache=none"}
        }) {
      double[] with = losses(settings);
      assertThat(with[0]).as("the first task has nothing to keep").isEqualTo(seqft[0]);
      assertThat(with[1]).as(String.join(" ", settings)).isLessThan(0.9 * seqft[1]);
    }
  }
}
