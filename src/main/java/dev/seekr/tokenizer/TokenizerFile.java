package dev.seekr.tokenizer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.seekr.Failure;
import dev.seekr.disk.Reading;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;

/**
 * A tokenizer.json that is known to be harmless: the library that runs it ends the process at some
 * files, and hangs at others.
 *
 * @param json what the library is given: the known parts of the file, and neither truncation nor
 *     padding nor post-processing, which nothing here asks for
 * @param words the largest id of its model's own tokens plus one
 * @param added ids of the tokens that are found before the model sees a text
 * @param longestText that may be encoded, in characters
 */
record TokenizerFile(String json, int words, Map<String, Integer> added, int longestText) {
  private static final Set<String> PARTS =
      Set.of(
          "version",
          "truncation",
          "padding",
          "added_tokens",
          "normalizer",
          "pre_tokenizer",
          "post_processor",
          "decoder",
          "model");

  /** Bytes; the largest known has half of it. */
  private static final long LARGEST = 64 << 20;

  /**
   * Field names, most of which are tokens, are not kept for the next time; the numbers of Unigram
   * stay as they are written.
   */
  private static final JsonMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder().disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES).build())
          .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
          .build();

  private static final ObjectReader READER = JSON.readerFor(JsonNode.class);
  private static final ObjectWriter WRITER = JSON.writer().with(JsonWriteFeature.ESCAPE_NON_ASCII);

  /** Characters. */
  private static final int LONGEST = 1 << 20;

  /** Attempts of a pattern from one place; the library ends the process at ten million. */
  private static final double MOST_ATTEMPTS = 8e6;

  /** Attempts of a pattern from all places together: some seconds. */
  private static final double MOST_RESCANNED = 4e8;

  /**
   * Reads and checks a file. Throws Failure: input when it cannot be read, data when it is no JSON
   * or something in it is not known to be harmless, which is named.
   */
  static TokenizerFile read(Path file, Set<String> ignored) {
    try {
      if (Files.size(file) > LARGEST)
        throw Failure.data("%s: larger than any tokenizer, %d bytes", file, Files.size(file));
      return check(file, READER.readTree(Reading.text(file)), ignored);
    } catch (JsonProcessingException e) {
      // Breaches of the parser's own limits come without a place.
      var at = e.getLocation();
      String place = at == null ? "" : ":%d:%d".formatted(at.getLineNr(), at.getColumnNr());
      throw Failure.data(
          "%s%s: expected JSON: %s", file, place, JsonPlace.line(e.getOriginalMessage()));
    } catch (IOException e) {
      throw new Failure(Failure.Exit.INPUT, file + ": cannot be read: " + e.getMessage(), e);
    }
  }

  private static TokenizerFile check(Path file, JsonNode tokenizer, Set<String> ignored)
      throws IOException {
    var top = new JsonPlace(file, "");
    if (!tokenizer.isObject()) throw top.expected("a tokenizer", tokenizer);
    for (var part : tokenizer.properties())
      if (!PARTS.contains(part.getKey()) && !ignored.contains(part.getKey()))
        throw top.failure(
            "%s is no part of a tokenizer that is known; where it changes nothing, model.ignore: [%s]",
            JsonPlace.line(part.getKey()), JsonPlace.line(part.getKey()));
    String version = tokenizer.path("version").asText("1.0");
    if (!version.equals("1.0")) throw top.in("version").expected("1.0", tokenizer.get("version"));
    var vocabulary = new Vocabulary(tokenizer.path("model"), top);
    Components normalizer = Components.read(Stage.NORMALIZER, tokenizer, top);
    Components preTokenizer = Components.read(Stage.PRE_TOKENIZER, tokenizer, top);
    Components decoder = Components.read(Stage.DECODER, tokenizer, top);
    Components.read(Stage.POST_PROCESSOR, tokenizer, top);
    var added = new AddedTokens(tokenizer.path("added_tokens"), vocabulary, normalizer, top);

    ObjectNode json = JSON.createObjectNode().put("version", version);
    json.set("added_tokens", added.json);
    json.set(Stage.NORMALIZER.field, normalizer.json());
    json.set(Stage.PRE_TOKENIZER.field, preTokenizer.json());
    json.set(Stage.DECODER.field, decoder.json());
    json.set("model", vocabulary.json);
    return new TokenizerFile(
        WRITER.writeValueAsString(json),
        vocabulary.size(),
        added.ids,
        longestText(normalizer, preTokenizer));
  }

  /** The largest id plus one. */
  int vocabSize() {
    return added.values().stream().mapToInt(id -> id + 1).reduce(words, Math::max);
  }

  private static int longestText(Components normalizer, Components preTokenizer) {
    double attempts = Math.max(normalizer.attempts(), preTokenizer.attempts());
    double most = MOST_ATTEMPTS / attempts;
    if (normalizer.rescans() || preTokenizer.rescans())
      most = Math.min(most, Math.sqrt(MOST_RESCANNED / attempts));
    return (int) Math.min(LONGEST, most / (normalizer.growth() * preTokenizer.growth()));
  }
}
