package dev.seekr.general;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.seekr.disk.Fields;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class VerdictsTest {
  private static final Path RESOURCES = Path.of("src/test/resources/general");

  /** Texts, and what lm-evaluation-harness found in them and thought of it. */
  @ParameterizedTest
  @ValueSource(strings = {"gsm8k strict-match", "gsm8k flexible-extract", "bbh get-answer"})
  void theHarnesssOwn(String which) {
    String set = which.split(" ")[0], measure = "exact_match," + which.split(" ")[1];
    var questions = set.equals("gsm8k") ? Gsm8k.read(data(set)) : Bbh.read(data(set));
    var kind = (Kind.Open) questions.parts().getFirst().kind();
    var reading =
        kind.readings().stream().filter(r -> r.name().equals(measure)).findFirst().orElseThrow();
    List<Fields> verdicts = Fields.read(RESOURCES.resolve("verdicts.json")).sections(which);
    int right = 0;
    for (Fields verdict : verdicts) {
      String text = verdict.text("text");
      assertThat(reading.filter().apply(text)).as(text).isEqualTo(verdict.text("answer"));
      double score = reading.judge(text, List.of(verdict.text("target")));
      assertThat(score).as(text).isEqualTo(verdict.number("score"));
      if (score == 1) right++;
    }
    assertThat(right).isBetween(3, verdicts.size() - 3);
  }

  private static Path data(String set) {
    return RESOURCES.resolve("data").resolve(set);
  }

  /** By hand: 2 × common / (words said + words expected). */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "the Cat sat. | cat sat | 1 | 1",
        "a cat | cat sat down | 0.5 | 0",
        "cat cat cat | cat cat sat | 0.66666667 | 0",
        "dog | cat | 0 | 0",
        "Theatre | the atre | 0 | 0",
        "Zürich, an «alte» Stadt | zürich «alte» stadt! | 1 | 1",
        "thé | thé | 1 | 1"
      })
  void squad(String said, String right, double f1, double exact) {
    assertThat(Verdicts.f1(said, right)).isCloseTo(f1, within(1e-8));
    assertThat(Verdicts.plainExact(said, right)).isEqualTo(exact);
  }

  @Test
  void nothingSaidIsWrong() {
    assertThat(Verdicts.f1("", "cat")).isZero();
    assertThat(Verdicts.f1("the", "an")).as("articles alone").isZero();
    assertThat(Verdicts.plainExact("", "cat")).isZero();
  }

  @Test
  void ofSeveralRightAnswersTheBestCounts() {
    var reading = new Kind.Reading("f1", text -> text, Verdicts::f1);
    assertThat(reading.judge("new york", List.of("york", "the new york"))).isEqualTo(1);
  }
}
