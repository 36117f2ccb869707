package dev.seekr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.seekr.config.ConfigReader;
import dev.seekr.config.ConfigWriter;
import dev.seekr.evaluation.ScoreFiles;
import dev.seekr.evaluation.ScoreMatrix;
import dev.seekr.page.Results;
import dev.seekr.page.RunRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Folders of runs, made by hand. */
class SummaryTest {
  @TempDir Path folder;

  /** A finished run of one task, with a score in percent. */
  private Path run(String name, String method, double score) throws IOException {
    Path run = Files.createDirectories(folder.resolve(name));
    Files.writeString(
        run.resolve("log.jsonl"),
        """
        {"event":"run","method":"%s","task":"é"}
        {"event":"step","loss":"NaN"}
        {"event":"end","seconds":2.5,"peak_rss_bytes":104857600,"stored_bytes":1048576}
        """
            .formatted(method));
    var settings =
        List.of(
            "model.path=m",
            "data.root=d",
            "data.tasks=[a]",
            "run.out=x",
            "method.name=" + method,
            "train.seed=" + (int) name.charAt(name.length() - 1));
    Files.writeString(
        run.resolve("config.yaml"), ConfigWriter.write(ConfigReader.parse("", "test", settings)));
    var scores = new ScoreMatrix(List.of("a"));
    scores.set(0, 0, score);
    Files.writeString(run.resolve("scores.json"), ScoreFiles.json(scores));
    return run;
  }

  private static CommandLineRun summary(Object... runs) {
    var words = new String[1 + runs.length];
    words[0] = "summary";
    for (int i = 0; i < runs.length; i++) words[1 + i] = runs[i].toString();
    return CommandLineRun.of(words);
  }

  private static void fails(CommandLineRun run, int code, String message) {
    assertThat(run.err()).isEqualTo("seekr: " + message + "\n");
    assertThat(run.code()).isEqualTo(code);
    assertThat(run.out()).isEmpty();
  }

  private void cut(Path run, int bytes) throws IOException {
    byte[] log = Files.readAllBytes(run.resolve("log.jsonl"));
    Files.write(run.resolve("log.jsonl"), Arrays.copyOf(log, bytes));
  }

  @Test
  void runsOfAMethodAreOneRow() throws IOException {
    var run = summary(run("a", "ewc", 10), run("b", "seqft", 7), run("c", "ewc", 20));
    assertThat(run.err()).isEmpty();
    assertThat(run.code()).isZero();
    assertThat(run.out())
        .isEqualTo(
            """
            method  runs  OP            BWT  average       seconds  peak MiB  stored MiB
            ----------------------------------------------------------------------------
            ewc     2     15.00 ± 7.07       15.00 ± 7.07  2.5      100       1.00
            seqft   1     7.00               7.00          2.5      100       1.00
            """);
  }

  /** Runs of a folder come by their numbers, and so do their rows. */
  @Test
  void numbersInNamesCountAsNumbers() throws IOException {
    run("all/run-10", "ewc", 1);
    run("all/run-9", "seqft", 2);
    run("all/run-09b", "lwf", 3);
    String out = summary(folder.resolve("all"), "--columns=op").out();
    assertThat(out.lines().skip(2).map(line -> line.substring(0, line.indexOf(' '))))
        .containsExactly("seqft", "lwf", "ewc");
  }

  /** What a method does not read tells its runs from no others, whatever value stands there. */
  @Test
  void idleSettingsAreNoDifference() throws IOException {
    Path plain = run("a", "seqft", 7),
        replay = run("b", "replay", 10),
        more = run("c", "replay", 20);
    set(plain, "replay_ratio: .*", "replay_ratio: 0.25");
    set(replay, "lambda1: .*", "lambda1: 0.25");
    assertThat(summary(plain, replay, more, "--columns=op").out())
        .isEqualTo(
            """
            method  runs  OP
            --------------------------
            seqft   1     7.00
            replay  2     15.00 ± 7.07
            """);
    set(more, "replay_ratio: .*", "replay_ratio: 0.25");
    assertThat(summary(plain, replay, more, "--columns=op").out())
        .contains("\nseqft                       1", "\nreplay (replay_ratio 0.25)  1 ");
  }

  private static void set(Path run, String setting, String to) throws IOException {
    Path config = run.resolve("config.yaml");
    Files.writeString(config, Files.readString(config).replaceFirst(setting, to));
  }

  /** GA and DeltaGA where a run has them; a run without leaves them blank. */
  @Test
  void generalAbility() throws IOException {
    Path asked = run("a", "ewc", 10);
    var scores = new ScoreMatrix(List.of("a"), List.of("mmlu", "tydiqa"));
    scores.set(0, 0, 10);
    scores.general().set(0, "mmlu", 30);
    scores.general().set(1, "mmlu", 28.5);
    Files.writeString(asked.resolve("scores.json"), ScoreFiles.json(scores));
    assertThat(summary(asked, run("b", "seqft", 7)).out())
        .isEqualTo(
            """
            method  runs  OP     BWT  average  GA     DeltaGA  seconds  peak MiB  stored MiB
            --------------------------------------------------------------------------------
            ewc     1     10.00       10.00    28.50  -1.50    2.5      100       1.00
            seqft   1     7.00        7.00                     2.5      100       1.00
            """);
  }

  /** Results outlive settings that a later version has no more; to go on is another matter. */
  @Test
  void aKeyOfAnotherVersionIsPassedOver() throws IOException {
    Path run = run("a1", "ewc", 10);
    Path config = run.resolve("config.yaml");
    Files.writeString(config, Files.readString(config).replace("\nrun:", "\nrun:\n  gone: 3"));
    assertThat(Files.readString(config)).contains("gone: 3");
    assertThat(summary(run).out()).contains("ewc     1     10.00");
    assertThat(CommandLineRun.of("resume", run.toString()).code()).isEqualTo(65);
  }

  /** The columns asked for, and what each method is ahead of another by. */
  @Test
  void differencesToAMethod() throws IOException {
    var run =
        summary(run("a1", "derpp", 10), run("b1", "seekr", 13), "--columns=op", "--against=derpp");
    assertThat(run.err()).isEmpty();
    assertThat(run.out())
        .isEqualTo(
            """
            method  runs  OP
            -------------------
            derpp   1     10.00
            seekr   1     13.00

            minus derpp  seeds  OP
            -------------------------
            seekr        1      +3.00
            """);
    var json =
        summary(
            folder.resolve("a1"),
            folder.resolve("b1"),
            "--columns=op",
            "--against=derpp",
            "--json");
    assertThat(new ObjectMapper().readTree(json.out()).path("minus derpp"))
        .hasToString(
            "[{\"label\":\"seekr\",\"seeds\":1,\"op\":3.0,\"op_low\":null,\"op_high\":null}]");
    var unknown = summary(folder.resolve("a1"), "--against=derp");
    assertThat(unknown.code()).isEqualTo(64);
    assertThat(unknown.err()).contains("--against derp: expected a method of these runs");
  }

  /** All that are finished; of others it says so, and what was put aside does not count. */
  @Test
  void theFolderOfAComparison() throws IOException {
    run("all/seqft-1", "seqft", 1);
    run("all/seqft-1.aside-1", "seqft", 99);
    Path half = run("all/seqft-2", "seqft", 5);
    cut(half, 60);
    Path noScores = run("all/seqft-3", "seqft", 5);
    Files.delete(noScores.resolve("scores.json"));
    Files.createDirectories(folder.resolve("all/notes"));
    Files.writeString(folder.resolve("all/lock"), "");
    var run = summary(folder.resolve("all"));
    assertThat(run.err()).isEmpty();
    assertThat(run.code()).isZero();
    assertThat(run.out().lines().toList().subList(2, 5))
        .containsExactly(
            "seqft   1     1.00       1.00     2.5      100       1.00",
            "left out, since it is not finished: " + half,
            "left out, since it is not finished: " + noScores);
    assertThat(run.out().lines()).hasSize(5);
  }

  @Test
  void aRunCountsOnce() throws IOException {
    Path run = run("all/seqft-1", "seqft", 1), all = run.getParent();
    Path link = Files.createSymbolicLink(folder.resolve("link"), run);
    Object[][] twice = {
      {run, run}, {run, folder.resolve("all/../all/seqft-1/.")}, {run, link}, {all, run}, {run, all}
    };
    for (Object[] names : twice) {
      var summary = summary(names);
      assertThat(summary.code()).isEqualTo(64);
      assertThat(summary.err())
          .matches("seekr: " + folder + "/.* is named twice; a run counts once\nTry .*\n");
      assertThat(summary.out()).isEmpty();
    }
  }

  /** Wherever its log ends, within a character too. */
  @ParameterizedTest
  @ValueSource(ints = {0, 20, 41, 42, 43, 46, 70, 100})
  void aTornLogIsThatOfAnUnfinishedRun(int bytes) throws IOException {
    Path run = run("a", "seqft", 1);
    cut(run, bytes);
    fails(summary(run), 65, run + ": the run is not finished");
  }

  @Test
  void whatIsMissing() throws IOException {
    Path none = folder.resolve("none");
    fails(summary(none), 66, none + ": cannot be read: no such file or folder");
    Path empty = Files.createDirectory(folder.resolve("empty"));
    fails(summary(empty), 66, empty + ": expected a run or a comparison, found no log.jsonl");
    Path run = run("a", "seqft", 1), scores = run.resolve("scores.json");
    Files.delete(scores);
    fails(summary(run), 66, scores + ": cannot be read: no such file or folder");
    Files.writeString(scores, "{\"tasks\": [\"a\"], \"scores\": []}");
    fails(summary(run), 65, scores + ": 'scores' must have one row for each of the 1 tasks");
    Files.writeString(run.resolve("log.jsonl"), "{\"event\":\"run\"}\nnot an event\n");
    fails(summary(run), 65, run.resolve("log.jsonl") + ":2: expected an event in JSON");
  }

  @Test
  void aComparisonOfWhichNothingIsFinished() throws IOException {
    Path half = run("all/seqft-1", "seqft", 5);
    cut(half, 60);
    var run = summary(half.getParent());
    assertThat(run.code()).isZero();
    assertThat(run.out()).endsWith("left out, since it is not finished: " + half + "\n");
  }

  /** Two tasks, of which the first is forgotten: what is transferred backwards is below 0. */
  private Path forgetful(String name, double forgotten) throws IOException {
    Path run = run(name, "seqft", 0);
    var scores = new ScoreMatrix(List.of("a", "b"));
    scores.set(0, 0, 50);
    scores.set(0, 1, 50 - forgotten);
    scores.set(1, 1, 40);
    Files.writeString(run.resolve("scores.json"), ScoreFiles.json(scores));
    return run;
  }

  private static Results results(Path... runs) {
    return Results.of(Arrays.stream(runs).map(RunRecord::read).toList());
  }

  @Test
  void numbersBelowZeroInEveryForm() throws IOException {
    var two = results(forgetful("a", 12), forgetful("b", 8));
    assertThat(two.text())
        .contains("seqft   2     40.00 ± 1.41  -10.00 ± 2.83  -5.00 ± 1.41  10.00 ± 2.83");
    assertThat(two.latex())
        .isEqualTo(
            """
            \\begin{tabular}{lrrrrrrrrr}
            \\toprule
            method & runs & OP & BWT & BWT (T) & forgetting & average & seconds & peak MiB & stored MiB \\\\
            \\midrule
            seqft & $2$ & $40.00 \\pm 1.41$ & $-10.00 \\pm 2.83$ & $-5.00 \\pm 1.41$ & $10.00 \\pm 2.83$ & $45.00 \\pm 0.71$ & $2.5$ & $100$ & $1.00$ \\\\
            \\bottomrule
            \\end{tabular}
            """);
    assertThat(two.csv().lines())
        .first()
        .isEqualTo(
            "label,method,runs,op,op_sd,bwt,bwt_sd,bwt_released,bwt_released_sd,forgetting,forgetting_sd,average,average_sd,seconds,peak_mib,stored_mib");
    assertThat(two.csv().lines().toList().getLast())
        .matches(
            "seqft,seqft,2,40.0,1.41421\\d+,-10.0,2.8284\\d+,-5.0,1.41421\\d+,10.0,2.8284\\d+,45.0,0.7071\\d+,2.5,100.0,1.0");
    var one = results(run("c", "ewc", 7));
    assertThat(one.csv().lines().toList().getLast())
        .isEqualTo("ewc,ewc,1,7.0,,,,7.0,,2.5,100.0,1.0");
    assertThat(one.latex()).contains("ewc & $1$ & $7.00$ &  & $7.00$ & $2.5$ & ");
  }

  /** What differs but for the seed is a row of its own. */
  @Test
  void settingsTellRowsApart() throws IOException {
    Path a = run("a", "ewc", 10), b = run("b", "ewc", 20);
    Files.writeString(
        b.resolve("config.yaml"),
        Files.readString(b.resolve("config.yaml")).replaceFirst("epochs: \\S+", "epochs: 7"));
    assertThat(summary(a, b).out()).contains("ewc (epochs ", "ewc (epochs 7) ");
  }

  @Test
  void asOneObject() throws IOException {
    var run = summary("--json", forgetful("a", 12), forgetful("b", 8));
    assertThat(run.code()).as(run.err()).isZero();
    var row = new ObjectMapper().readTree(run.out()).path("methods").path(0);
    assertThat(row.path("method").textValue()).isEqualTo("seqft");
    assertThat(row.path("runs").intValue()).isEqualTo(2);
    assertThat(row.path("bwt").doubleValue()).isEqualTo(-10);
    assertThat(row.path("bwt_sd").doubleValue()).isBetween(2.82, 2.83);
    assertThat(row.path("peak_mib").doubleValue()).isEqualTo(100);
  }

  @Test
  void runsWithoutACommonMean() throws IOException {
    Path one = run("a", "seqft", 1), two = forgetful("b", 3);
    assertThat(summary(one, two).err())
        .isEqualTo(
            "seekr: " + two + ": is over tasks [a, b], a over [a]: they have no common mean\n");
    Path half = forgetful("c", 3);
    var scores = new ScoreMatrix(List.of("a", "b"));
    scores.set(0, 0, 50);
    Files.writeString(half.resolve("scores.json"), ScoreFiles.json(scores));
    assertThat(summary(two, half).code()).isEqualTo(65);
    assertThat(summary(two, half).err()).contains("has trained 1 tasks, b 2");
  }

  /** The same seed once more is no second sample. */
  @Test
  void aSeedCountsOnce() throws IOException {
    Path a = run("a", "ewc", 10), b = run("again/a", "ewc", 10);
    var run = summary(a, b);
    assertThat(run.out().lines().toList().subList(2, 4))
        .containsExactly(
            "ewc     1     10.00       10.00    2.5      100       1.00",
            b + " does not count: another run of ewc has seed 97 and the same settings");
  }

  /** Settings of other methods, or that only look on, make no row of their own. */
  @Test
  void settingsWithoutEffectTellNothingApart() throws IOException {
    Path a = run("a", "ewc", 10), b = run("bb", "ewc", 20);
    String settings = Files.readString(b.resolve("config.yaml"));
    Files.writeString(
        b.resolve("config.yaml"),
        settings
            .replaceFirst("rank: \\d+", "rank: 3")
            .replace("record_heads: false", "record_heads: true"));
    assertThat(Files.readString(b.resolve("config.yaml"))).isNotEqualTo(settings);
    assertThat(summary(a, b).out()).contains("ewc     2     15.00 ± 7.07");
  }
}
