package dev.seekr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.disk.Reading;
import dev.seekr.report.RunLog;
import dev.seekr.run.SameRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How a run that was stopped goes on, and what keeps it from that, as a user sees it. */
class ResumeCommandTest {
  @TempDir Path folder;
  private Path out;

  @BeforeEach
  void name() {
    out = folder.resolve("a run");
  }

  private static CommandLineRun resume(Path run) {
    return CommandLineRun.of("resume", run.toString());
  }

  /** Trains up to the next chance to stop, where a checkpoint is written. */
  private CommandLineRun aLittle(String... settings) {
    var words = new java.util.ArrayList<>(List.of("run.out=" + out, "run.time_limit=0.001s"));
    words.addAll(List.of(settings));
    return Tiny.run("train", words.toArray());
  }

  /** As a text editor would: the next attempt is not limited. */
  private void withoutLimit() throws IOException {
    Path config = out.resolve("config.yaml");
    String text = Files.readString(config);
    assertThat(text).contains("time_limit: 0.001s");
    Files.writeString(config, text.replace("time_limit: 0.001s", "time_limit: null"));
  }

  private Path whole(String... settings) {
    Path whole = folder.resolve("whole");
    var words = new java.util.ArrayList<>(List.of("run.out=" + whole));
    words.addAll(List.of(settings));
    assertThat(Tiny.run("train", words.toArray()).code()).isZero();
    return whole;
  }

  private static void fails(CommandLineRun run, int code, String message) {
    assertThat(run.err()).isEqualTo("seekr: " + message + "\n");
    assertThat(run.code()).isEqualTo(code);
    assertThat(run.out()).isEmpty();
  }

  @Test
  void thereIsNoRun() throws IOException {
    String none = ": holds no run: there is no config.yaml";
    fails(resume(out), 66, out + none);
    assertThat(out).doesNotExist();
    Files.createDirectories(out);
    fails(resume(out), 66, out + none);
    Path file = Files.writeString(out.resolve("notes.txt"), "mine");
    fails(resume(file), 66, file + none);
    fails(resume(out), 66, out + none);
    try (var all = Files.list(out)) {
      assertThat(all).as("nothing is made").containsExactly(file);
    }
  }

  /** It says where it was and how to go on, and comes to the bits it would have come to. */
  @Test
  void aStoppedRunGoesOn() throws IOException {
    var stopped = aLittle();
    assertThat(stopped.code()).isEqualTo(75);
    assertThat(stopped.err().lines().filter(line -> line.startsWith("seekr: ")))
        .containsExactly(
            "seekr: stopped at task 1/2 step 0, since its time is nearly over; go on with: seekr resume '"
                + out
                + "'");
    stopped = aLittle();
    assertThat(stopped.code()).isEqualTo(75);
    assertThat(stopped.out()).contains("goes on at task 1/2 step 0, from " + out);
    withoutLimit();
    var rest = resume(out);
    assertThat(rest.err()).doesNotContain("seekr: ");
    assertThat(rest.code()).isZero();
    assertThat(rest.out()).contains("\nOP ", "everything is in " + out);
    SameRun.assertSame(whole(), out);
    assertThat(RunLog.read(out.resolve("log.jsonl")))
        .extracting(e -> e.path("event").asText())
        .containsSubsequence("run", "stopped", "resumed", "stopped", "resumed", "end");
  }

  @Test
  void aFinishedRun() throws IOException {
    out = whole();
    String log = Files.readString(out.resolve("log.jsonl"));
    var again = resume(out);
    assertThat(again.err()).isEmpty();
    assertThat(again.code()).isZero();
    assertThat(again.out()).startsWith(out + ": the run is finished").contains("\nOP ");
    assertThat(out.resolve("log.jsonl")).hasContent(log);
  }

  private List<Path> checkpoints() {
    return Reading.list(out.resolve("checkpoints"));
  }

  /**
   * It is left out by name; what follows is saved again, with files that were shared written anew.
   */
  @Test
  void theNewestCheckpointIsDamaged() throws IOException {
    String[] lora = {"method.name=lora"}; // its base weights do not change
    for (int i = 0; i < 3; i++) assertThat(aLittle(lora).code()).isEqualTo(75);
    assertThat(checkpoints()).hasSize(2);
    Path weights = checkpoints().getLast().resolve("weights.safetensors");
    byte[] bytes = Files.readAllBytes(weights);
    Files.delete(weights);
    bytes[bytes.length - 1] ^= 1;
    Files.write(weights, bytes);
    withoutLimit();
    var rest = resume(out);
    assertThat(rest.err()).doesNotContain("seekr: ");
    assertThat(rest.code()).isZero();
    assertThat(rest.out())
        .contains(
            "a newer checkpoint is not whole and left out: "
                + weights
                + ": holds other bytes than were written\n");
    SameRun.assertSame(whole(lora), out);
  }

  @Test
  void noCheckpointIsWhole() throws IOException {
    for (int i = 0; i < 2; i++) assertThat(aLittle().code()).isEqualTo(75);
    var damaged = checkpoints();
    assertThat(damaged).hasSize(2);
    for (Path checkpoint : damaged) Files.writeString(checkpoint.resolve("state.json"), "{");
    fails(
        resume(out),
        65,
        "%s: no checkpoint is whole (%s: has 1 bytes, of %d that were written); begin anew with train --fresh"
            .formatted(out, damaged.getLast().resolve("state.json"), size(damaged.getLast())));
    assertThat(checkpoints()).isEqualTo(damaged);
  }

  private static long size(Path checkpoint) throws IOException {
    String manifest = Files.readString(checkpoint.resolve("manifest.json"));
    String size = manifest.replaceAll("(?s).*\"state.json\",\\s*\"size\" : ([0-9]+).*", "$1");
    return Long.parseLong(size);
  }

  @Test
  void theLogWasCut() throws IOException {
    aLittle();
    Path log = out.resolve("log.jsonl");
    long bytes = Files.size(log);
    Files.writeString(log, "{\"event\":\"run\"}\n");
    var run = resume(out);
    assertThat(run.code()).isEqualTo(65);
    assertThat(run.err())
        .matches(
            "seekr: %s: has 16 bytes, of [0-9]+ when the run was saved; it was cut or replaced since; begin anew with train --fresh\n"
                .formatted(log));
    assertThat(bytes).isGreaterThan(16);
    assertThat(log).hasContent("{\"event\":\"run\"}\n");
  }

  @Test
  void settingsThatAreDamaged() throws IOException {
    aLittle();
    Files.writeString(out.resolve("config.yaml"), "model: {pa");
    fails(
        resume(out),
        65,
        out
            + "/config.yaml: is damaged: expected the settings of a run; begin anew with train --fresh");
  }

  /** Relative paths are those of the first attempt, wherever the next one is started. */
  @Test
  void pathsAreThoseOfTheFirstAttempt() throws IOException {
    aLittle();
    Path attempt = out.resolve("attempt.json");
    String text = Files.readString(attempt);
    String here = Path.of("").toAbsolutePath().toString();
    assertThat(text).contains("\"folder\":\"" + here + "\"");
    Files.writeString(attempt, text.replace(here, folder.resolve("there").toString()));
    Path there = folder.resolve("there/examples/superni");
    fails(resume(out), 66, there + ": no such folder (data.root)");
  }

  /** Samples that were changed meanwhile would be another run. */
  @Test
  void otherData() throws IOException {
    Path data = folder.resolve("data");
    for (String task : List.of("task363", "task1687")) {
      Files.createDirectories(data.resolve(task));
      for (String file : List.of("train.json", "test.json"))
        Files.copy(Path.of("examples/superni", task, file), data.resolve(task).resolve(file));
    }
    aLittle("data.root=" + data);
    Path train = data.resolve("task1687/train.json");
    String text = Files.readString(train);
    Files.writeString(train, text.replaceFirst("\"answer\": *\"[^\"]*\"", "\"answer\": \"other\""));
    assertThat(train).content().isNotEqualTo(text);
    fails(
        resume(out),
        78,
        "task1687: its samples, or the tokenizer, are not those that the run began with; put them back, or begin anew with train --fresh");
    Files.writeString(train, text);
    withoutLimit();
    assertThat(resume(out).code()).isZero();
  }
}
