package dev.seekr.general;

import dev.seekr.disk.Fields;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Whether a passage says yes or no: {@code dev.jsonl}. */
final class BoolQ {
  private static final List<String> CHOICES = List.of("no", "yes");

  private BoolQ() {}

  static QuestionSet read(Path folder) {
    var questions = new ArrayList<Question>();
    for (Fields r : JsonLines.read(folder.resolve("dev.jsonl"))) {
      String prompt = "%s\nQuestion: %s?\nAnswer:".formatted(r.text("passage"), r.text("question"));
      if (!r.has("answer")) throw r.wrong("answer", "true or false");
      int right = r.flag("answer", false) ? 1 : 0;
      questions.add(new Question.Choice(questions.size(), prompt, CHOICES, right));
    }
    var part = new Subset("boolq", new Kind.Choices(false), questions);
    return new QuestionSet("boolq", true, List.of(part), List.of());
  }
}
