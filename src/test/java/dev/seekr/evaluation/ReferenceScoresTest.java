package dev.seekr.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Map;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

/** Every metric against the numbers of the Python libraries that the reference evaluation uses. */
class ReferenceScoresTest {
  /** A metric, and what turns the library's scale into percent. */
  private record Scaled(Metric metric, double factor) {}

  @Test
  void realAnswersScoreAsTheReferenceDoes() throws Exception {
    assertThat(
            compare(
                "/golden/metrics.json",
                Map.of(
                    "rouge_l", new Scaled(new RougeL(), 100),
                    "fuzz_ratio", new Scaled(new EditSimilarity(), 1),
                    "sari", new Scaled(new Sari(), 1),
                    "bleu_1", new Scaled(new Bleu(1), 100),
                    "bleu_4", new Scaled(new Bleu(4), 100))))
        .as("comparisons")
        .isEqualTo(311);
  }

  /** White space, scripts, placeholders, entities, ties of rounding, no words, long texts. */
  @Test
  void oddTextsScoreAsTheReferenceDoes() throws Exception {
    assertThat(
            compare(
                "/evaluation/metrics-extra.json",
                Map.of(
                    "rouge_l", new Scaled(new RougeL(), 100),
                    "similarity", new Scaled(new EditSimilarity(), 1),
                    "sari", new Scaled(new Sari(), 1),
                    "bleu_1", new Scaled(new Bleu(1), 100),
                    "bleu_4", new Scaled(new Bleu(4), 100))))
        .as("comparisons")
        .isEqualTo(471);
  }

  /** Compares wherever the resource has a number, and demands a blank where a side is empty. */
  private static int compare(String resource, Map<String, Scaled> metrics) throws Exception {
    int compared = 0;
    JsonNode records;
    try (var in = ReferenceScoresTest.class.getResourceAsStream(resource)) {
      records = new ObjectMapper().readTree(in);
    }
    for (int i = 0; i < records.size(); i++) {
      JsonNode row = records.get(i);
      String prediction = row.required("prediction").textValue();
      String target = row.required("target").textValue();
      for (var entry : metrics.entrySet()) {
        Scaled scaled = entry.getValue();
        OptionalDouble score =
            scaled.metric.score(row.required("source").textValue(), prediction, target);
        JsonNode expected = row.required(entry.getKey());
        String what = "%s of record %d".formatted(entry.getKey(), i);
        if (expected.isNumber()) {
          assertThat(score).as(what).isPresent();
          assertThat(score.getAsDouble())
              .as(what)
              .isFinite()
              .isCloseTo(expected.doubleValue() * scaled.factor, within(1e-9));
          compared++;
        } else if (prediction.isEmpty() || target.isEmpty()) {
          assertThat(score).as(what).isEmpty();
        }
      }
    }
    return compared;
  }
}
