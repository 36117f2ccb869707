package dev.seekr.data;

import dev.seekr.Failure.Exit;
import dev.seekr.FuzzTarget;
import java.nio.file.Path;

/** A table with a heading, whose other columns may hold anything. */
class CsvRecordsFuzzTest extends FuzzTarget {
  CsvRecordsFuzzTest() {
    super("train.csv", Exit.DATA);
  }

  @Override
  protected Object read(Path file) {
    return Sound.examples(file);
  }
}
