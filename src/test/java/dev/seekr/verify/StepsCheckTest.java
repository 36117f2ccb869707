package dev.seekr.verify;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.config.TrainSettings.Recompute;
import dev.seekr.model.TinyModel;
import dev.seekr.ops.Ops;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.tensor.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The pretrained model that lies in the repository takes the steps that PyTorch takes. */
class StepsCheckTest {
  private static final Path STEPS = Path.of("src/test/resources/steps/nano.json");
  private static final Path MODEL = Path.of("examples/nano");

  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource
  void kernels(Recompute recompute) {
    try (Ops ops = TinyModel.cpu()) {
      var checks = StepsCheck.verify(STEPS, MODEL, ops, recompute);
      assertThat(checks.all()).hasSize(20).allMatch(Checks.Check::passed);
    }
  }

  @Test
  void reference() throws IOException {
    // One step is enough of what is slow.
    var json = Files.readString(STEPS).replaceFirst("(\"steps\": \\[\\{[^}]*\\}).*\\]", "$1]");
    Path one = Files.writeString(folder.resolve("one.json"), json);
    try (Ops ops = new ReferenceOps(DType.F64)) {
      var checks = StepsCheck.verify(one, MODEL, ops, Recompute.none);
      assertThat(checks.all()).hasSize(2).allMatch(Checks.Check::passed);
    }
  }

  /** Another learning rate is noticed from the second step on. */
  @Test
  void otherStepsAreMissed() throws IOException {
    String json = Files.readString(STEPS);
    assertThat(json).contains("\"lr\": 0.0001");
    Path other =
        Files.writeString(
            folder.resolve("o.json"), json.replace("\"lr\": 0.0001", "\"lr\": 0.0002"));
    try (Ops ops = TinyModel.cpu()) {
      var checks = StepsCheck.verify(other, MODEL, ops, Recompute.none);
      assertThat(checks.all().subList(0, 2)).allMatch(Checks.Check::passed);
      assertThat(checks.all().subList(2, 20)).noneMatch(Checks.Check::passed);
    }
  }
}
