package dev.seekr.cli;

import dev.seekr.disk.Reading;
import java.nio.file.Path;

/** A file that a command has written, as --json tells of it. */
record WrittenFile(String file, long bytes) {
  static WrittenFile of(Path file) {
    return new WrittenFile(file.toString(), Reading.size(file));
  }
}
