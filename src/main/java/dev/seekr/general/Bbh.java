package dev.seekr.general;

import dev.seekr.Failure;
import dev.seekr.disk.Fields;
import dev.seekr.disk.Reading;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Tasks after three examples with reasoning: {@code tasks/NAME.json} and {@code
 * cot-prompts/NAME.txt}.
 */
final class Bbh {
  private static final int MOST_NEW = 1024;
  private static final String REASON = "Let's think step by step.\n";

  /** Everything after these words up to the last character of the line, which is a full stop. */
  private static final Pattern ANSWER = Verdicts.pattern("(?<=the answer is )(.*)(?=.)");

  private static final Kind KIND =
      new Kind.Open(
          MOST_NEW,
          List.of("</s>", "Q", "\n\n"),
          List.of(
              new Kind.Reading(
                  "exact_match,get-answer",
                  text -> Verdicts.find(ANSWER, text, false),
                  Verdicts::exact)));

  private Bbh() {}

  static QuestionSet read(Path folder) {
    var parts = new ArrayList<Subset>();
    Path tasks = folder.resolve("tasks");
    for (Path file : Reading.list(tasks)) {
      String name = file.getFileName().toString();
      if (!name.endsWith(".json")) continue;
      String task = name.substring(0, name.length() - ".json".length());
      String examples = examples(folder.resolve("cot-prompts").resolve(task + ".txt"), task);
      var questions = new ArrayList<Question>();
      for (Fields r : Fields.read(file).sections("examples"))
        questions.add(
            new Question.Open(
                questions.size(), examples + asked(r.text("input")), List.of(r.text("target"))));
      parts.add(new Subset("bbh_" + task, KIND, questions));
    }
    if (parts.isEmpty()) throw Failure.data("%s: expected tasks, NAME.json, found none", tasks);
    return new QuestionSet("bbh", true, parts, List.of());
  }

  private static String asked(String input) {
    return "Q: " + input + "\nA: " + REASON;
  }

  /**
   * What the task is about, then its examples. A worked answer begins with the call to reason as
   * the question ends with it, so that it stands there twice; boolean_expressions alone has it
   * once.
   */
  private static String examples(Path file, String task) {
    String text = Reading.text(file);
    String[] blocks =
        text.substring(text.indexOf("-----\n") + "-----\n".length()).strip().split("\n\nQ: ");
    if (blocks.length < 2)
      throw Failure.data("%s: expected a description and examples, 'Q: …' and 'A: …'", file);
    var prompt = new StringBuilder(blocks[0]).append("\n\n");
    for (int i = 1; i < blocks.length; i++) {
      int end = blocks[i].indexOf("\nA: ");
      if (end < 0) throw Failure.data("%s: example %d has no line 'A: …'", file, i);
      String answer = blocks[i].substring(end + "\nA: ".length());
      if (task.equals("boolean_expressions") && answer.startsWith(REASON))
        answer = answer.substring(REASON.length());
      prompt.append(asked(blocks[i].substring(0, end))).append(' ').append(answer).append("\n\n");
    }
    return prompt.toString();
  }
}
