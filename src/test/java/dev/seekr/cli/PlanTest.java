package dev.seekr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.config.ConfigReader;
import dev.seekr.config.TrainSettings.State;
import dev.seekr.model.LlamaConfig;
import dev.seekr.run.BytePlan;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlanTest {
  private static final String MODEL = "model.path=examples/llama2-7b";

  @Test
  void sevenBillionWeightsFitOneDeviceInBfloat16() {
    var config =
        ConfigReader.parse("", "test", List.of(MODEL, "run.dtype=bf16", "train.recompute=true"));
    var shape = LlamaConfig.read(Path.of("examples/llama2-7b"));
    var plan = BytePlan.of(config, shape);
    long weights = shape.parameters();
    assertThat(weights).isEqualTo(6_738_415_616L);
    assertThat(plan.phases())
        .extracting(BytePlan.Phase::name)
        .containsExactly(
            "a step on new samples",
            "the end of a task",
            "a step of a later task",
            "a step on replayed samples");
    for (var phase : plan.phases()) {
      assertThat(phase.byTag().get("weights")).isBetween(2 * weights, 2 * weights + 1_000_000);
      assertThat(phase.byTag().get("gradients")).isBetween(4 * weights, 4 * weights + 1_000_000);
      // the weights that are stepped, and two moments
      assertThat(phase.byTag().get("optimizer")).isBetween(12 * weights, 12 * weights + 1_000_000);
      assertThat(phase.peak()).isBetween(18 * weights, plan.bytes());
    }
    assertThat(plan.phases().get(1).byTag().get("previous weights"))
        .isGreaterThanOrEqualTo(2 * weights);
    assertThat(plan.bytes()).isLessThan(141_000_000_000L);
  }

  /** All weights, passes as long as the paper's sequences; scoring heads takes a second model. */
  @ParameterizedTest
  @CsvSource({
    "seqft, bf16, none",
    "seekr, bf16, none",
    "seekr, bf16, layers",
    "seekr, host, feed_forward"
  })
  void sevenBillionWeightsFitEightyGigabytes(String method, State state, String recompute) {
    var settings =
        List.of(
            MODEL,
            "method.name=" + method,
            "run.backend=cuda",
            "run.dtype=bf16",
            "train.state=" + state,
            "train.recompute=" + recompute);
    var shape = LlamaConfig.read(Path.of("examples/llama2-7b"));
    var plan = BytePlan.of(ConfigReader.parse("", "test", settings), shape);
    long weights = shape.parameters(), widely = 2L * 32000 * 4096;
    assertThat(plan.total()).isBetween(2 * weights, 80_000_000_000L);
    var step = plan.phases().getFirst().byTag();
    if (state == State.bf16) {
      assertThat(step.get("optimizer")).isBetween(4 * weights, 4 * weights + 1_000_000);
      // The output layer's and the embedding's are f32.
      assertThat(step.get("gradients"))
          .isBetween(2 * weights + 2 * widely, 2 * weights + 2 * widely + 2_000_000);
      assertThat(plan.host()).isZero();
    } else {
      assertThat(step.get("optimizer")).isNull();
      long layers = 2 * 4 * (weights - widely) / 32; // two at a time
      assertThat(step.get("gradients"))
          .isBetween(layers + 4 * widely, layers + 4 * widely + 1_000_000);
      // Moments, weights and gradients, and two layers and two pieces on their way.
      assertThat(plan.host()).isBetween(16 * weights + layers, 16 * weights + layers + 30_000_000);
    }
  }

  /**
   * SEEKR on adapters, sequences as long as the paper's: neither gradients nor moments of weights.
   */
  @Test
  void sevenBillionWeightsWithAdaptersFitTwentyFourGigabytes() {
    var shape = LlamaConfig.read(Path.of("examples/llama2-7b"));
    for (String per : List.of("task", "run")) {
      var settings =
          List.of(
              MODEL,
              "run.dtype=bf16",
              "train.recompute=true",
              "train.parameters=lora",
              "method.lora.per=" + per,
              "data.max_prompt=1472",
              "data.max_answer=64");
      var plan = BytePlan.of(ConfigReader.parse("", "test", settings), shape);
      assertThat(plan.bytes()).isBetween(2 * shape.parameters(), 24_000_000_000L);
      for (var phase : plan.phases())
        assertThat(phase.byTag().getOrDefault("previous weights", 0L)).isZero();
    }
  }

  /** Samples of a step share passes where they weigh by kind, and those of a micro-batch always. */
  @ParameterizedTest
  @CsvSource({
    "2, 8, by_kind, 16, 1, by_kind",
    "2, 8, authors, 2, 1, by_kind",
    "3, 1000000000, by_kind, 100, 1, by_kind"
  })
  void passesTakeWhatMayShareThem(
      int batch, int accumulate, String reduction, int batch2, int accumulate2, String reduction2) {
    assertThat(bytes(batch, accumulate, reduction))
        .isEqualTo(bytes(batch2, accumulate2, reduction2))
        .isGreaterThan(bytes(1, 1, reduction));
  }

  private static long bytes(int batch, int accumulate, String reduction) {
    var settings =
        List.of(
            "model.path=examples/nano",
            "data.max_prompt=100",
            "data.max_answer=24",
            "train.batch=" + batch,
            "train.accumulate=" + accumulate,
            "train.reduction=" + reduction);
    var shape = LlamaConfig.read(Path.of("examples/nano"));
    return BytePlan.of(ConfigReader.parse("", "test", settings), shape).bytes();
  }

  @Test
  void exitTellsWhetherItFits() {
    var fits = CommandLineRun.of("plan", "model.path=examples/nano", "--memory", "1");
    assertThat(fits.code()).isZero();
    assertThat(fits.out()).contains("fits into 1.000 GB", "optimizer", "teacher rows");
    var exceeds = CommandLineRun.of("plan", "model.path=examples/nano", "--memory", "0.01");
    assertThat(exceeds.code()).isEqualTo(1);
    assertThat(exceeds.out()).contains("exceeds 0.010 GB by");
  }

  /** A device holds more than tensors, and what is left is counted without it. */
  @Test
  void whatADeviceHoldsBesides() {
    String[] words = {"plan", "model.path=examples/nano", "--memory", "1"};
    var host = CommandLineRun.of(words);
    var device =
        CommandLineRun.of("plan", "model.path=examples/nano", "--memory", "1", "run.backend=cuda");
    assertThat(host.out()).doesNotContain("cuBLAS");
    assertThat(device.out())
        .contains(
            "kernels: 0.027 GB",
            "cuBLAS workspace: 0.034 GB",
            "kernels' scratch: ",
            "tables of indices: ");
    assertThat(spare(device)).isBetween(spare(host) - 0.2, spare(host) - 0.06);
  }

  private static double spare(CommandLineRun run) {
    return Double.parseDouble(run.out().replaceAll("(?s).* GB, ([0-9.]+) to spare.*", "$1"));
  }

  @Test
  void samplesOfNoTask() {
    var plan =
        CommandLineRun.of(
            "plan",
            "model.path=examples/nano",
            "method.name=lora",
            "data.general=x",
            "data.general_loss=kl");
    assertThat(plan.err()).isEmpty();
    assertThat(plan.out()).contains("what the initial model says", "a step on samples of no task");
  }

  @Test
  void whatLiesOnTheHost() {
    String[] words = {"plan", "model.path=examples/nano", "run.backend=cuda", "train.state=host"};
    assertThat(CommandLineRun.of(words).out()).contains("in the memory of the host: 0.0");
    words[2] = "run.backend=cpu";
    var refused = CommandLineRun.of(words);
    assertThat(refused.code()).isEqualTo(78);
    assertThat(refused.err()).contains("train.state is host").hasLineCount(1);
  }

  @Test
  void mistakesAreNamed() {
    var none = CommandLineRun.of("plan", "run.dtype=bf16");
    assertThat(none.code()).isEqualTo(78);
    assertThat(none.err()).contains("model.path is not set").doesNotContain("\tat ");
    var missing = CommandLineRun.of("plan", "model.path=no/such");
    assertThat(missing.code()).isEqualTo(66);
    assertThat(missing.err()).contains("no/such");
    var wrong = CommandLineRun.of("plan", MODEL, "run.dtype=f8");
    assertThat(wrong.code()).isEqualTo(78);
    assertThat(wrong.err()).contains("run.dtype", "f32, bf16");
  }
}
