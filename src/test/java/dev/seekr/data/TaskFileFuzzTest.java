package dev.seekr.data;

import dev.seekr.Failure.Exit;
import dev.seekr.FuzzTarget;
import java.nio.file.Path;

/** Examples are texts that can be written again, with bad records left out as well as refused. */
class TaskFileFuzzTest extends FuzzTarget {
  TaskFileFuzzTest() {
    super("train.json", Exit.DATA);
  }

  @Override
  protected Object read(Path file) {
    return Sound.examples(file);
  }
}
