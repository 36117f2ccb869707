package dev.seekr.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.seekr.Failure;
import dev.seekr.config.EvalSettings;
import dev.seekr.config.EvalSettings.Answer;
import dev.seekr.config.MetricName;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MetricTest {
  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          'A',              'A', 100
          '  A) because',   'A', 100
          '\u00a0B',        'B', 100
          'B',              'A',   0
          'a',              'A',   0
          ' ',              'A',   0
          ' ',              ' ',   0
          '态度',            '态', 100
          '\uD83D\uDE00x',  '\uD83D\uDE00y', 100
          '\uD83D\uDE00',   '\uD83D\uDE01',    0
          """)
  void firstCharacter(String prediction, String target, double expected) {
    assertThat(Accuracy.CHAR.score("", prediction, target)).hasValue(expected);
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          'POS',                 'POS', 100
          ' POS\nInput: more',   'POS', 100
          'POS.',                'POS',   0
          'positive',            'pos',   0
          'joy and love',        'joy', 100
          'not sure',      'not found', 100
          ' ',                   'POS',   0
          """)
  void firstWord(String prediction, String target, double expected) {
    assertThat(Accuracy.WORD.score("", prediction, target)).hasValue(expected);
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          '42',     '42', 100
          ' 42 \n', '42', 100
          '42.0',   '42',   0
          '4 2',    '42',   0
          'Yes',   'yes',   0
          ' ',       '0',   0
          """)
  void exactMatch(String prediction, String target, double expected) {
    assertThat(Accuracy.EXACT.score("", prediction, target)).hasValue(expected);
  }

  @Test
  void anEmptySideIsNoScoreExceptForSari() {
    for (Metric metric :
        List.of(
            Accuracy.CHAR,
            Accuracy.WORD,
            Accuracy.EXACT,
            new RougeL(),
            new EditSimilarity(),
            new Bleu(4))) {
      assertThat(metric.score("s", "", "a")).as(metric.name()).isEmpty();
      assertThat(metric.score("s", "a", "")).as(metric.name()).isEmpty();
      assertThat(metric.score("s", "", "")).as(metric.name()).isEmpty();
    }
    assertThat(new Sari().score("s", "", "a")).isPresent();
  }

  @Test
  void anUnscoredRowStillCountsAsARow() {
    List<OptionalDouble> scores =
        List.of(OptionalDouble.of(100), OptionalDouble.empty(), OptionalDouble.of(20));
    assertThat(new RougeL().aggregate(scores)).isEqualTo(40);
    assertThat(new Sari().aggregate(List.of(OptionalDouble.empty()))).isZero();
  }

  @Test
  void noRowsHaveNoScore() {
    assertThatThrownBy(() -> Accuracy.EXACT.aggregate(List.of()))
        .isInstanceOf(Failure.class)
        .hasMessageContaining("exact: no predictions");
  }

  @Test
  void rougeUnitesTheSentences() {
    // "w1 w2" and "w1 w3 w5": 4 of 5 words, and 4 of the 8 different words on the other side.
    String two = "w1 w2 w6 w7 w8. w1 w3 w8 w9 w5";
    OptionalDouble score = new RougeL().score("", "w1 w2 w3 w4 w5", two);
    assertThat(score.getAsDouble()).isCloseTo(100 * 2 * (0.8 * 0.5) / 1.3, within(1e-5));
  }

  @Test
  void codeLiteralsArePutBack() {
    String call = "f(<STR_LIT:a b>, <NUM_LIT:3>, <NUM_LIT>, <STR_LIT><CHAR_LIT>)";
    assertThat(EditSimilarity.withLiterals(call)).isEqualTo("f(a b, 3, 0, )");
    assertThat(EditSimilarity.withLiterals("<STR_LIT:a\nb> <INT_LIT:1> <NUM_LIT:"))
        .isEqualTo("a\nb <INT_LIT:1> <NUM_LIT:");
  }

  /** 22.2 % is rounded down, 12.5 % (2 of 16 characters) is a tie that goes to the even side. */
  @Test
  void similarityIsWholePercent() {
    assertThat(new EditSimilarity().score("", "ab", "ac")).hasValue(50);
    assertThat(new EditSimilarity().score("", "aaaaaaax", "a")).hasValue(22);
    assertThat(new EditSimilarity().score("", "aaaa", "axyzxyzxyzxy")).hasValue(12);
  }

  @Test
  void bleuNeedsAnOrder() {
    assertThatThrownBy(() -> new Bleu(0)).hasMessageContaining("order 0");
    assertThat(new Bleu(4).name()).isEqualTo("bleu");
    assertThat(new Bleu(2).name()).isEqualTo("bleu_2");
  }

  @Test
  void anyTextScoresBetween0And100() {
    Random random = new Random(11);
    String letters = "ab .,\n-&;<>9é\u00a0\uD83D";
    int scored = 0;
    for (int round = 0; round < 400; round++) {
      String[] texts = new String[3];
      for (int k = 0; k < 3; k++) {
        StringBuilder text = new StringBuilder();
        int length = random.nextInt(20);
        for (int c = 0; c < length; c++) {
          text.append(letters.charAt(random.nextInt(letters.length())));
        }
        texts[k] = text.toString();
      }
      for (MetricName name : MetricName.values()) {
        Metric metric = TaskMetrics.forTask("t", Map.of("t", name), Answer.whole);
        OptionalDouble score = metric.score(texts[0], texts[1], texts[2]);
        if (score.isEmpty()) continue;
        assertThat(score.getAsDouble()).as(name.name()).isBetween(0.0, 100.0 + 1e-9);
        scored++;
      }
    }
    assertThat(scored).isGreaterThan(2400);
  }

  @Test
  void theBestOfSeveralAnswersCounts() {
    for (MetricName name : MetricName.values()) {
      Metric metric = TaskMetrics.forTask("t", Map.of("t", name), EvalSettings.Answer.whole);
      String source = "a box that is red", said = "it is red";
      double alone = metric.score(source, said, "it is red").orElseThrow();
      double other = metric.score(source, said, "no blue at all").orElseThrow();
      assertThat(other).as(name.name()).isLessThan(alone);
      for (var answers : List.of(List.of("no blue at all", "it is red"), List.of("it is red", "")))
        assertThat(metric.best(source, said, answers)).as(name.name()).hasValue(alone);
      assertThat(metric.best(source, said, List.of("no blue at all"))).hasValue(other);
    }
    assertThat(Accuracy.EXACT.best("", "", List.of("a", "b"))).isEmpty();
  }
}
