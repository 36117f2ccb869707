package dev.seekr.data;

import dev.seekr.Failure.Exit;
import dev.seekr.FuzzTarget;
import java.nio.file.Path;

/** Conversations, each of whose answers is an example as a chat template is given it. */
class MessagesFuzzTest extends FuzzTarget {
  MessagesFuzzTest() {
    super("train.jsonl", Exit.DATA);
  }

  @Override
  protected Object read(Path file) {
    return Sound.examples(file, "data.chat=template");
  }
}
