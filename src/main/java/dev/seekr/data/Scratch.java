package dev.seekr.data;

import dev.seekr.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;

/** A folder for temporary files, which goes with all that is in it. */
public record Scratch(Path folder) implements AutoCloseable {

  /** Throws Failure (73) where none can be made. */
  public static Scratch create() {
    try {
      return new Scratch(Files.createTempDirectory("seekr"));
    } catch (IOException e) {
      throw new Failure(Failure.Exit.CREATE, "no folder for temporary files: " + e, e);
    }
  }

  @Override
  public void close() {
    try (var tree = Files.walk(folder)) {
      for (Path p : (Iterable<Path>) tree.sorted(Comparator.reverseOrder())::iterator)
        Files.delete(p);
    } catch (IOException e) {
      throw new Failure(Failure.Exit.IO, folder + ": cannot be deleted: " + e, e);
    }
  }
}
