package dev.seekr.general;

import dev.seekr.Failure;
import dev.seekr.disk.Reading;
import dev.seekr.evaluation.Words;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Multiple choice in many subjects: {@code test/SUBJECT_test.csv}, and {@code dev/SUBJECT_dev.csv}
 * for five examples where it is there. Rows are question, A, B, C, D, answer (0 to 3, or a letter);
 * a heading is passed over.
 */
final class Mmlu {
  private static final int EXAMPLES = 5, FIELDS = 6;
  private static final List<String> LETTERS = List.of("A", "B", "C", "D");
  private static final String TEST = "_test.csv";

  private record Row(String text, int right) {}

  private Mmlu() {}

  static QuestionSet read(Path folder) {
    var parts = new ArrayList<Subset>();
    var without = new ArrayList<String>();
    for (Path file : Reading.list(folder.resolve("test"))) {
      String name = file.getFileName().toString();
      if (!name.endsWith(TEST)) continue;
      String subject = name.substring(0, name.length() - TEST.length());
      Path dev = folder.resolve("dev").resolve(subject + "_dev.csv");
      if (!Files.exists(dev)) without.add(subject);
      String before = description(subject) + (Files.exists(dev) ? examples(dev) : "");
      var questions = new ArrayList<Question>();
      for (Row row : rows(file))
        questions.add(new Question.Choice(questions.size(), before + row.text, LETTERS, row.right));
      parts.add(new Subset("mmlu_" + subject, new Kind.Choices(false), questions));
    }
    if (parts.isEmpty())
      throw Failure.data("%s: expected subjects, NAME%s, found none", folder.resolve("test"), TEST);
    return new QuestionSet("mmlu", true, parts, note(without, parts.size()));
  }

  private static List<String> note(List<String> without, int subjects) {
    if (without.isEmpty()) return List.of();
    String which = without.size() == subjects ? "all subjects" : String.join(", ", without);
    return List.of("mmlu is asked without examples in %s: there is no dev file".formatted(which));
  }

  private static String description(String subject) {
    return "The following are multiple choice questions (with answers) about %s.\n\n"
        .formatted(subject.replace('_', ' '));
  }

  private static String examples(Path file) {
    return rows(file).stream()
        .limit(EXAMPLES)
        .map(row -> row.text + " " + LETTERS.get(row.right) + "\n\n")
        .collect(Collectors.joining());
  }

  private static List<Row> rows(Path file) {
    var rows = new ArrayList<Row>();
    for (Csv.Row read : Csv.read(Reading.text(file))) {
      List<String> fields = read.fields();
      if (!isRow(fields)) fields = read.quoted();
      if (rows.isEmpty() && read.line() == 1 && fields.getLast().equals("answer")) continue;
      if (!isRow(fields))
        throw Failure.data(
            "%s:%d: expected question, A, B, C, D and the answer, 0 to 3; found %d fields",
            file, read.line(), fields.size());
      rows.add(row(fields));
    }
    if (rows.isEmpty()) throw Failure.data("%s: expected questions, found none", file);
    return rows;
  }

  private static boolean isRow(List<String> fields) {
    return fields.size() == FIELDS && right(fields.getLast()) >= 0;
  }

  private static int right(String answer) {
    return answer.matches("[0-3]") ? answer.charAt(0) - '0' : LETTERS.indexOf(answer);
  }

  private static Row row(List<String> fields) {
    var text = new StringBuilder(Words.strip(fields.getFirst()));
    for (int c = 0; c < LETTERS.size(); c++)
      text.append('\n').append(LETTERS.get(c)).append(". ").append(fields.get(c + 1));
    return new Row(text.append("\nAnswer:").toString(), right(fields.getLast()));
  }
}
