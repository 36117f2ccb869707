package dev.seekr.general;

import dev.seekr.Failure.Exit;
import dev.seekr.FuzzTarget;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Questions of TyDiQA, which are their own examples too: each has a right answer. */
class TyDiQaFuzzTest extends FuzzTarget {
  TyDiQaFuzzTest() {
    super("dev.json", Exit.DATA);
  }

  @Override
  protected Path write(Path folder, byte[] input) throws IOException {
    Files.write(folder.resolve("train.json"), input);
    return super.write(folder, input);
  }

  @Override
  protected Object read(Path file) {
    var set = TyDiQa.read(file.getParent());
    sound(!set.parts().isEmpty(), "no language");
    for (Subset part : set.parts()) {
      sound(!part.questions().isEmpty(), "no questions in " + part.name());
      for (Question question : part.questions())
        sound(!((Question.Open) question).right().isEmpty(), "no right answer");
    }
    return set;
  }
}
