package dev.seekr.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigWriterTest {
  private static RunConfig readBack(RunConfig config) {
    return ConfigReader.parse(ConfigWriter.write(config), "written", List.of());
  }

  @Test
  void defaultsReadBackEqual() {
    assertThat(readBack(RunConfig.DEFAULT)).isEqualTo(RunConfig.DEFAULT);
    assertThat(ConfigWriter.write(RunConfig.DEFAULT).lines())
        .startsWith("model:", "  path: null", "  init: pretrained", "  save: f32")
        .contains(
            "  micro_tokens: 2048",
            "  lr: 1.0e-5",
            "  beta1: 0.9",
            "    lambda2: null",
            "  bos: true");
  }

  @Test
  void everyKindOfValueReadsBackEqual() {
    RunConfig config =
        ConfigReader.parse(
            """
            data: {root: d, tasks: [a, "1", "true", b c], max_answer: 1048576, test_limit: 2147483647, bos: false, loss_on: all}
            train: {lr: 1.2345678901234567e-30, min_lr: 1e-17, beta1: 0, eps: 1e22, weight_decay: 1e7}
            eval: {metrics: {"true": exact, "10": sari, "a: b": bleu}}
            method: {seekr: {lambda2: 0, layers: 3}}
            """,
            "run.yaml",
            List.of(
                "train.seed=" + Long.MIN_VALUE, "train.recompute=true", "train.schedule=cosine"));
    assertThat(config.train().eps()).isEqualTo(1e22);
    assertThat(config.eval().metrics()).hasSize(3);
    assertThat(readBack(config)).isEqualTo(config);
  }

  /** A section of another method is not written, nor what the other settings make idle. */
  @Test
  void inUseReadsBackEqualWhereItIsInUse() {
    RunConfig config =
        ConfigReader.parse(
            """
            method: {name: derpp, derpp: {alpha: 0.25}, ewc: {lambda: 7}, lambda1: 0.75, replay_samples: 3}
            train: {lr: 1e-4}
            eval: {general: {limit: 5}}
            """,
            "run.yaml",
            List.of());
    String written = ConfigWriter.inUse(config);
    assertThat(written).contains("alpha: 0.25").doesNotContain("ewc", "lambda1", "limit: 5");
    RunConfig read = ConfigReader.parse(written, "written", List.of());
    assertThat(read.method().derpp()).isEqualTo(config.method().derpp());
    assertThat(read.method().replaySamples()).isEqualTo(3);
    assertThat(read.method().ewc()).isEqualTo(RunConfig.DEFAULT.method().ewc());
    assertThat(read.train()).isEqualTo(config.train());
    assertThat(read.eval()).isEqualTo(RunConfig.DEFAULT.eval());
    assertThat(ConfigWriter.inUse(read)).isEqualTo(written);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a b", "null", "~", "true", "No", "12", "1e5", "0x1F", ".5", "a: b", "a #b", "#a", "*a",
            "&a", "- a", "[a]",
        "{a}", "'a'", "\"a\"", "a\nb", "a\tb", "!a", "%a", "@a", "`a", " a ", "é漢😀", "C:\\a",
            "a,b", "a:", "-", "?",
        "|", ">", "2024-01-01", "<<", "="
      })
  void everyTextReadsBackEqual(String text) {
    var model =
        new ModelSettings(text, ModelSettings.Init.random, ModelSettings.Saved.f16, List.of(text));
    var data =
        Changed.of(
            RunConfig.DEFAULT.data(), "root", text, "tasks", List.of(text), "instruction", text);
    var config =
        new RunConfig(
            model,
            data,
            RunConfig.DEFAULT.method(),
            RunConfig.DEFAULT.train(),
            RunConfig.DEFAULT.eval(),
            RunConfig.DEFAULT.dist(),
            RunConfig.DEFAULT.run());
    assertThat(readBack(config)).isEqualTo(config);
  }
}
