package dev.seekr.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

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
            new RunConfig(
                d.model(), d.data(), config.method(), d.train(), d.eval(), d.dist(), d.run()));
    assertThat(Files.readString(file)).startsWith("# ").contains("\nmethod:\n  name: " + name);
  }

  @Test
  void noOther() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER)) {
      assertThat(files.filter(Files::isRegularFile)).hasSize(MethodName.values().length);
    }
  }

  /** Over a protocol, it changes what the released code does otherwise, and nothing else. */
  @Test
  void released() {
    Path released = FOLDER.resolve("paper/seekr-released.yaml");
    Path protocol = FOLDER.resolve("paper/superni-3.yaml"), paper = FOLDER.resolve("seekr.yaml");
    var a = ConfigReader.read(List.of(protocol, released), List.of());
    var b = ConfigReader.read(List.of(protocol, paper), List.of());
    assertThat(a.differences(b).stream().map(RunConfig.Difference::key))
        .containsExactlyInAnyOrder(
            "data.tokenize",
            "method.replay_choice",
            "method.seekr.variant",
            "method.seekr.queries",
            "train.batch",
            "train.accumulate",
            "train.reduction",
            "train.interleave");
    assertThat(a.train().batch() * a.train().accumulate()).isEqualTo(128);
  }

  /** The paper's protocol, beside any method. */
  @ParameterizedTest
  @CsvSource({"trace-1, 1, 8", "trace-2, 2, 8", "superni-3, 3, 1", "superni-4, 4, 1"})
  void protocols(String name, int order, int epochs) {
    var files = List.of(FOLDER.resolve("paper/" + name + ".yaml"), FOLDER.resolve("seekr.yaml"));
    RunConfig config = ConfigReader.read(files, List.of());
    assertThat(config.data().order()).isEqualTo(order);
    assertThat(config.train().epochs().stages()).isEqualTo(epochs);
    assertThat(config.train().batch() * config.train().accumulate()).isEqualTo(128);
    assertThat(config.train().lr()).isEqualTo(1e-5);
    assertThat(config.data().maxPrompt()).isEqualTo(1024);
    assertThat(config.data().maxAnswer()).isEqualTo(512);
    assertThat(config.method().name()).isEqualTo(MethodName.seekr);
  }

  /** All tasks at once are one stage. */
  @ParameterizedTest
  @ValueSource(strings = {"trace-1", "trace-2"})
  void multiTask(String protocol) {
    var mtl = FOLDER.resolve("paper/mtl.yaml");
    var config =
        ConfigReader.read(List.of(FOLDER.resolve("paper/" + protocol + ".yaml"), mtl), List.of());
    config.train().epochs().require(1);
    assertThat(config.method().name()).isEqualTo(MethodName.mtl);
  }
}
