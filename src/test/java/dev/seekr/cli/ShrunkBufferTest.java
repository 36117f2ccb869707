package dev.seekr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.disk.Meanwhile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Samples of earlier tasks that are cut short while a run reads them. */
class ShrunkBufferTest {
  private static final String NAME = "buffer/01/000000.safetensors";

  private static final String CHANGED = ": is not as it was written";

  @TempDir Path folder;

  private CommandLineRun train() {
    return Tiny.run(
        "train",
        "method.name=derpp",
        "method.replay_samples=1",
        "run.out=" + folder.resolve("run"));
  }

  @Test
  void theFileIsNamed() {
    Path file = folder.resolve("run").resolve(NAME);
    try (var _ =
        new Meanwhile(
            "READ", NAME, 2, path -> Files.write(path, new byte[0]))) { // the second task's
      var run = train();
      assertThat(run.err().lines().filter(line -> line.startsWith("seekr: ")))
          .containsExactly("seekr: " + file + CHANGED);
      assertThat(run.code()).isEqualTo(74);
    }
    var again = train();
    assertThat(again.code()).isEqualTo(65);
    assertThat(again.err())
        .hasLineCount(1)
        .isEqualTo("seekr: " + file + CHANGED + "; begin anew with train --fresh\n");
  }
}
