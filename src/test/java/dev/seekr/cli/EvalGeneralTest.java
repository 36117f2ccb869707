package dev.seekr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.seekr.evaluation.ScoreFiles;
import dev.seekr.report.RunLog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** General ability as a user sees it. */
class EvalGeneralTest {
  private static final String DATA = "src/test/resources/general/data";
  @TempDir Path folder;

  /** A folder with PIQA alone. */
  private Path piqa() throws IOException {
    Path root = folder.resolve("some");
    Files.createDirectories(root.resolve("piqa"));
    for (String file : new String[] {"piqa/valid.jsonl", "piqa/valid-labels.lst"})
      Files.copy(Path.of(DATA).resolve(file), root.resolve(file));
    return root;
  }

  @Test
  void aTableAndWhatIsMissing() throws IOException {
    Path out = folder.resolve("given");
    var run =
        CommandLineRun.of(
            "eval",
            "--general",
            piqa().toString(),
            "examples/nano",
            "--sets",
            "piqa,tydiqa",
            "--questions",
            "2",
            "--out",
            out.toString());
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out())
        .contains("tydiqa is not there; its general ability stays blank\n")
        .containsPattern("piqa +2 +acc +(0|50|100).00 +\\d+\\.\\d\n")
        .containsPattern("piqa +2 +acc_norm +(0|50|100).00\n")
        .containsPattern("tydiqa\n")
        .containsPattern("GA +mean of 1 +(0|50|100).00\n");
    JsonNode samples =
        new ObjectMapper().readTree(out.resolve("answers.json").toFile()).at("/tasks/piqa/samples");
    assertThat(samples).hasSize(2);
    for (JsonNode sample : samples) {
      assertThat(sample.path("loglikelihoods")).hasSize(2);
      for (JsonNode likelihood : sample.path("loglikelihoods"))
        assertThat(likelihood.doubleValue()).isNegative();
    }
  }

  @Test
  void wrongUse() {
    fails(64, "--sets, --limit and --questions need --general", "eval", "--limit", "2");
    fails(64, "--sets, --limit and --questions need --general", "eval", "--questions", "2");
    fails(64, "--general FOLDER needs a model's folder", "eval", "--general", DATA);
    fails(64, "mmlu, gsm8k, bbh, tydiqa, boolq, piqa", "eval", "--general", DATA, "x", "--sets=a");
    fails(66, "none: no such folder", "eval", "--general", "none", "examples/nano");
    fails(64, "--general and --data go together", "verify", "examples/nano", "--data", DATA);
    var run = Tiny.run("train", "run.out=" + folder.resolve("run"), "eval.general.when=ends");
    assertThat(run.code()).isEqualTo(78);
    assertThat(run.err()).contains("eval.general.root is not set");
  }

  private static void fails(int code, String message, String... words) {
    var run = CommandLineRun.of(words);
    assertThat(run.err()).contains(message);
    assertThat(run.code()).isEqualTo(code);
  }

  @Test
  void inARun() throws IOException {
    Path out = folder.resolve("run");
    var run =
        Tiny.run(
            "train",
            "run.out=" + out,
            "eval.general.root=" + piqa(),
            "eval.general.sets=[piqa, mmlu]",
            "eval.general.when=ends");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out())
        .contains("mmlu is not there; its general ability stays blank\n")
        .containsPattern("general ability +piqa +mmlu +GA +DeltaGA\n")
        .containsPattern("before +([0-9.]+) +\\1\n")
        .containsPattern("after 2 +([0-9.]+) +\\1 +-?[0-9.]+\n")
        .doesNotContain("after 1 ");
    var general = ScoreFiles.loadJson(out.resolve("scores.json")).general();
    assertThat(general.sets()).containsExactly("piqa", "mmlu");
    assertThat(general.has(0)).isTrue();
    assertThat(general.has(1)).isFalse();
    assertThat(general.get(2, 0)).isPresent();
    assertThat(general.get(2, 1)).as("mmlu").isEmpty();
    assertThat(general.delta(2)).isPresent();
    var events = RunLog.read(out.resolve("log.jsonl"));
    assertThat(events.stream().filter(e -> e.path("event").asText().equals("general")))
        .extracting(e -> e.path("set").asText() + " " + e.path("after").asText())
        .containsExactly("piqa ", "piqa task1687");
    JsonNode end = RunLog.last(events, "end").orElseThrow();
    assertThat(end.path("ga").doubleValue()).isEqualTo(general.ga(2).getAsDouble());
    assertThat(end.path("delta_ga").doubleValue()).isEqualTo(general.delta(2).getAsDouble());
  }
}
