package dev.seekr.general;

import dev.seekr.Failure;
import dev.seekr.disk.Fields;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Word problems after five worked ones: {@code test.jsonl}, and for the examples the first of
 * {@code train-head.jsonl} or {@code train.jsonl}.
 */
final class Gsm8k {
  private static final int EXAMPLES = 5, MOST_NEW = 256;
  private static final Pattern STRICT = Verdicts.pattern("#### (\\-?[0-9\\.\\,]+)");
  private static final Pattern FLEXIBLE = Verdicts.pattern("(-?[$0-9.,]{2,})|(-?[0-9]+)");

  /** What makes no difference between two numbers; of a worked answer the end alone is left. */
  private static final List<Pattern> IGNORED =
      List.of(
          Verdicts.pattern(","),
          Verdicts.pattern("\\$"),
          Verdicts.pattern("(?s).*#### "),
          Verdicts.pattern("\\.$"));

  private Gsm8k() {}

  static QuestionSet read(Path folder) {
    String examples =
        examples(folder).stream()
            .map(r -> asked(r) + " " + r.text("answer") + "\n\n")
            .collect(Collectors.joining());
    var questions = new ArrayList<Question>();
    for (Fields r : JsonLines.read(folder.resolve("test.jsonl")))
      questions.add(
          new Question.Open(questions.size(), examples + asked(r), List.of(r.text("answer"))));
    var kind =
        new Kind.Open(
            MOST_NEW,
            List.of("Question:", "</s>", "<|im_end|>"),
            List.of(
                reading("exact_match,strict-match", STRICT, false),
                reading("exact_match,flexible-extract", FLEXIBLE, true)));
    return new QuestionSet("gsm8k", true, List.of(new Subset("gsm8k", kind, questions)), List.of());
  }

  private static Kind.Reading reading(String name, Pattern pattern, boolean last) {
    return new Kind.Reading(
        name,
        text -> Verdicts.find(pattern, text, last),
        (answer, right) -> Verdicts.exact(answer, right, IGNORED));
  }

  private static String asked(Fields record) {
    return "Question: " + record.text("question") + "\nAnswer:";
  }

  private static List<Fields> examples(Path folder) {
    Path head = folder.resolve("train-head.jsonl");
    Path file = Files.exists(head) ? head : folder.resolve("train.jsonl");
    List<Fields> records = JsonLines.read(file);
    if (records.size() >= EXAMPLES) return records.subList(0, EXAMPLES);
    throw Failure.data("%s: expected %d examples, found %d", file, EXAMPLES, records.size());
  }
}
