package dev.seekr.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.seekr.Failure;
import dev.seekr.config.ConfigReader;
import dev.seekr.config.ConfigWriter;
import dev.seekr.config.RunConfig;
import dev.seekr.disk.RunFolder;
import dev.seekr.evaluation.ScoreFiles;
import dev.seekr.evaluation.ScoreMatrix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StandingTest {
  private static final String END = "{\"event\":\"run\"}\n{\"event\":\"end\"}\n";

  @TempDir Path temporary;
  private Path path;
  private RunFolder run;

  @BeforeEach
  void name() {
    path = temporary.resolve("run");
    run = new RunFolder(path);
  }

  private RunConfig config(String... more) {
    var settings = new ArrayList<>(List.of("model.path=m", "data.root=d", "run.out=" + path));
    settings.addAll(List.of(more));
    return ConfigReader.parse("", "test", settings);
  }

  private Standing standing(String... more) {
    return Standing.of(run, config(more));
  }

  /** The folder of a finished run. */
  private void finished() throws IOException {
    Files.createDirectories(path);
    Files.writeString(run.config(), ConfigWriter.write(config()));
    Files.writeString(run.log(), END);
    Files.writeString(run.scoresJson(), ScoreFiles.json(new ScoreMatrix(List.of("a"))));
  }

  private void fails(Class<? extends Failure> type, int exit, String message) {
    var failure = catchThrowableOfType(Failure.class, this::standing);
    assertThat(failure).isExactlyInstanceOf(type).hasMessage(path + message);
    assertThat(failure.exit.code).isEqualTo(exit);
  }

  /** What a process leaves that ended before it began a run counts for nothing. */
  @Test
  void nothing() throws IOException {
    assertThat(standing()).isEqualTo(Standing.NOTHING);
    Files.createDirectory(path);
    assertThat(standing()).isEqualTo(Standing.NOTHING);
    for (String name : List.of("lock", "attempt.json", ".config.yaml.part"))
      Files.createFile(path.resolve(name));
    assertThat(standing()).isEqualTo(Standing.NOTHING);
  }

  @Test
  void somethingElse() throws IOException {
    Files.writeString(path, "a file");
    fails(Failure.class, 78, ": is a file; run.out names a folder to make");
    Files.delete(path);
    Files.createDirectories(path);
    Files.createFile(path.resolve("lock"));
    Files.writeString(path.resolve("notes.txt"), "mine");
    fails(
        Damaged.class,
        78,
        ": is not empty and holds no run; choose another run.out, or empty it first");
  }

  @Test
  void finishedAndNot() throws IOException {
    finished();
    assertThat(standing()).isEqualTo(Standing.FINISHED);
    assertThat(standing("run.threads=3", "run.time_limit=5m", "run.out=elsewhere"))
        .as("free settings may be others")
        .isEqualTo(Standing.FINISHED);
    for (String log :
        List.of("", "{\"event\":\"end\"}", END + "{\"event\":\"resumed\"}\n", END + "\n"))
      unfinished(run.log(), log);
    unfinished(run.log(), END.substring(0, END.length() - 1));
    for (String scores : List.of("", "{}", "{\"tasks\":[\"a\"],\"scores\":[]}"))
      unfinished(run.scoresJson(), scores);
    unfinished(run.log(), null);
    unfinished(run.scoresJson(), null);
  }

  /** With a file that holds something else, or is not there (null). */
  private void unfinished(Path file, String text) throws IOException {
    finished();
    if (text == null) Files.delete(file);
    else Files.writeString(file, text);
    assertThat(standing()).as(file + ": " + text).isEqualTo(Standing.UNFINISHED);
    assertThat(Standing.finished(run)).isFalse();
  }

  @Test
  void otherSettings() throws IOException {
    finished();
    var failure =
        catchThrowableOfType(Failure.class, () -> standing("train.lr=0.5", "method.name=ewc"));
    assertThat(failure)
        .isExactlyInstanceOf(Failure.class)
        .hasMessage(
            path
                + ": holds a run of other settings: method.name is ewc, and was seekr; train.lr is 0.5, and was 1.0E-5; choose another folder for this one, or begin anew with train --fresh");
    assertThat(failure.exit.code).isEqualTo(78);
  }

  /** As a full disk, a lost sector or a text editor leaves it. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "\u0000\u0000\u0000",
        "model: {pa",
        "model: 5",
        "trian: {lr: 1}",
        "- a",
        "model: {path: null}"
      })
  void damagedSettings(String text) throws IOException {
    finished();
    Files.writeString(run.config(), text);
    fails(
        Damaged.class,
        65,
        "/config.yaml: is damaged: expected the settings of a run; begin anew with train --fresh");
  }

  @Test
  void settingsThatAreNoText() throws IOException {
    finished();
    Files.write(run.config(), new byte[] {'m', (byte) 0xff, (byte) 0xfe});
    fails(
        Damaged.class,
        65,
        "/config.yaml: is damaged: expected the settings of a run; begin anew with train --fresh");
    Files.delete(run.config());
    Files.createDirectory(run.config());
    fails(Failure.class, 66, "/config.yaml: cannot be read: Is a directory");
  }
}
