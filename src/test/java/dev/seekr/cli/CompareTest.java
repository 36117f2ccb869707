package dev.seekr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CompareTest {
  @TempDir Path folder;

  private CommandLineRun compare(String... more) {
    var args =
        new ArrayList<>(
            List.of(
                "compare",
                "examples/demo.yaml",
                "data.tasks=[task363, task1687]",
                "data.train_limit=4",
                "data.test_limit=2",
                "data.max_prompt=64",
                "train.epochs=1",
                "train.batch=4",
                "eval.max_new_tokens=2",
                "--out",
                folder.resolve("runs").toString()));
    args.addAll(List.of(more));
    return CommandLineRun.of(args.toArray(String[]::new));
  }

  @Test
  void methodsAndSeedsComeTogetherAndFinishedRunsAreKept() throws IOException {
    Path csv = folder.resolve("table.csv"), latex = folder.resolve("table.tex");
    String[] options = {
      "--methods",
      "seqft,replay",
      "--seeds",
      "1,2",
      "--csv",
      csv.toString(),
      "--latex",
      latex.toString()
    };
    var first = compare(options);
    assertThat(first.code()).as(first.err()).isZero();
    assertThat(first.out()).contains("run 1/4: seqft, seed 1", "run 4/4: replay, seed 2");
    assertThat(first.out().lines().toList().getLast()).matches("replay +2 .* ± .*");
    assertThat(Files.readAllLines(csv))
        .hasSize(3)
        .first()
        .isEqualTo(
            "label,method,runs,op,op_sd,bwt,bwt_sd,bwt_released,bwt_released_sd,forgetting,forgetting_sd,average,average_sd,seconds,peak_mib,stored_mib");
    assertThat(Files.readString(latex))
        .startsWith("\\begin{tabular}{lrrrrrrrrr}\n\\toprule\nmethod & runs &")
        .contains(" \\pm ", "\\midrule\nseqft & $2$ & ")
        .endsWith("\\bottomrule\n\\end{tabular}\n");

    Path log = folder.resolve("runs/replay-2/log.jsonl");
    String finished = Files.readString(log);
    Path half = folder.resolve("runs/seqft-1/log.jsonl");
    Files.write(half, Files.readAllLines(half).subList(0, 2));
    var again = compare(options);
    assertThat(again.code()).as(again.err()).isZero();
    assertThat(again.out())
        .contains("run 4/4: replay, seed 2, is finished")
        .doesNotContain("run 1/4: seqft, seed 1, is finished");
    assertThat(Files.readString(log)).isEqualTo(finished);
    assertThat(Files.readString(half)).contains("\"end\"");
    assertThat(again.out().lines().toList().getLast())
        .isEqualTo(first.out().lines().toList().getLast());
  }

  @Test
  void runsOfOtherSettingsAreNotComparedNorDeleted() throws IOException {
    assertThat(compare("--methods", "seqft").code()).isZero();
    String log = Files.readString(folder.resolve("runs/seqft-1/log.jsonl"));
    var other = compare("--methods", "seqft", "train.lr=0.5");
    assertThat(other.code()).isEqualTo(78);
    assertThat(other.err()).contains("train.lr is 0.5, and was 0.001", "choose another folder");
    assertThat(Files.readString(folder.resolve("runs/seqft-1/log.jsonl"))).isEqualTo(log);
  }

  @Test
  void eachOrderIsARow() {
    var run =
        compare("--methods", "seqft", "--order", "task363,task1687", "--order", "task1687,task363");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out()).contains("run 2/2: seqft, seed 1, order 2");
    assertThat(folder.resolve("runs/seqft-1-order2/scores.json")).isNotEmptyFile();
    assertThat(run.out().lines())
        .anyMatch(line -> line.startsWith("seqft (tasks [task363, task1687])  1 "))
        .anyMatch(line -> line.startsWith("seqft (tasks [task1687, task363])  1 "));
  }

  /** What is wrong with a later run shows before the first is made. */
  @Test
  void allRunsAreLookedAtFirst() {
    var epochs = compare("--methods", "seqft,mtl", "train.epochs=[1,2]");
    assertThat(epochs.code()).isEqualTo(78);
    assertThat(epochs.err())
        .contains("seekr: mtl, seed 1: train.epochs has 2 numbers; expected one");
    var model = compare("--methods", "seqft", "--list", "--set", "model.path=examples/nano,none");
    assertThat(model.code()).isEqualTo(66);
    assertThat(model.err()).contains("seqft, seed 1, path none: none");
    assertThat(folder.resolve("runs")).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource({
    "--methods, seqft;seeker, 64, 'seeker'",
    "--seeds, one, 64, 'one'",
    "train.epoch=1, train.lr=1, 78, did you mean 'train.epochs'"
  })
  void mistakes(String a, String b, int code, String message) {
    var run = compare(a, b.replace(';', ','));
    assertThat(run.code()).isEqualTo(code);
    assertThat(run.err()).contains(message);
    assertThat(folder.resolve("runs")).doesNotExist();
  }
}
