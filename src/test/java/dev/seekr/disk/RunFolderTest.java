package dev.seekr.disk;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The names are those that users and other programs know. */
class RunFolderTest {
  private final RunFolder run = new RunFolder(Path.of("runs/a"));

  private void is(Path path, String name) {
    assertThat(path).isEqualTo(Path.of("runs/a").resolve(name));
  }

  @Test
  void namesOfFiles() {
    is(run.config(), "config.yaml");
    is(run.log(), "log.jsonl");
    is(run.scoresJson(), "scores.json");
    is(run.scoresCsv(), "scores.csv");
    is(run.checkpoints(), "checkpoints");
  }

  @Test
  void stagesAreCountedFromOne() {
    is(run.model(0, "task363"), "models/01-task363");
    is(run.model(9, "all tasks at once"), "models/10-all-tasks-at-once");
    is(run.model(99, "a"), "models/100-a");
    is(run.buffer(0), "buffer/01");
    is(run.adapter(1), "adapters/02");
    is(run.importance(0), "importance/01.safetensors");
    is(run.importanceCsv(9), "importance/10.csv");
    is(run.previous(2), "previous/03.safetensors");
    is(run.recorded(98), "recorded/99");
    is(run.predictions(0, "task 363"), "predictions/01/task 363.jsonl");
  }
}
