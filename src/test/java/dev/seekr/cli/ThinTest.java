package dev.seekr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.config.RunConfig;
import dev.seekr.page.RunRecord;
import dev.seekr.report.RunLog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Copies of a small comparison's runs. */
class ThinTest {
  @TempDir Path folder;
  private Path all, thin;

  @BeforeEach
  void train() {
    all = folder.resolve("all");
    thin = folder.resolve("thin");
    assertThat(Tiny.run("compare", "--methods=seqft,replay", "--out=" + all).code()).isZero();
  }

  private CommandLineRun thin(Object... words) {
    return CommandLineRun.of(
        Stream.concat(Stream.of("thin"), Stream.of(words))
            .map(Object::toString)
            .toArray(String[]::new));
  }

  /** What is read of runs is the same of their copies, which have three files each. */
  @Test
  void summaryAndReportReadTheCopies() throws IOException {
    var run = thin(all, "--out", thin, "--steps", 1);
    assertThat(run.err()).isEmpty();
    assertThat(run.code()).isZero();
    assertThat(run.out()).startsWith(thin + ": 2 runs, ");
    try (var files = Files.walk(thin).filter(Files::isRegularFile)) {
      assertThat(files.map(p -> thin.relativize(p).toString()))
          .containsExactlyInAnyOrder(
              "seqft-1/config.yaml",
              "seqft-1/scores.json",
              "seqft-1/log.jsonl",
              "replay-1/config.yaml",
              "replay-1/scores.json",
              "replay-1/log.jsonl");
    }
    assertThat(CommandLineRun.of("summary", thin.toString()).out())
        .isEqualTo(CommandLineRun.of("summary", all.toString()).out())
        .contains("seqft");
    assertThat(
            CommandLineRun.of("report", thin.toString(), "-o", folder.resolve("page.html") + "")
                .code())
        .isZero();
    var tasks =
        RunLog.read(thin.resolve("seqft-1/log.jsonl")).stream()
            .filter(e -> e.path("event").asText().equals("step"))
            .map(e -> e.path("task").asText());
    assertThat(tasks).doesNotHaveDuplicates().isNotEmpty();
    assertThat(lines(thin, "end"))
        .containsExactly(lines(all, "end").getFirst().replaceAll(",\"memory\":\\{[^}]*}", ""));
    assertThat(lines(thin, "evaluation"))
        .isNotEmpty()
        .isEqualTo(
            lines(all, "evaluation").stream()
                .map(line -> line.replaceAll("\"time\":\"[^\"]*\",", ""))
                .toList());
  }

  /** What other methods would read is left out; the rest is what it was. */
  @Test
  void settingsInUseAreKept() throws IOException {
    assertThat(thin(all, "--out", thin).code()).isZero();
    var whole = RunRecord.read(all.resolve("replay-1"));
    var copy = RunRecord.read(thin.resolve("replay-1"));
    assertThat(copy.settings()).isEqualTo(whole.settings());
    String text = Files.readString(thin.resolve("replay-1/config.yaml"));
    assertThat(text)
        .contains("replay_choice", "out: " + all.resolve("replay-1"))
        .doesNotContain("ewc", "lambda1", "max_new_tokens: 0");
    assertThat(Files.readString(thin.resolve("seqft-1/config.yaml"))).doesNotContain("replay");
    Path idle = all.resolve("seqft-1/config.yaml");
    Files.writeString(
        idle, Files.readString(idle).replaceAll("replay_ratio: .*", "replay_ratio: 0.5"));
    assertThat(thin(all, "--out", thin).code()).isZero();
    assertThat(RunRecord.read(thin.resolve("seqft-1")).config().method().replayRatio())
        .isEqualTo(RunConfig.DEFAULT.method().replayRatio());
  }

  /** As they stand in the log of seqft. */
  private static List<String> lines(Path runs, String event) throws IOException {
    return Files.readAllLines(runs.resolve("seqft-1/log.jsonl")).stream()
        .filter(line -> line.startsWith("{\"event\":\"" + event + "\""))
        .toList();
  }

  /** The same command again takes what was finished meanwhile, and writes over nothing else. */
  @Test
  void againAndWithNamesTaken() {
    assertThat(thin(all.resolve("seqft-1"), "--out", thin).code()).isZero();
    assertThat(thin(all, "--out", thin).code()).isZero();
    var twice = thin(all.resolve("seqft-1"), thin.resolve("seqft-1"), "--out", thin);
    assertThat(twice.code()).isEqualTo(64);
    assertThat(twice.err()).contains("another run has the same name");
    var itself = thin(all, "--out", all);
    assertThat(itself.code()).isEqualTo(78);
    assertThat(itself.err()).contains("replay-1: would be written over; choose another --out");
    assertThat(thin(all, "--out", thin, "--steps", -1).code()).isEqualTo(64);
  }

  @Test
  void anUnfinishedRunIsNotCopied() throws IOException {
    Path log = all.resolve("seqft-1/log.jsonl");
    Files.writeString(log, Files.readString(log).replaceAll("\\{\"event\":\"end\".*\n", ""));
    assertThat(thin(all, "--out", thin).out())
        .contains("1 runs")
        .contains("left out, since it is not finished: " + all.resolve("seqft-1"));
    assertThat(thin.resolve("seqft-1")).doesNotExist();
    var named = thin(all.resolve("seqft-1"), "--out", thin);
    assertThat(named.code()).isEqualTo(65);
    assertThat(named.err()).contains("the run is not finished");
  }
}
