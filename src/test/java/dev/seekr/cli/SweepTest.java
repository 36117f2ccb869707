package dev.seekr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.StopAtChance;
import dev.seekr.disk.Attempt;
import dev.seekr.disk.Disk;
import dev.seekr.run.SameRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Comparisons over values of settings. */
class SweepTest {
  @TempDir Path folder;

  /** A comparison in {@code out}, with Tiny's settings. */
  private static String[] words(Path out, String... more) {
    var words = new ArrayList<String>(List.of("compare"));
    words.addAll(Tiny.SETTINGS);
    words.removeAll(List.of("method.name=seqft", "eval.max_new_tokens=2"));
    words.addAll(List.of("--out", out.toString()));
    words.addAll(List.of(more));
    return words.toArray(String[]::new);
  }

  private CommandLineRun compare(String... more) {
    return CommandLineRun.of(words(folder.resolve("runs"), more));
  }

  private static final String[] CUBE = {
    "eval.metrics={task363: similarity, task1687: similarity}",
    "eval.max_new_tokens=6",
    "--methods",
    "seekr",
    "--seeds",
    "1,2",
    "--set",
    "method.seekr.heads=2,4",
    "--set",
    "method.replay_ratio=0.25,0.5"
  };

  private List<String> names(String in) throws IOException {
    try (var all = Files.list(folder.resolve(in))) {
      return all.filter(Files::isDirectory).map(p -> p.getFileName().toString()).sorted().toList();
    }
  }

  /** Cells but for times and memory. */
  private static List<List<String>> scores(Path csv) throws IOException {
    return Files.readAllLines(csv).stream()
        .map(line -> line.split(","))
        .map(cells -> List.of(cells).subList(0, cells.length - 3))
        .toList();
  }

  @Test
  void aCubeStoppedTwiceEndsInTheSameTable() throws IOException {
    Path whole = folder.resolve("whole.csv"), parts = folder.resolve("parts.csv");
    var once =
        CommandLineRun.of(words(folder.resolve("whole"), concat(CUBE, "--csv", whole.toString())));
    assertThat(once.code()).as(once.err()).isZero();
    assertThat(once.out())
        .contains(
            "run 1/8: seekr, seed 1, heads 2, replay_ratio 0.25\n",
            "run 2/8: seekr, seed 2, heads 2, replay_ratio 0.25\n",
            "run 8/8: seekr, seed 2, heads 4, replay_ratio 0.5\n");
    var rows = once.out().lines().toList();
    assertThat(rows.subList(rows.size() - 4, rows.size()))
        .satisfiesExactly(
            row -> assertThat(row).startsWith("seekr (replay_ratio 0.25, heads 2)  2  "),
            row -> assertThat(row).startsWith("seekr (replay_ratio 0.5, heads 2) "),
            row -> assertThat(row).startsWith("seekr (replay_ratio 0.25, heads 4) "),
            row -> assertThat(row).startsWith("seekr (replay_ratio 0.5, heads 4) "));

    String[] again = words(folder.resolve("runs"), concat(CUBE, "--csv", parts.toString()));
    for (int chance : new int[] {7, 25}) {
      var stopped = CommandLineRun.of(new StopAtChance(chance), again);
      assertThat(stopped.code()).as(stopped.err()).isEqualTo(75);
      assertThat(stopped.err()).contains("seekr: stopped at run ", "; go on with: seekr compare ");
      assertThat(parts).doesNotExist();
    }
    var rest = CommandLineRun.of(again);
    assertThat(rest.code()).as(rest.err()).isZero();
    assertThat(rest.out()).contains("run 1/8: seekr, seed 1, heads 2, replay_ratio 0.25, is fin");
    assertThat(names("runs")).hasSize(8).isEqualTo(names("whole"));
    assertThat(names("runs")).contains("seekr-2-heads4-replay_ratio0.25");
    for (String name : names("runs"))
      SameRun.assertSame(
          folder.resolve("whole").resolve(name), folder.resolve("runs").resolve(name));
    assertThat(scores(whole).getLast())
        .as("something was learnt")
        .anyMatch(c -> c.matches("[1-9].*\\..*"));
    assertThat(scores(parts)).hasSize(5).isEqualTo(scores(whole));
  }

  private static String[] concat(String[] words, String... more) {
    var all = new ArrayList<>(List.of(words));
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }

  /** A line a run, in the order of --only, that comes to the run as the comparison makes it. */
  @Test
  void eachRunOfTheListIsACommand() throws IOException {
    var list = compare(concat(CUBE, "--list"));
    assertThat(list.code()).isZero();
    assertThat(folder.resolve("runs")).doesNotExist();
    var lines = list.out().lines().toList();
    assertThat(lines).hasSize(8);
    assertThat(lines.get(2))
        .startsWith("seekr train model.path=examples/nano data.root=examples/superni ")
        .contains(" 'data.tasks=[task363, task1687]' ")
        .endsWith(
            " method.seekr.heads=2 method.replay_ratio=0.5 method.name=seekr train.seed=1 run.out="
                + folder.resolve("runs/seekr-1-heads2-replay_ratio0.5"));
    assertThat(CommandLineRun.of(asShellReads(lines.get(2))).code()).isZero();
    var only = compare(concat(CUBE, "--only", "3"));
    assertThat(only.code()).as(only.err()).isZero();
    assertThat(only.out()).startsWith("run 3/8: seekr, seed 1, heads 2, replay_ratio 0.5, is fin");
    var one = compare(concat(CUBE, "--list", "--only", "3"));
    assertThat(one.out().lines()).containsExactly(lines.get(2));
  }

  /** The words behind the program's name. */
  private static String[] asShellReads(String line) throws IOException {
    var shell = new ProcessBuilder("sh", "-c", "printf '%s\\n' " + line).start();
    var words = shell.inputReader().lines().toList();
    return words.subList(1, words.size()).toArray(String[]::new);
  }

  /** Whoever has the comparison's folder, or another run of it, does not matter; its own does. */
  @Test
  void oneRunGoesOnBesideOthers() throws IOException {
    String[] two = {"--methods", "seqft", "--set", "train.beta1=0.9,0.8"};
    Path other = folder.resolve("runs/seqft-1-beta10.9"),
        own = folder.resolve("runs/seqft-1-beta10.8");
    Files.createDirectories(other);
    try (var _ = Attempt.take(folder.resolve("runs"), 1);
        var _ = Attempt.take(other, 1)) {
      var stopped =
          CommandLineRun.of(
              new StopAtChance(3), words(folder.resolve("runs"), concat(two, "--only", "2")));
      assertThat(stopped.code()).isEqualTo(75);
      assertThat(stopped.err()).contains("stopped at run 2/2: seqft, seed 1, beta1 0.8, task 1/2");
      var done = compare(concat(two, "--only", "2"));
      assertThat(done.code()).as(done.err()).isZero();
      var lines = done.out().lines().toList();
      assertThat(lines.getLast())
          .isEqualTo("missing, since it is not finished: run 1: seqft, seed 1, beta1 0.9");
      assertThat(lines.get(lines.size() - 2)).startsWith("seqft (beta1 0.8)  1     ");
      assertThat(compare(concat(two, "--only", "1")).code()).isEqualTo(73);
    }
    try (var _ = Attempt.take(own, 1)) {
      Disk.delete(own.resolve("scores.json"));
      assertThat(compare(concat(two, "--only", "2")).code()).isEqualTo(73);
    }
  }

  /** One run for all values of a setting that does nothing in it, and that is said. */
  @Test
  void whatDoesNothingMakesNoRuns() {
    var list =
        compare(
            "--list",
            "--methods",
            "seqft,replay,seekr",
            "--set",
            "method.seekr.heads=2,4",
            "--set",
            "method.replay_samples=0,1",
            "--set",
            "method.replay_ratio=0.25,0.5");
    assertThat(list.code()).as(list.err()).isZero();
    assertThat(list.out().lines().map(line -> line.replaceAll(".*/", "")))
        .containsExactly(
            "seqft-1",
            "replay-1-replay_samples0-replay_ratio0.25",
            "replay-1-replay_samples0-replay_ratio0.5",
            "replay-1-replay_samples1",
            "seekr-1-heads2-replay_samples0-replay_ratio0.25",
            "seekr-1-heads2-replay_samples0-replay_ratio0.5",
            "seekr-1-heads2-replay_samples1",
            "seekr-1-heads4-replay_samples0-replay_ratio0.25",
            "seekr-1-heads4-replay_samples0-replay_ratio0.5",
            "seekr-1-heads4-replay_samples1");
    assertThat(list.err())
        .contains(
            "method.seekr.heads does nothing in some runs of seqft, replay, which are made once",
            "method.replay_ratio does nothing in some runs of seqft, replay, seekr, which");
  }

  /** Values with commas, and names that are safe and unlike. */
  @Test
  void valuesOfAllKinds() {
    var list =
        compare(
            "--list",
            "eval.general.when=ends",
            "eval.general.root=examples",
            "--methods",
            "ewc",
            "--set",
            "eval.general.sets=[mmlu,bbh],[boolq,piqa], [piqa]",
            "--set",
            "data.instruction='a/b','a b'",
            "--set",
            "method.ewc.gamma=0.5,1");
    assertThat(list.code()).as(list.err()).isZero();
    assertThat(list.out().lines().map(line -> line.replaceAll(".*/", "")))
        .hasSize(12)
        .startsWith(
            "ewc-1-setsmmlu_bbh-instruction_1-gamma0.5",
            "ewc-1-setsmmlu_bbh-instruction_1-gamma1",
            "ewc-1-setsmmlu_bbh-instruction_2-gamma0.5");
    assertThat(list.out().lines().toList().getLast())
        .contains(" 'eval.general.sets=[piqa]' ", " 'data.instruction='\\''a b'\\''' ");
    var sections =
        compare(
            "--list",
            "eval.general.when=ends",
            "eval.general.root=examples",
            "--methods",
            "pp",
            "--set",
            "eval.batch=1,2",
            "--set",
            "eval.general.batch=1,2");
    assertThat(sections.out().lines().toList().getLast())
        .endsWith("/pp-1-eval.batch2-general.batch2");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          train.beta1            | 64 | expected key=value,value, such as method.seekr.heads=32,64
          train.beta1=1,         | 64 | 'train.beta1=1,': a value is empty
          train.beta1=1,1        | 64 | names a value twice
          train.epochs=[1,2      | 64 | a bracket or quotation mark has no other
          train.epochs=1]        | 64 | a bracket or quotation mark has no other
          data.general="a,b      | 64 | a bracket or quotation mark has no other
          train.seed=1,2         | 64 | train.seed is set by --seeds here
          run.out=a,b            | 64 | run.out is set by --out here
          method.name=lora,pp    | 64 | method.name is set by --methods here
          train.epochs=1,2       | 64 | train.epochs is set by --set here
          train.lx=1,2           | 78 | did you mean 'train.lr'
          method.seekr.heads=1,2 | 78 | --set method.seekr.heads: does nothing in any of these runs (methods seqft): it is another
          train.clip=1,1.0       | 78 | (seqft, seed 1, clip 1) and (seqft, seed 1, clip 1.0) come to the same settings
          run.threads=1,2        | 78 | come to the same settings; name each once
          """,
      quoteCharacter = '`')
  void mistakes(String set, int code, String message) {
    var run = compare("--methods", "seqft", "--set", set);
    assertThat(run.err()).contains(message);
    assertThat(run.code()).isEqualTo(code);
    assertThat(folder.resolve("runs")).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource({"0", "9", "-1"})
  void onlyNamesARunOfTheList(String k) {
    var run = compare(concat(CUBE, "--only", k));
    assertThat(run.code()).isEqualTo(64);
    assertThat(run.err()).contains("--only " + k + ": expected a number from 1 to 8");
  }
}
