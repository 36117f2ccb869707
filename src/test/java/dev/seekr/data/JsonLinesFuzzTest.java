package dev.seekr.data;

import dev.seekr.Failure.Exit;
import dev.seekr.FuzzTarget;
import java.nio.file.Path;

/** A record a line; the next line is read whatever one holds. */
class JsonLinesFuzzTest extends FuzzTarget {
  JsonLinesFuzzTest() {
    super("train.jsonl", Exit.DATA);
  }

  @Override
  protected Object read(Path file) {
    return Sound.examples(file);
  }
}
