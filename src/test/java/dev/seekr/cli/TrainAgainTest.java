package dev.seekr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.disk.Attempt;
import dev.seekr.disk.Disk;
import dev.seekr.run.SameRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The same command once more: what it does depends on what is in the folder. */
class TrainAgainTest {
  @TempDir Path folder;
  private Path out;

  @BeforeEach
  void name() {
    out = folder.resolve("run");
  }

  private CommandLineRun train(String... more) {
    var words = new java.util.ArrayList<Object>(List.of("run.out=" + out));
    words.addAll(List.of(more));
    return Tiny.run("train", words.toArray());
  }

  private List<String> names() throws IOException {
    try (var all = Files.list(folder)) {
      return all.map(p -> p.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void freshTwiceIsAsideTwice() throws IOException {
    assertThat(train("--fresh").code()).as("there is nothing to put aside").isZero();
    assertThat(names()).containsExactly("run");
    for (int i = 1; i <= 2; i++) {
      var run = train("--fresh");
      assertThat(run.code()).isZero();
      assertThat(run.out()).startsWith("what was in %s is in %s.aside-%d\n".formatted(out, out, i));
    }
    assertThat(names()).containsExactly("run", "run.aside-1", "run.aside-2");
    SameRun.assertSame(folder.resolve("run.aside-1"), out);
    SameRun.assertSame(folder.resolve("run.aside-2"), out);
    assertThat(out.resolve("attempt.json")).content().contains("\"attempt\":1,");
  }

  /** What is no run is not put aside, and nothing is left in it. */
  @Test
  void freshMovesNoOtherFolder() throws IOException {
    Files.createDirectories(out);
    Files.writeString(out.resolve("notes.txt"), "mine");
    var run = train("--fresh");
    assertThat(run.code()).isEqualTo(78);
    assertThat(run.err())
        .isEqualTo(
            "seekr: %s: holds no run that could be put aside; choose another run.out, or empty it first\n",
            out);
    try (var all = Files.list(out)) {
      assertThat(all).containsExactly(out.resolve("notes.txt"));
    }
    assertThat(names()).containsExactly("run");
  }

  /** Nor a run that the new one reads. */
  @Test
  void freshKeepsWhatItReads() throws IOException {
    assertThat(train().code()).isZero();
    Path model = out.resolve("models/02-task1687");
    var run = train("--fresh", "model.path=" + model, "model.init=pretrained");
    assertThat(run.code()).isEqualTo(78);
    assertThat(run.err())
        .isEqualTo(
            "seekr: %s: holds %s, which a run begun anew could not read; choose another run.out\n",
            out, model);
    assertThat(names()).containsExactly("run");
  }

  /** The run that a link leads to is put aside beside itself, and the link stays. */
  @Test
  void freshFollowsALink() throws IOException {
    Path real = Files.createDirectories(folder.resolve("scratch")).resolve("real");
    Files.createDirectories(real);
    Files.createSymbolicLink(out, real);
    assertThat(train().code()).isZero();
    assertThat(train("--fresh").code()).isZero();
    assertThat(out).isSymbolicLink();
    assertThat(real.resolve("scores.json")).isNotEmptyFile();
    assertThat(folder.resolve("scratch/real.aside-1/scores.json")).isNotEmptyFile();
  }

  /** What a finished stage left and nothing else needs is missed, in words. */
  @Test
  void resultsThatAreGone() throws IOException {
    assertThat(train("run.checkpoint.steps=1").code()).isZero();
    Disk.delete(out.resolve("predictions/01"));
    Files.delete(out.resolve("scores.json"));
    var run = train("run.checkpoint.steps=1");
    assertThat(run.out())
        .contains(out.resolve("predictions/01") + ": is gone; the run goes on without it\n")
        .doesNotContain("predictions/02: is gone");
  }

  /** The settings it was begun with would be hidden: each changed key is named. */
  @Test
  void otherSettings() throws IOException {
    assertThat(train("run.time_limit=0.001s").code()).isEqualTo(75);
    String log = Files.readString(out.resolve("log.jsonl"));
    var other = train("train.lr=0.5", "data.tasks=[task1687, task363]", "run.threads=1");
    assertThat(other.code()).isEqualTo(78);
    assertThat(other.err())
        .isEqualTo(
            "seekr: "
                + out
                + ": holds a run of other settings: data.tasks is [task1687, task363], and was [task363, task1687]; train.lr is 0.5, and was 0.001; choose another folder for this one, or begin anew with train --fresh\n");
    assertThat(out.resolve("log.jsonl")).hasContent(log);
    assertThat(train("run.threads=1").code()).as("it goes on").isZero();
    assertThat(out.resolve("log.jsonl")).content().contains("\"resumed\"");
  }

  /** Whoever has the folder is named, and nothing of it is touched. */
  @Test
  void anotherProcessHasTheFolder() throws IOException {
    assertThat(train("run.time_limit=0.001s").code()).isEqualTo(75);
    try (var attempt = Attempt.take(out, 1)) {
      String expected =
          "seekr: %s is in use by process %d on ".formatted(out, ProcessHandle.current().pid());
      for (String option : List.of("run.threads=1", "--fresh")) {
        var run = train(option);
        assertThat(run.code()).as(option).isEqualTo(73);
        assertThat(run.err())
            .startsWith(expected)
            .endsWith(" (attempt %d); wait for it, or stop it\n".formatted(attempt.number()))
            .hasLineCount(1);
      }
    }
    assertThat(names()).containsExactly("run");
    assertThat(train().code()).isZero();
  }

  /** A process that ended before it began a run leaves nothing in the way of the next. */
  @Test
  void onlyALockIsThere() throws IOException {
    Files.createDirectories(out);
    Attempt.take(out, 1).close();
    assertThat(train().code()).isZero();
    assertThat(out.resolve("attempt.json")).content().contains("\"attempt\":2,");
  }

  @Test
  void aFileIsThere() throws IOException {
    Files.writeString(out, "mine");
    for (String option : List.of("run.threads=1", "--fresh")) {
      var run = train(option);
      assertThat(run.code()).as(option).isEqualTo(78);
      assertThat(run.err())
          .isEqualTo("seekr: " + out + ": is a file; run.out names a folder to make\n");
    }
    assertThat(out).hasContent("mine");
  }
}
