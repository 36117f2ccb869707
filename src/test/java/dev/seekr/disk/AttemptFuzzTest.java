package dev.seekr.disk;

import dev.seekr.Failure.Exit;
import dev.seekr.FuzzTarget;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The folder is taken after whoever the file names, or is still that one's. */
class AttemptFuzzTest extends FuzzTarget {
  AttemptFuzzTest() {
    super("attempt.json", Exit.CREATE);
  }

  @Override
  protected Object read(Path file) throws IOException {
    Path run = Files.createDirectories(file.resolveSibling("run"));
    Files.write(run.resolve("attempt.json"), Files.readAllBytes(file));
    try (var attempt = Attempt.take(run, 1)) {
      sound(attempt.number() >= 1, "attempt " + attempt.number());
      sound(Files.readString(run.resolve("attempt.json")).contains("attempt"), "not written");
      return List.of(attempt.number(), attempt.workingFolder());
    }
  }
}
