package dev.seekr.disk;

import dev.seekr.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A folder for temporary files, which goes with all that is in it. */
public record Scratch(Path folder) implements AutoCloseable {

  /** Throws Failure (73) where none can be made. */
  public static Scratch create() {
    try {
      return new Scratch(Files.createTempDirectory("seekr"));
    } catch (IOException e) {
      throw new Failure(
          Failure.Exit.CREATE, "no folder for temporary files: " + Reading.reason(e), e);
    }
  }

  @Override
  public void close() {
    Disk.delete(folder);
  }
}
