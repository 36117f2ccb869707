package dev.seekr.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PresetsTest {
  private static final Path FOLDER = Path.of("presets");

  @ParameterizedTest
  @EnumSource
  void namesItsMethodAndSetsNothingElse(MethodName name) throws IOException {
    Path file = FOLDER.resolve(name + ".yaml");
    RunConfig config = ConfigReader.read(List.of(file), List.of());
    assertThat(config.method().name()).isEqualTo(name);
    var d = RunConfig.DEFAULT;
    assertThat(config)
        .isEqualTo(
            new RunConfig(d.model(), d.data(), config.method(), d.train(), d.eval(), d.run()));
    assertThat(Files.readString(file)).startsWith("# ").contains("\nmethod:\n  name: " + name);
  }

  @Test
  void noOther() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER)) {
      assertThat(files).hasSize(MethodName.values().length);
    }
  }
}
