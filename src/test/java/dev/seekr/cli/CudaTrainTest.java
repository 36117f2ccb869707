package dev.seekr.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The demo's first steps, new and replayed, on a CPU and on CUDA. */
class CudaTrainTest {
  /**
   * A share of a loss. float32 has 24 bits, 6e-8 of a number; a dozen layers and five steps add up.
   */
  private static final double ROUNDING = 1e-4;

  /**
   * Of numbers of 8 bits one is off by up to 2^-9; a dozen layers of rounding add up to a few times
   * that.
   */
  private static final double ROUNDING_OF_BFLOAT16 = 0.05;

  @TempDir Path folder;

  private List<JsonNode> steps(String name, String... settings) throws IOException {
    Path out = folder.resolve(name);
    var args =
        new ArrayList<>(
            List.of(
                "train",
                "examples/demo.yaml",
                "method.name=seekr",
                "data.tasks=[task1510, task363]",
                "data.max_prompt=40",
                "data.train_limit=8",
                "data.test_limit=1",
                "method.replay_samples=4",
                "train.epochs=1",
                "train.batch=4",
                "eval.max_new_tokens=2",
                "run.out=" + out));
    args.addAll(List.of(settings));
    var run = CommandLineRun.of(args.toArray(String[]::new));
    assertThat(run.err()).doesNotContain("seekr:");
    assertThat(run.code()).isZero();
    var steps = new ArrayList<JsonNode>();
    for (String line : Files.readAllLines(out.resolve("log.jsonl"))) {
      JsonNode json = new ObjectMapper().readTree(line);
      if (json.path("event").asText().equals("step")) steps.add(json);
    }
    // Two on each task, and one on replayed samples when the model has moved away from them.
    assertThat(steps).hasSize(5);
    assertThat(steps.get(3).path("losses").path("attention").asDouble()).isGreaterThan(1e-3);
    return steps;
  }

  private static void assertNear(List<JsonNode> actual, List<JsonNode> expected, double error) {
    for (int i = 0; i < expected.size(); i++) {
      JsonNode a = actual.get(i), e = expected.get(i);
      for (var term : e.path("losses").properties()) {
        double value = term.getValue().asDouble();
        assertThat(a.path("losses").path(term.getKey()).asDouble())
            .as("step %d, %s", i + 1, term.getKey())
            .isCloseTo(value, within(error * Math.abs(value)));
      }
      double norm = e.path("grad_norm").asDouble();
      assertThat(a.path("grad_norm").asDouble()).isCloseTo(norm, within(error * norm));
    }
  }

  @Test
  void cudaGivesTheLossesOfTheCpu() throws IOException {
    var cpu = steps("cpu", "run.backend=cpu");
    assertNear(steps("f32", "run.backend=cuda"), cpu, ROUNDING);
    assertNear(steps("bf16", "run.backend=cuda", "run.dtype=bf16"), cpu, ROUNDING_OF_BFLOAT16);
  }
}
