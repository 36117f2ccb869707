package dev.seekr.general;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.seekr.Failure;
import dev.seekr.config.ConfigReader;
import dev.seekr.config.GeneralSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GeneralQuestionsTest {
  static final Path DATA = Path.of("src/test/resources/general/data");
  @TempDir Path folder;

  static GeneralSettings settings(Path root, String... more) {
    var all = new ArrayList<>(List.of("eval.general.root=" + root));
    for (String setting : more) all.add("eval.general." + setting);
    return ConfigReader.parse("", "test", all).eval().general();
  }

  private static Subset part(GeneralQuestions questions, String name) {
    return questions.sets().stream()
        .flatMap(s -> s.parts().stream())
        .filter(p -> p.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void everyBenchmarkIsReadAndTheRestSaid() {
    var questions = GeneralQuestions.read(settings(DATA));
    assertThat(questions.missing()).isEmpty();
    assertThat(questions.names())
        .containsExactly("mmlu", "gsm8k", "bbh", "tydiqa", "boolq", "piqa");
    assertThat(questions.sets()).extracting(QuestionSet::size).containsExactly(14, 2, 5, 3, 3, 3);
    assertThat(questions.notes())
        .containsExactly("mmlu is asked without examples in world_religions: there is no dev file");
  }

  @Test
  void theLimitIsOfEachPart() {
    var questions = GeneralQuestions.read(settings(DATA, "limit=1", "sets=[bbh, mmlu]"));
    assertThat(questions.sets()).extracting(QuestionSet::name).containsExactly("bbh", "mmlu");
    assertThat(questions.sets()).extracting(QuestionSet::size).containsExactly(3, 2);
    var all = GeneralQuestions.read(settings(DATA, "sets=[bbh, mmlu]"));
    assertThat(questions.fingerprint()).isNotEqualTo(all.fingerprint());
  }

  /** Of n questions of P parts, part i has ⌊(i + 1)·n/P⌋ − ⌊i·n/P⌋: 0, 1, 1 for 2 of 3. */
  @Test
  void questionsOfABenchmarkAreEvenlyFromItsParts() {
    var all = GeneralQuestions.read(settings(DATA, "sets=[bbh, mmlu, gsm8k]"));
    for (int n : new int[] {0, 100}) {
      var same = GeneralQuestions.read(settings(DATA, "sets=[bbh, mmlu, gsm8k]", "questions=" + n));
      assertThat(same.fingerprint()).isEqualTo(all.fingerprint());
    }
    var two = GeneralQuestions.read(settings(DATA, "sets=[bbh, mmlu, gsm8k]", "questions=2"));
    assertThat(two.sets()).extracting(QuestionSet::size).containsExactly(2, 2, 2);
    for (int set = 0; set < 3; set++) {
      var parts = all.sets().get(set).parts();
      var some = two.sets().get(set).parts();
      for (Subset part : some) assertThat(part.questions()).isEqualTo(first(part, parts));
    }
    assertThat(two.sets().getFirst().parts())
        .extracting(Subset::name)
        .containsExactlyElementsOf(
            all.sets().getFirst().parts().stream().skip(1).map(Subset::name).toList());
    // Both limits: at most one of a part, and then at most five.
    var both = GeneralQuestions.read(settings(DATA, "sets=[bbh, mmlu]", "limit=1", "questions=5"));
    assertThat(both.sets()).extracting(QuestionSet::size).containsExactly(3, 2);
  }

  /** As many questions as {@code part} has, of the part of that name. */
  private static List<? extends Question> first(Subset part, List<Subset> parts) {
    var whole = parts.stream().filter(p -> p.name().equals(part.name())).findFirst().orElseThrow();
    return whole.questions().subList(0, part.questions().size());
  }

  @Test
  void whatIsMissingIsLeftOutAndSaid() throws IOException {
    copy("piqa/valid.jsonl", "piqa/valid-labels.lst");
    var questions = GeneralQuestions.read(settings(folder, "sets=[mmlu, piqa, tydiqa]"));
    assertThat(questions.sets()).extracting(QuestionSet::name).containsExactly("piqa");
    assertThat(questions.missing()).containsExactly("mmlu", "tydiqa");
    assertThat(questions.notes())
        .containsExactly(
            "mmlu is not there; its general ability stays blank",
            "tydiqa is not there; its general ability stays blank");
  }

  /** Languages in turn, English left out beside others, the first example of each before. */
  @Test
  void tydiqa() {
    var questions = GeneralQuestions.read(settings(DATA, "sets=[tydiqa]"));
    assertThat(questions.sets().getFirst().parts())
        .extracting(Subset::name)
        .containsExactly("tydiqa_finnish", "tydiqa_swahili");
    var finnish = (Question.Open) part(questions, "tydiqa_finnish").questions().getFirst();
    assertThat(finnish.prompt())
        .isEqualTo(
            """
            Helsinki on Suomen pääkaupunki.
            Question: Mikä on Suomen pääkaupunki?
            Answer: Helsinki

            Tampere on Pirkanmaalla.
            Question: Missä Tampere on?
            Answer:""");
    assertThat(finnish.right()).containsExactly("Pirkanmaalla", "Pirkanmaa");
  }

  /** Two answers by hand: F1 1 and 0 in Finnish, 1 in Swahili, so 50 and 100 in the languages. */
  @Test
  void languagesCountAlike() {
    var set = GeneralQuestions.read(settings(DATA, "sets=[tydiqa]")).sets().getFirst();
    var finnish =
        Judged.of(
            set.parts().get(0),
            List.of(new Given(null, null, " Pirkanmaa."), new Given(null, null, " etelässä")));
    var swahili = Judged.of(set.parts().get(1), List.of(new Given(null, null, "Dodoma")));
    var result = new SetResult(set, List.of(finnish, swahili));
    assertThat(result.score()).isEqualTo(75);
    assertThat(result.scores()).containsEntry("f1", 75.0).containsEntry("exact_match", 75.0);
  }

  @Test
  void questionsOfSubjectsCountAlike() {
    var set = GeneralQuestions.read(settings(DATA, "sets=[mmlu]", "limit=3")).sets().getFirst();
    var judged = new ArrayList<Judged>();
    var one = set.parts().get(0).first(1);
    judged.add(Judged.of(one, List.of(likeliest(one, 0, 0))));
    var three = set.parts().get(1);
    judged.add(
        Judged.of(
            three,
            List.of(likeliest(three, 0, 1), likeliest(three, 1, 1), likeliest(three, 2, 1))));
    assertThat(new SetResult(set, judged).score()).isEqualTo(25);
  }

  /** The right choice is likeliest, or the one {@code off} places after it. */
  private static Given likeliest(Subset part, int question, int off) {
    double[] likelihoods = {-4, -4, -4, -4};
    likelihoods[(((Question.Choice) part.questions().get(question)).right() + off) % 4] = -1;
    return new Given(likelihoods, new boolean[4], null);
  }

  /** -6 of 2 characters against -7 of 4: the first as it is, the second by the character. */
  @Test
  void choicesAreComparedAsTheyAreAndByTheCharacter() {
    var question = new Question.Choice(0, "", List.of("a\uD83D\uDE00", "abcd"), 1);
    var part = new Subset("piqa", new Kind.Choices(true), List.of(question));
    var verdicts =
        Judged.of(part, List.of(new Given(new double[] {-6, -7}, new boolean[2], null)))
            .verdicts()
            .getFirst();
    assertThat(verdicts).containsEntry("acc", 0.0).containsEntry("acc_norm", 1.0);
  }

  @Test
  void whatIsWrongIsNamed() throws IOException {
    refused("no such folder; it holds one folder a benchmark", folder.resolve("none"), "piqa");
    refused("expected folders piqa, found none", folder, "piqa");
    copy("piqa/valid.jsonl", "piqa/valid-labels.lst");
    Files.writeString(folder.resolve("piqa/valid-labels.lst"), "0\n1\n");
    refused("expected a label for each of 3 questions, found 2", folder, "piqa");
    Files.writeString(folder.resolve("piqa/valid-labels.lst"), "0\n2\n0\n");
    refused("valid-labels.lst:2: expected 0 or 1, found 2", folder, "piqa");
    Files.createDirectories(folder.resolve("boolq"));
    refused("dev.jsonl: cannot be read: no such file or folder", folder, "boolq");
    Files.writeString(
        folder.resolve("boolq/dev.jsonl"), "{\"passage\": \"a\", \"question\": \"b\"}\n");
    refused("dev.jsonl:1: answer is missing; expected true or false", folder, "boolq");
    Files.writeString(folder.resolve("boolq/dev.jsonl"), "\n[1]\n");
    refused("dev.jsonl:2: expected an object, found [1]", folder, "boolq");
    Files.createDirectories(folder.resolve("mmlu/test"));
    refused("expected subjects, NAME_test.csv, found none", folder, "mmlu");
    Files.writeString(folder.resolve("mmlu/test/x_test.csv"), "\"q\",a,b,c,d,0\n\"q\",a,b,c,d,E\n");
    refused("x_test.csv:2: expected question, A, B, C, D and the answer", folder, "mmlu");
    copy("gsm8k/test.jsonl", "gsm8k/train-head.jsonl");
    Files.writeString(
        folder.resolve("gsm8k/train-head.jsonl"), "{\"question\":\"\",\"answer\":\"\"}");
    refused("expected 5 examples, found 1", folder, "gsm8k");
    copy("bbh/tasks/navigate.json", "bbh/cot-prompts/navigate.txt");
    Files.writeString(folder.resolve("bbh/cot-prompts/navigate.txt"), "-----\nAbout.\n\nQ: a");
    refused("example 1 has no line 'A: …'", folder, "bbh");
    copy("tydiqa/dev.json", "tydiqa/train.json");
    Files.writeString(
        folder.resolve("tydiqa/train.json"),
        Files.readString(DATA.resolve("tydiqa/dev.json")).replace("swahili-", "thai-"));
    refused("train.json: expected an example in swahili, found none", folder, "tydiqa");
  }

  private void refused(String message, Path root, String set) {
    assertThatThrownBy(() -> GeneralQuestions.read(settings(root, "sets=[" + set + "]")))
        .isInstanceOf(Failure.class)
        .hasMessageContaining(message);
  }

  private void copy(String... files) throws IOException {
    for (String file : files) {
      Files.createDirectories(folder.resolve(file).getParent());
      Files.writeString(folder.resolve(file), Files.readString(DATA.resolve(file)));
    }
  }
}
