package dev.seekr.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.seekr.Failure;
import dev.seekr.config.TrainSettings.Recompute;
import dev.seekr.model.TinyModel;
import dev.seekr.ops.Ops;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.tensor.DType;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The reference folder that ships with the tests: forward, scores, losses, gradients and a whole
 * two-task run.
 */
class GoldenTest {
  private static final Path TINY = Path.of("src/test/resources/golden/tiny");
  private static final int QUANTITIES = 211;

  @ParameterizedTest
  @CsvSource({
    "auto,1,none",
    "auto,2,none",
    "auto,2,layers",
    "auto,2,feed_forward",
    "avx2,2,none",
    "scalar,3,none"
  })
  void kernelsAgree(String isa, int threads, Recompute recompute) {
    try (Ops ops = TinyModel.cpu(threads, isa)) {
      assertAllPass(Golden.verify(TINY, ops, recompute));
    }
  }

  @Test
  void doubleReferenceAgrees() {
    assertAllPass(Golden.verify(TINY, new ReferenceOps(DType.F64), Recompute.none));
  }

  private static void assertAllPass(Checks checks) {
    assertThat(checks.all()).hasSize(QUANTITIES);
    assertThat(checks.all().stream().filter(c -> !c.passed())).isEmpty();
  }

  @Test
  void nanIsAMiss() {
    var checks = new Checks();
    checks.number("x", Double.NaN, 1, 1);
    checks.norm("y", new double[] {Double.NaN}, new double[] {1}, 1);
    checks.elements("z", new double[] {1, Double.NaN, 1}, new double[] {1, 1, 1}, 1);
    checks.elements("short", new double[] {1}, new double[] {1, 1}, 1);
    checks.same("ints", new int[] {1}, new int[] {1, 2});
    assertThat(checks.missed()).isEqualTo(5);
  }

  @Test
  void incompleteFolderIsNamed(@TempDir Path empty) {
    assertThatThrownBy(() -> Golden.verify(empty, new ReferenceOps(DType.F64), Recompute.none))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(66))
        .hasMessageContaining("prev.safetensors");
  }
}
