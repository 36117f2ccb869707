package dev.seekr.verify;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.config.TrainSettings.Recompute;
import dev.seekr.model.TinyModel;
import dev.seekr.ops.Ops;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MethodCasesTest {
  private static final Path FOLDER = Path.of("src/test/resources/methods");

  @TempDir Path folder;

  /** A form that no method has is said and costs nothing; a case nobody knows is a miss. */
  @Test
  void whatIsNotComparedIsSaid() throws IOException {
    for (String file : List.of("config.json", "init.safetensors", "start.safetensors", "plan.json"))
      Files.copy(FOLDER.resolve(file), folder.resolve(file));
    for (String name : List.of("pp-swiglu", "pp-never-heard-of")) {
      Path at = Files.createDirectories(folder.resolve(name));
      Files.copy(FOLDER.resolve("pp/expected.json"), at.resolve("expected.json"));
    }
    try (Ops ops = TinyModel.cpu()) {
      var checks = Golden.verify(folder, ops, Recompute.none);
      assertThat(checks.notes()).singleElement().asString().startsWith("pp-swiglu: not a form");
      assertThat(checks.all())
          .singleElement()
          .satisfies(c -> assertThat(c.passed()).isFalse())
          .satisfies(c -> assertThat(c.quantity()).startsWith("pp-never-heard-of: a case"));
    }
  }
}
