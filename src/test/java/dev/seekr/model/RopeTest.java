package dev.seekr.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.seekr.Failure;
import dev.seekr.disk.ConfigFields;
import dev.seekr.disk.Fields;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The kinds of rotary embeddings and their spellings. */
class RopeTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String SCALED =
      "'rope_type':'llama3','factor':8,'low_freq_factor':1,'high_freq_factor':4,"
          + "'original_max_position_embeddings':128";

  /** What {@code scripts/families.py rope} wrote. */
  static Stream<Arguments> kinds() throws IOException {
    JsonNode all = JSON.readTree(Path.of("src/test/resources/rope.json").toFile());
    return all.valueStream()
        .map(one -> Arguments.of(one.path("config").path("rope_scaling").toString(), one));
  }

  private static Rope parse(JsonNode config, int HS) {
    var fields = ConfigFields.of(new Fields(config, "config.json"), Set.of());
    fields.harmless("hidden_size num_attention_heads head_dim max_position_embeddings");
    Rope rope =
        RopeFields.parse(
            fields, Family.LLAMA, HS, config.path("max_position_embeddings").asInt(2048));
    fields.end();
    return rope;
  }

  private static Rope parse(String config) {
    try {
      return parse(JSON.readTree(config.replace('\'', '"')), 16);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("kinds")
  void cosinesAndSines(String scaling, JsonNode expected) {
    int HS = expected.path("config").path("head_dim").intValue();
    Rope rope = parse(expected.path("config"), HS);
    JsonNode places = expected.path("places");
    int P = places.get(places.size() - 1).intValue() + 1;
    try (var ops = new ReferenceOps(DType.F32);
        var memory = new Memory("test")) {
      var table = rope.table(P, ops, memory);
      float[] cos = table.cos().toFloats(), sin = table.sin().toFloats();
      for (int i = 0; i < places.size(); i++) {
        for (int c = 0; c < HS / 2; c++) {
          int at = places.get(i).intValue() * (HS / 2) + c;
          String what = "position %s, pair %d".formatted(places.get(i), c);
          double x = expected.path("cos").get(i).get(c).doubleValue();
          double y = expected.path("sin").get(i).get(c).doubleValue();
          assertThat((double) cos[at]).as(what).isCloseTo(x, within(1e-6));
          assertThat((double) sin[at]).as(what).isCloseTo(y, within(1e-6));
        }
      }
    }
  }

  /** The newer spelling, flat or by types of layers, says the same as the older one. */
  @Test
  void spellings() {
    Rope old = parse("{'rope_theta':5e5,'rope_scaling':{" + SCALED + "}}");
    assertThat(old).isNotEqualTo(parse("{'rope_theta':5e5}"));
    assertThat(parse("{'rope_parameters':{'rope_theta':5e5," + SCALED + "}}")).isEqualTo(old);
    assertThat(parse("{'rope_theta':5e5,'rope_parameters':{" + SCALED + "}}")).isEqualTo(old);
    String each = "{'rope_theta':5e5," + SCALED + "}";
    assertThat(
            parse(
                "{'rope_parameters':{'full_attention':%s,'sliding_attention':%s}}"
                    .formatted(each, each)))
        .isEqualTo(old);
    assertThat(
            parse(
                "{'rope_theta':5e5,'rope_scaling':{%s},'rope_parameters':%s}"
                    .formatted(SCALED, each)))
        .isEqualTo(old);
    assertThat(parse("{'rope_scaling':{'type':'default'}}")).isEqualTo(parse("{}"));
  }

  /** Whoever reads one spelling alone finds what was trained with. */
  @Test
  void bothSpellingsAreWritten() throws IOException {
    for (String config :
        new String[] {
          "{'rope_parameters':{'rope_theta':5e5," + SCALED + "}}",
          "{'rope_parameters':{'full_attention':{'rope_theta':5e5," + SCALED + "}}}",
          "{'rope_parameters':{'rope_theta':5e5,'rope_type':'default'}}"
        }) {
      var written = (ObjectNode) JSON.readTree(config.replace('\'', '"'));
      RopeFields.bothSpellings(written);
      Rope all = parse(config);
      assertThat(parse(written, 16)).isEqualTo(all);
      written.remove("rope_parameters");
      assertThat(parse(written, 16)).isEqualTo(all);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          {'rope_scaling':{'type':'dynamic','factor':2}} | rope_scaling: type is "dynamic"; expected default, linear, yarn or llama3: what depends on the length of a batch is not supported
          {'rope_scaling':{'rope_type':'longrope'}} | rope_type is "longrope"; expected default, linear, yarn or llama3: what
          {'rope_parameters':{'rope_type':'mrope'}} | rope_parameters: rope_type is "mrope"; expected default, linear, yarn or llama3
          {'rope_scaling':{'type':'linear','rope_type':'yarn'}} | type is "linear"; expected "yarn", as rope_type says
          {'rope_scaling':{'type':'linear'}} | factor is missing; expected a positive number
          {'rope_scaling':{'type':'linear','factor':2,'beta':1}} | rope_scaling.beta 1: not heeded here
          {'partial_rotary_factor':0.5} | partial_rotary_factor 0.5: not heeded here
          {'rope_parameters':{'partial_rotary_factor':0.5}} | rope_parameters.partial_rotary_factor 0.5: not heeded here
          {'rope_theta':1e4,'rope_parameters':{'rope_theta':5e5}} | rope_theta is 10000.0; expected 500000.0, as config.json: rope_parameters
          {'rope_theta':1e4,'rope_scaling':{'rope_theta':5e5}} | rope_scaling: rope_theta is 500000.0; expected 10000.0
          {'rope_scaling':{'type':'linear','factor':2},'rope_parameters':{'rope_type':'linear','factor':4}} | expected one rotation for all layers
          {'rope_parameters':{'full_attention':{'rope_theta':1e4},'sliding_attention':{'rope_theta':2e4}}} | expected one rotation for all layers
          """)
  void refused(String config, String expected) {
    var failure = catchThrowableOfType(Failure.class, () -> parse(config));
    assertThat(failure).as(config).isNotNull();
    assertThat(failure.exit.code).isEqualTo(65);
    assertThat(failure.getMessage()).hasLineCount(1).contains(expected);
  }
}
