package dev.seekr.general;

import dev.seekr.Failure.Exit;
import dev.seekr.FuzzTarget;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A subject of MMLU: every question has four choices and one that is right. */
class MmluFuzzTest extends FuzzTarget {
  MmluFuzzTest() {
    super("test/a_test.csv", Exit.DATA);
  }

  @Override
  protected Path write(Path folder, byte[] input) throws IOException {
    Files.createDirectories(folder.resolve("test"));
    return super.write(folder, input);
  }

  @Override
  protected Object read(Path file) {
    var part = Mmlu.read(file.getParent().getParent()).parts().getFirst();
    sound(!part.questions().isEmpty(), "no questions");
    for (Question question : part.questions()) {
      sound(question.prompt().endsWith("\nAnswer:"), question.prompt());
      var choice = (Question.Choice) question;
      sound(choice.choices().equals(List.of("A", "B", "C", "D")), "" + choice.choices());
      sound(choice.right() >= 0 && choice.right() < 4, "right " + choice.right());
    }
    return part;
  }
}
