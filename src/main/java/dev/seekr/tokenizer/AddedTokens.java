package dev.seekr.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The tokens of a tokenizer.json that are found in a text before its model sees it. The library
 * gives them ids of its own where the model has none; a file that names others is not let through,
 * as nothing else would tell of it.
 */
final class AddedTokens {
  /** The library compares each with all before it. */
  private static final int MOST = 20_000;

  private static final List<String> FLAGS =
      List.of("single_word", "lstrip", "rstrip", "normalized", "special");
  private static final Pattern SPACES = Pattern.compile("\\s*", Pattern.UNICODE_CHARACTER_CLASS);

  /** What the library is given. */
  final ArrayNode json = JsonNodeFactory.instance.arrayNode();

  /** Of each text. */
  final Map<String, Integer> ids = new HashMap<>();

  private final Vocabulary vocabulary;
  private final Components normalizer;
  private int largest = -1;

  /** Throws Failure naming the token that is not harmless. */
  AddedTokens(JsonNode tokens, Vocabulary vocabulary, Components normalizer, JsonPlace top) {
    this.vocabulary = vocabulary;
    this.normalizer = normalizer;
    if (tokens.isMissingNode() || tokens.isNull()) return;
    JsonPlace place = top.in("added_tokens");
    if (!tokens.isArray()) throw place.expected("an array", tokens);
    if (tokens.size() > MOST)
      throw place.failure("expected at most %d, found %d", MOST, tokens.size());
    for (int i = 0; i < tokens.size(); i++) add(tokens.get(i), place.at(i));
  }

  /** The largest id plus one; 0: there are none. */
  int size() {
    return largest + 1;
  }

  private void add(JsonNode token, JsonPlace place) {
    if (!Field.isText(token.path("content")))
      throw place.in("content").expected("a text", token.path("content"));
    String content = token.path("content").textValue();
    var copy = json.addObject().put("content", content);
    for (String flag : FLAGS) {
      if (!token.path(flag).isBoolean())
        throw place.in(flag).expected("true or false", token.path(flag));
      copy.set(flag, token.get(flag));
    }
    int id = id(content, place);
    if (token.path("id").isIntegralNumber() && token.path("id").longValue() == id)
      copy.put("id", id);
    else
      throw place
          .in("id")
          .expected("%d, which %s gets".formatted(id, JsonPlace.quoted(content)), token.path("id"));
    largest = Math.max(largest, id);
    boolean normalized = token.path("normalized").booleanValue();
    if (normalized && normalizer.deletes())
      throw place.failure(
          "nothing may be left of %s when it is normalized", JsonPlace.quoted(content));
    // What is stripped may be found again, as one of these tokens.
    boolean spaces = SPACES.matcher(content).matches() || normalized && !normalizer.isEmpty();
    for (String strip : List.of("lstrip", "rstrip")) {
      if (token.path(strip).booleanValue() && spaces)
        throw place
            .in(strip)
            .failure("expected false for %s, which may be spaces alone", JsonPlace.quoted(content));
    }
  }

  /** As the library gives it: the model's, else the next one free behind both. */
  private int id(String content, JsonPlace place) {
    if (content.isEmpty()) throw place.in("content").failure("expected a text, found none");
    if (ids.containsKey(content))
      throw place.failure("%s is there twice", JsonPlace.quoted(content));
    Integer known = vocabulary.ids.get(content);
    int id = known != null ? known : Math.max(vocabulary.count(), largest + 1);
    if (known == null && vocabulary.has(id))
      throw place.failure(
          "%s would get id %d, which another token has", JsonPlace.quoted(content), id);
    ids.put(content, id);
    return id;
  }
}
