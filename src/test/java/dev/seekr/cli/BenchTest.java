package dev.seekr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BenchTest {
  @TempDir Path folder;

  private CommandLineRun step(String... more) {
    var args = new String[5 + more.length];
    String[] first = {"bench", "step", folder.toString(), "--warmup", "0"};
    System.arraycopy(first, 0, args, 0, 5);
    System.arraycopy(more, 0, args, 5, more.length);
    return CommandLineRun.of(args);
  }

  @ParameterizedTest
  @ValueSource(strings = {"plain", "seekr", "importance", "lora", "prompt"})
  void everyKindOfStepIsTimed(String mode) throws IOException {
    Files.copy(Path.of("examples/nano/config.json"), folder.resolve("config.json"));
    Path json = folder.resolve("figures.json");
    var run = step("--mode", mode, "--tokens", "24", "--repeats", "2", "--json", json.toString());
    assertThat(run.err()).isEmpty();
    assertThat(run.code()).isZero();
    assertThat(run.out()).contains("tokens/s", "attention_bwd", "matmul forward", "peak MiB");
    var figures = new ObjectMapper().readTree(Files.readString(json));
    assertThat(figures.path("mode").asText()).isEqualTo(mode);
    assertThat(figures.path("tokens_per_second").asDouble()).isPositive().isFinite();
    assertThat(figures.path("outside_kernels").asDouble()).isBetween(0.0, 1.0);
    assertThat(figures.path("seconds_by_op").has("adamw")).isEqualTo(!mode.equals("importance"));
    assertThat(figures.path("seconds_by_op").has("matmul weight"))
        .isEqualTo(!mode.equals("importance"));
  }

  /** What has an option of its own, or is no setting of a step, would be passed over. */
  @ParameterizedTest
  @ValueSource(strings = {"run.dtype=bf16", "train.parameters=lora", "train.state"})
  void otherSettingsAreWrongUse(String setting) {
    var run = step("--set", setting);
    assertThat(run.code()).isEqualTo(64);
    assertThat(run.err()).contains("--set " + setting + ": expected train.state=...");
  }

  @Test
  void stepsOfOtherStates() throws IOException {
    Files.copy(Path.of("examples/nano/config.json"), folder.resolve("config.json"));
    var run =
        step(
            "--tokens",
            "24",
            "--repeats",
            "1",
            "--set",
            "train.state=bf16",
            "--set",
            "train.recompute=feed_forward");
    assertThat(run.err()).isEmpty();
    assertThat(run.out()).contains("tokens/s", "adamw");
    assertThat(step("--set", "train.state=host").err()).contains("train.state is host");
    assertThat(step("--set", "train.state=bf16", "--mode", "lora").err())
        .contains("--mode plain or seekr");
  }

  @Test
  void answersAreTimed() throws IOException {
    Files.copy(Path.of("examples/nano/config.json"), folder.resolve("config.json"));
    Path json = folder.resolve("figures.json");
    var run = generate("--prompts", "3", "--tokens", "9", "--json", json.toString());
    assertThat(run.err()).isEmpty();
    assertThat(run.code()).isZero();
    assertThat(run.out()).contains("3 of 9 tokens, 2 new ones each", "GB/s read");
    var figures = new ObjectMapper().readTree(Files.readString(json));
    assertThat(figures.path("tokens_per_second").asDouble()).isPositive().isFinite();
    assertThat(figures.path("bound_reached").asDouble()).isPositive().isFinite();
    // The same model and the same prompts: the same answers.
    long checksum = figures.path("checksum").asLong();
    assertThat(checksum).isPositive();
    assertThat(generate("--prompts", "3", "--tokens", "9").out())
        .contains("sum of new ids  " + checksum);
  }

  @ParameterizedTest
  @CsvSource({"--prompts,0", "--tokens,0", "--repeats,0", "--warmup,-1", "--new-tokens,0"})
  void wrongBatchesAreWrongUse(String option, String value) {
    var run = CommandLineRun.of("bench", "generate", folder.toString(), option, value);
    assertThat(run.code()).isEqualTo(64);
    assertThat(run.err()).contains("expected at least 1 prompt");
  }

  private CommandLineRun generate(String... more) {
    String[] first = {"bench", "generate", folder.toString(), "--warmup", "0", "--repeats", "1"};
    return CommandLineRun.of(
        Stream.of(first, new String[] {"--new-tokens", "2"}, more)
            .flatMap(Arrays::stream)
            .toArray(String[]::new));
  }

  @ParameterizedTest
  @CsvSource({"--tokens,7", "--sequences,0", "--repeats,0", "--warmup,-1", "--mode,fast"})
  void wrongShapesAreWrongUse(String option, String value) {
    var run = CommandLineRun.of("bench", "step", folder.toString(), option, value);
    assertThat(run.code()).isEqualTo(64);
    assertThat(run.err())
        .contains(option.equals("--mode") ? "fast" : "expected at least 1 sequence");
  }

  @Test
  void aFolderWithoutAModelIsMissingInput() {
    var run = step();
    assertThat(run.code()).isEqualTo(66);
    assertThat(run.err()).contains("config.json: no such file");
  }
}
