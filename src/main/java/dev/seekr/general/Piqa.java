package dev.seekr.general;

import dev.seekr.Failure;
import dev.seekr.disk.Fields;
import dev.seekr.disk.Reading;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Which of two solutions serves a goal: {@code valid.jsonl} and {@code valid-labels.lst}. */
final class Piqa {
  private Piqa() {}

  static QuestionSet read(Path folder) {
    List<Fields> records = JsonLines.read(folder.resolve("valid.jsonl"));
    Path labels = folder.resolve("valid-labels.lst");
    String[] right = Reading.text(labels).strip().split("\\s+");
    if (right.length != records.size())
      throw Failure.data(
          "%s: expected a label for each of %d questions, found %d",
          labels, records.size(), right.length);
    var questions = new ArrayList<Question>();
    for (int i = 0; i < right.length; i++) {
      if (!right[i].equals("0") && !right[i].equals("1"))
        throw Failure.data("%s:%d: expected 0 or 1, found %s", labels, i + 1, right[i]);
      Fields r = records.get(i);
      questions.add(
          new Question.Choice(
              i,
              "Question: " + r.text("goal") + "\nAnswer:",
              List.of(r.text("sol1"), r.text("sol2")),
              Integer.parseInt(right[i])));
    }
    var part = new Subset("piqa", new Kind.Choices(true), questions);
    return new QuestionSet("piqa", true, List.of(part), List.of());
  }
}
