package dev.seekr.general;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.seekr.Failure;
import dev.seekr.config.GeneralSettings;
import dev.seekr.disk.Disk;
import dev.seekr.evaluation.LanguageModel;
import dev.seekr.model.Beginning;
import dev.seekr.model.Continuations;
import dev.seekr.model.TinyModel;
import dev.seekr.ops.Ops;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** With the embedded model, which knows nothing: what it gives is held against itself. */
class AskingTest {
  private static final Path NANO = Path.of("examples/nano");
  @TempDir Path folder;

  private static GeneralSettings settings(String... more) {
    var all = new ArrayList<>(List.of("max_new_tokens=6"));
    all.addAll(List.of(more));
    return GeneralQuestionsTest.settings(GeneralQuestionsTest.DATA, all.toArray(String[]::new));
  }

  private static Asker asker(LanguageModel lm, GeneralSettings settings) {
    return new Asker(lm.model(), lm.tokenizer(), null, settings);
  }

  /** Each question by itself, nothing shared. */
  private static List<Double> alone(LanguageModel lm, Question.Choice question) {
    var likelihoods = new ArrayList<Double>();
    int[] prompt = lm.tokenizer().encode(question.prompt());
    for (String choice : question.choices()) {
      int[] whole = lm.tokenizer().encode(question.prompt() + " " + choice);
      int[] rest = java.util.Arrays.copyOfRange(whole, prompt.length, whole.length);
      var asked = new Continuations.Question(prompt, List.of(rest));
      likelihoods.add(
          Continuations.likelihoods(lm.model(), Beginning.none(), List.of(asked))
              .getFirst()
              .getFirst()
              .logLikelihood());
    }
    return likelihoods;
  }

  @ParameterizedTest
  @ValueSource(strings = {"mmlu", "boolq", "piqa"})
  void choicesAreWorthWhatTheyAreAlone(String name) {
    var settings = settings("sets=[" + name + "]", "tokens=120");
    var set = GeneralQuestions.read(settings).sets().getFirst();
    try (Ops ops = TinyModel.cpu();
        var lm = LanguageModel.load(NANO, Set.of(), ops)) {
      var result = asker(lm, settings).ask(set);
      for (Judged part : result.parts()) {
        for (int q = 0; q < part.given().size(); q++) {
          var expected = alone(lm, (Question.Choice) part.part().questions().get(q));
          double[] found = part.given().get(q).likelihoods();
          assertThat(found).hasSameSizeAs(expected);
          for (int c = 0; c < found.length; c++)
            assertThat(found[c])
                .as("%s, question %d, choice %d", part.part().name(), q, c)
                .isNegative()
                .isCloseTo(expected.get(c), within(1e-4));
        }
      }
    }
  }

  @Test
  void answersDoNotDependOnTheBatch() {
    try (Ops ops = TinyModel.cpu();
        var lm = LanguageModel.load(NANO, Set.of(), ops)) {
      for (String name : List.of("gsm8k", "bbh", "tydiqa")) {
        var texts = new ArrayList<List<String>>();
        for (int batch : new int[] {1, 2, 32}) {
          var settings = settings("sets=[" + name + "]", "batch=" + batch);
          var result = asker(lm, settings).ask(GeneralQuestions.read(settings).sets().getFirst());
          texts.add(
              result.parts().stream().flatMap(p -> p.given().stream()).map(Given::text).toList());
        }
        assertThat(texts.get(0)).as(name).isEqualTo(texts.get(1)).isEqualTo(texts.get(2));
        assertThat(texts.getFirst()).as(name).anyMatch(text -> !text.isBlank());
      }
    }
  }

  /** The first answer ends where a text that it holds is made its stop. */
  @Test
  void answersEndBeforeTheirStops() {
    var settings = settings("sets=[gsm8k]", "max_new_tokens=12");
    var set = GeneralQuestions.read(settings).sets().getFirst();
    Subset part = set.parts().getFirst();
    var kind = (Kind.Open) part.kind();
    try (Ops ops = TinyModel.cpu();
        var lm = LanguageModel.load(NANO, Set.of(), ops)) {
      String free = text(lm, settings, part, new Kind.Open(12, List.of(), kind.readings()));
      assertThat(free).hasSizeGreaterThan(6);
      String stop = free.substring(4, 6);
      String cut = text(lm, settings, part, new Kind.Open(12, List.of(stop), kind.readings()));
      assertThat(cut).isEqualTo(free.substring(0, free.indexOf(stop)));
    }
  }

  private static String text(LanguageModel lm, GeneralSettings settings, Subset part, Kind kind) {
    var set =
        new QuestionSet("x", true, List.of(new Subset("x", kind, part.questions())), List.of());
    return asker(lm, settings).ask(set).parts().getFirst().given().getFirst().text();
  }

  @ParameterizedTest
  @ValueSource(strings = {"mmlu", "bbh"})
  void whatWasSavedGoesOn(String name) {
    var settings = settings("sets=[" + name + "]", "tokens=200", "batch=1");
    var set = GeneralQuestions.read(settings).sets().getFirst();
    try (Ops ops = TinyModel.cpu();
        var lm = LanguageModel.load(NANO, Set.of(), ops)) {
      var asker = asker(lm, settings);
      String expected = Details.json(List.of(asker.ask(set)));
      int saves = 0;
      for (var asking = asker.begin(set); ; saves++) {
        var other = asker.begin(set);
        other.load(saved(asking, saves));
        assertThat(other.asked()).isEqualTo(asking.asked());
        while (!other.done()) other.next();
        assertThat(Details.json(List.of(other.result()))).isEqualTo(expected);
        if (asking.done()) break;
        asking.next();
      }
      assertThat(saves).isGreaterThan(3);
    }
  }

  @Test
  void whatDoesNotFitIsRefused() {
    var settings = settings("sets=[bbh]", "batch=1");
    var set = GeneralQuestions.read(settings).sets().getFirst();
    try (Ops ops = TinyModel.cpu();
        var lm = LanguageModel.load(NANO, Set.of(), ops)) {
      var asker = asker(lm, settings);
      var asking = asker.begin(set);
      asking.next();
      asking.next();
      asking.next();
      var other = GeneralQuestions.read(settings("sets=[bbh]", "limit=1")).sets().getFirst();
      assertThatThrownBy(() -> asker.begin(other).load(saved(asking, 0)))
          .isInstanceOf(Failure.class)
          .hasMessageContaining("given");
      var choices = GeneralQuestions.read(settings("sets=[mmlu]")).sets().getFirst();
      assertThatThrownBy(() -> asker.begin(choices).load(saved(asking, 1)))
          .isInstanceOf(Failure.class)
          .hasMessageContaining("given");
    }
  }

  private StateReader saved(Asking asking, int number) {
    var state = new StateWriter();
    asking.save(state);
    Path there = folder.resolve("state" + number);
    Disk.makeFolder(there);
    Disk.write(there.resolve(StateReader.VALUES), state.values().toString());
    return StateReader.open(there);
  }

  /** Of a model of 512 positions or fewer, longer questions lose their beginnings. */
  @Test
  void longQuestionsAreCutOnTheLeft() {
    var settings = settings("sets=[piqa]");
    try (Ops ops = TinyModel.cpu();
        var lm = LanguageModel.load(NANO, Set.of(), ops)) {
      int most = lm.model().config.maxPositions();
      var asker = asker(lm, settings);
      String filler = "one two three four five six seven eight nine ten ".repeat(most / 4);
      var question =
          new Question.Choice(0, filler + "\nAnswer:", List.of("yes", "yes and no and yes"), 0);
      var units = new Prompts(asker).choices(question);
      assertThat(units).hasSize(2);
      int[] whole = lm.tokenizer().encode(question.prompt());
      for (var unit : units) {
        int n = unit.prompt().length;
        assertThat(n + unit.continuations().getFirst().length).isEqualTo(most + 1);
        assertThat(unit.prompt())
            .isEqualTo(java.util.Arrays.copyOfRange(whole, whole.length - n, whole.length));
      }
      var set =
          new QuestionSet(
              "x",
              true,
              List.of(new Subset("x", new Kind.Choices(false), List.of(question, question))),
              List.of());
      double[] found = asker.ask(set).parts().getFirst().given().get(1).likelihoods();
      assertThat(found).hasSize(2);
      for (double likelihood : found) assertThat(likelihood).isNegative();
      var open = new Question.Open(0, question.prompt(), List.of(""));
      var kind = new Kind.Open(6, List.of(), List.of());
      assertThat(asker.tokens(open, kind)).hasSize(most - 6);
    }
  }
}
