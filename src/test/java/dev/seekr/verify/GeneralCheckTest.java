package dev.seekr.verify;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.seekr.config.ConfigReader;
import dev.seekr.evaluation.LanguageModel;
import dev.seekr.general.Asker;
import dev.seekr.general.Details;
import dev.seekr.general.GeneralQuestions;
import dev.seekr.general.QuestionSet;
import dev.seekr.model.TinyModel;
import dev.seekr.ops.Ops;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Requests against lm-evaluation-harness's own. Its numbers are of a larger model, which CI asks
 * where it is at hand; here the check itself is tried, with references that this model gives.
 */
class GeneralCheckTest {
  private static final Path RESOURCES = Path.of("src/test/resources/general");
  private static final Path DATA = RESOURCES.resolve("data"), NANO = Path.of("examples/nano");
  @TempDir Path folder;

  @Test
  void requestsAreTheHarnesss() {
    try (Ops ops = TinyModel.cpu()) {
      var checks = GeneralCheck.verify(RESOURCES.resolve("data.json"), DATA, NANO, ops);
      assertThat(checks.all())
          .extracting(c -> c.quantity())
          .hasSize(8)
          .contains("mmlu_world_religions.requests", "bbh_sports_understanding.requests");
      assertThat(checks.all()).allMatch(Checks.Check::passed);
    }
  }

  @Test
  void whatDiffersIsMissed() throws IOException {
    try (Ops ops = TinyModel.cpu()) {
      String own = own(ops);
      assertThat(missed(own, ops)).isEmpty();
      assertThat(
              missed(
                  own.replaceFirst(
                      "\"metrics\" : \\{\\s*\"acc\" : [0-9.]+", "\"metrics\" : { \"acc\" : 0.5"),
                  ops))
          .containsExactly("piqa.acc");
      assertThat(missed(own.replaceFirst("(\"loglikelihoods\" : \\[ -[0-9]+\\.)", "$19"), ops))
          .contains("piqa.loglikelihoods");
      assertThat(missed(own.replaceFirst("\"greedy\" : \\[ false", "\"greedy\" : [ true"), ops))
          .containsExactly("piqa.choices");
      assertThat(missed(own.replaceFirst("\"text\" : \"", "\"text\" : \"zz"), ops))
          .contains("gsm8k.texts");
      assertThat(missed(own.replaceFirst("\"answer\" : \"[^\"]*\"", "\"answer\" : \"0.5\""), ops))
          .containsExactly("gsm8k.answers");
    }
  }

  private List<String> missed(String references, Ops ops) throws IOException {
    Path file = folder.resolve("references.json");
    Files.writeString(file, references);
    return GeneralCheck.verify(file, DATA, NANO, ops).all().stream()
        .filter(c -> !c.passed())
        .map(Checks.Check::quantity)
        .toList();
  }

  /** What this model gives, as the harness would write it. */
  private static String own(Ops ops) throws IOException {
    var settings =
        ConfigReader.parse(
                "",
                "test",
                List.of(
                    "eval.general.root=" + DATA,
                    "eval.general.sets=[piqa, gsm8k]",
                    "eval.general.max_new_tokens=8"))
            .eval()
            .general();
    try (var lm = LanguageModel.load(NANO, Set.of(), ops)) {
      var asker = new Asker(lm.model(), lm.tokenizer(), null, settings);
      var results =
          GeneralQuestions.read(settings).sets().stream()
              .map((QuestionSet s) -> asker.ask(s))
              .toList();
      var json = (ObjectNode) new ObjectMapper().readTree(Details.json(results));
      json.put("max_new_tokens", 8);
      for (var sample : json.at("/tasks/gsm8k/samples"))
        ((ObjectNode) sample)
            .put("filter", "strict-match")
            .put("answer", "[invalid]")
            .set("exact_match", sample.get("exact_match,strict-match"));
      return json.toPrettyString();
    }
  }
}
