package dev.seekr.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * The model of a tokenizer.json: its tokens with their ids, and how a text is cut into them. Of its
 * fields the library is given those that are known and checked.
 */
final class Vocabulary {
  /** Ids are rows of an embedding; no known vocabulary has a million. */
  static final int LARGEST_ID = (1 << 24) - 1;

  /** Unigram tries all tokens that begin at a character. */
  private static final int LONGEST_UNIGRAM = 256;

  /** UTF-8 of all tokens; Unigram keeps hundreds of bytes for each. */
  private static final int MOST_UNIGRAM = 8 << 20;

  /** WordPiece tries all pairs of characters of a word. */
  private static final int LONGEST_WORD = 256;

  /** What the library is given. */
  final ObjectNode json = JsonNodeFactory.instance.objectNode();

  final Map<String, Integer> ids = new HashMap<>();
  private final BitSet taken = new BitSet();
  private final JsonNode model;
  private final JsonPlace place;

  /** Throws Failure naming what is not known or not harmless. */
  Vocabulary(JsonNode model, JsonPlace top) {
    this.model = model;
    JsonPlace place = top.in("model");
    if (!model.isObject()) throw place.expected("an object", model);
    // Older files leave the type out; of the known types only this one has merges.
    String type = model.path("type").asText(model.has("merges") ? "BPE" : "");
    this.place = place.named(type);
    json.put("type", type);
    switch (type) {
      case "BPE" -> bpe();
      case "Unigram" -> unigram();
      case "WordPiece" -> wordPiece();
      case "WordLevel" -> wordLevel();
      default ->
          throw place.expected(
              "a type among BPE, Unigram, WordLevel, WordPiece", model.path("type"));
    }
  }

  /** Tokens of the model, as the library counts them. */
  int count() {
    return json.path("vocab").size();
  }

  /** The largest id plus one. */
  int size() {
    return taken.length();
  }

  boolean has(int id) {
    return taken.get(id);
  }

  private void bpe() {
    tokens();
    // Chance would cut the same text differently each time.
    copy("dropout", "null or 0", v -> v.isNull() || v.isNumber() && v.doubleValue() == 0);
    for (String flag : List.of("fuse_unk", "byte_fallback", "ignore_merges"))
      copy(flag, "true or false", v -> v.isNull() || v.isBoolean());
    for (String text : List.of("continuing_subword_prefix", "end_of_word_suffix"))
      copy(text, "a text", v -> v.isNull() || Field.isText(v));
    copy("unk_token", "a token of vocab", v -> v.isNull() || isToken(v));
    merges();
  }

  /** Pairs of tokens, or texts of two tokens with a space between. */
  private void merges() {
    JsonNode merges = model.path("merges");
    JsonPlace at = place.in("merges");
    if (!merges.isArray()) throw at.expected("an array", merges);
    boolean pairs = merges.path(0).isArray();
    String prefix = model.path("continuing_subword_prefix").asText("");
    for (int i = 0; i < merges.size(); i++) {
      String second = second(merges.get(i), pairs);
      if (second == null) throw at.at(i).failure("expected two tokens, in the form of the first");
      // The library cuts off as much.
      if (!second.startsWith(prefix))
        throw at.at(i).failure("expected the second token with %s first", JsonPlace.quoted(prefix));
    }
    json.set("merges", merges);
  }

  /** The second token of a merge; null: it is none. */
  private static String second(JsonNode merge, boolean pairs) {
    if (pairs) {
      boolean pair = merge.size() == 2 && merge.path(0).isTextual() && merge.path(1).isTextual();
      return pair ? merge.get(1).textValue() : null;
    }
    String text = merge.asText();
    int space = text.indexOf(' ');
    boolean two = merge.isTextual() && space >= 0 && text.indexOf(' ', space + 1) < 0;
    return two ? text.substring(space + 1) : null;
  }

  private void unigram() {
    JsonNode vocab = model.path("vocab");
    if (!vocab.isArray() || vocab.isEmpty())
      throw place.in("vocab").expected("an array of tokens and scores", vocab);
    long bytes = 0;
    for (int i = 0; i < vocab.size(); i++) {
      JsonNode token = vocab.get(i).path(0), score = vocab.get(i).path(1);
      boolean known =
          vocab.get(i).size() == 2
              && Field.isText(token)
              && token.textValue().length() <= LONGEST_UNIGRAM
              && score.isNumber()
              && Double.isFinite(score.doubleValue());
      if (!known) throw place.in("vocab").at(i).failure("expected a token and its score");
      ids.put(token.textValue(), i);
      bytes += token.textValue().getBytes(StandardCharsets.UTF_8).length;
    }
    if (bytes > MOST_UNIGRAM)
      throw place.in("vocab").failure("expected at most %d bytes of tokens", MOST_UNIGRAM);
    taken.set(0, vocab.size());
    json.set("vocab", vocab);
    copy("byte_fallback", "true or false", JsonNode::isBoolean);
    int last = vocab.size() - 1;
    require("unk_id", "the place of a token in vocab", v -> Field.isCount(v, last));
  }

  private void wordPiece() {
    tokens();
    require("unk_token", "a token of vocab", this::isToken);
    require("continuing_subword_prefix", "a text", Field::isText);
    require(
        "max_input_chars_per_word",
        "a number from 0 to " + LONGEST_WORD,
        v -> Field.isCount(v, LONGEST_WORD));
  }

  private void wordLevel() {
    tokens();
    require("unk_token", "a token of vocab", this::isToken);
  }

  private boolean isToken(JsonNode v) {
    return v.isTextual() && ids.containsKey(v.textValue());
  }

  private void tokens() {
    JsonNode vocab = model.path("vocab");
    JsonPlace at = place.in("vocab");
    if (!vocab.isObject() || vocab.isEmpty()) throw at.expected("tokens with their ids", vocab);
    for (var token : vocab.properties()) {
      String text = token.getKey();
      JsonNode id = token.getValue();
      if (!Field.isText(text))
        throw at.failure("%s is too long or no text", JsonPlace.quoted(text));
      if (!Field.isCount(id, LARGEST_ID))
        throw at.in(JsonPlace.quoted(text)).expected("an id from 0 to " + LARGEST_ID, id);
      if (taken.get(id.intValue()))
        throw at.failure("%s has the id of another token, %s", JsonPlace.quoted(text), id);
      taken.set(id.intValue());
      ids.put(text, id.intValue());
    }
    json.set("vocab", vocab);
  }

  private void copy(String field, String expected, Predicate<JsonNode> accepts) {
    if (model.has(field)) require(field, expected, accepts);
  }

  private void require(String field, String expected, Predicate<JsonNode> accepts) {
    JsonNode value = model.path(field);
    if (!accepts.test(value)) throw place.in(field).expected(expected, value);
    json.set(field, value);
  }
}
