package dev.seekr.general;

import dev.seekr.Failure;
import dev.seekr.disk.Fields;
import dev.seekr.evaluation.Words;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Questions in many languages, each with the passage that answers it, after one example of the
 * language: {@code dev.json} and {@code train.json} as SQuAD lays them out, or under their official
 * names. Languages count alike, English left out where there are others.
 */
final class TyDiQa {
  private static final int MOST_NEW = 64;
  private static final String ENGLISH = "english";

  private static final Kind KIND =
      new Kind.Open(
          MOST_NEW,
          List.of("\n"),
          List.of(
              new Kind.Reading("f1", Words::strip, Verdicts::f1),
              new Kind.Reading("exact_match", Words::strip, Verdicts::plainExact)));

  private record Asked(String text, List<String> answers) {}

  private TyDiQa() {}

  static QuestionSet read(Path folder) {
    var examples = byLanguage(file(folder, "train"));
    var parts = new ArrayList<Subset>();
    byLanguage(file(folder, "dev"))
        .forEach(
            (language, asked) -> {
              if (!examples.containsKey(language))
                throw Failure.data(
                    "%s: expected an example in %s, found none", file(folder, "train"), language);
              parts.add(part(language, examples.get(language).getFirst(), asked));
            });
    if (parts.size() > 1) parts.removeIf(p -> p.name().equals("tydiqa_" + ENGLISH));
    return new QuestionSet("tydiqa", false, parts, List.of());
  }

  private static Path file(Path folder, String split) {
    Path official = folder.resolve("tydiqa-goldp-v1.1-" + split + ".json");
    return Files.exists(official) ? official : folder.resolve(split + ".json");
  }

  private static Subset part(String language, Asked example, List<Asked> all) {
    String before = example.text + " " + example.answers.getFirst() + "\n\n";
    var questions = new ArrayList<Question>();
    for (Asked asked : all)
      questions.add(new Question.Open(questions.size(), before + asked.text, asked.answers));
    return new Subset("tydiqa_" + language, KIND, questions);
  }

  /** The language is the first word of a question's id, as in {@code swahili-7361-0}. */
  private static Map<String, List<Asked>> byLanguage(Path file) {
    var all = new TreeMap<String, List<Asked>>();
    for (Fields article : Fields.read(file).sections("data"))
      for (Fields paragraph : article.sections("paragraphs"))
        for (Fields qa : paragraph.sections("qas")) {
          String id = qa.text("id"), language = id.split("-", 2)[0];
          if (language.isEmpty()) throw qa.wrong("id", "a language, '-' and a number");
          var answers = qa.sections("answers").stream().map(a -> a.text("text")).toList();
          if (answers.isEmpty()) throw qa.wrong("answers", "at least one");
          String text =
              "%s\nQuestion: %s\nAnswer:".formatted(paragraph.text("context"), qa.text("question"));
          all.computeIfAbsent(language, _ -> new ArrayList<>()).add(new Asked(text, answers));
        }
    if (all.isEmpty()) throw Failure.data("%s: expected questions, found none", file);
    return new LinkedHashMap<>(all);
  }
}
