package dev.seekr.tokenizer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import dev.seekr.Failure;
import java.io.IOException;
import java.nio.file.Path;

/** Reads from a tokenizer.json what the library's binding does not tell: how many ids there are. */
final class Vocabulary {
  private static final JsonFactory JSON =
      JsonFactory.builder().disable(JsonFactory.Feature.INTERN_FIELD_NAMES).build();

  private final JsonParser json;
  private int size;

  private Vocabulary(JsonParser json) {
    this.json = json;
  }

  /**
   * The largest id of model.vocab and added_tokens plus one; throws Failure (data) when there is
   * none.
   */
  static int size(Path file, byte[] bytes) {
    try (var parser = JSON.createParser(bytes)) {
      var vocabulary = new Vocabulary(parser);
      if (parser.nextToken() == JsonToken.START_OBJECT) vocabulary.tokenizer();
      if (vocabulary.size > 0) return vocabulary.size;
      throw Failure.data("%s: expected a tokenizer with a model.vocab, found none", file);
    } catch (JsonProcessingException e) {
      // Breaches of the parser's own limits come without a place.
      var at = e.getLocation();
      String place = at == null ? "" : ":%d:%d".formatted(at.getLineNr(), at.getColumnNr());
      throw Failure.data("%s%s: expected JSON: %s", file, place, e.getOriginalMessage());
    } catch (IOException e) {
      throw Failure.data("%s: expected JSON: %s", file, e.getMessage());
    }
  }

  private void tokenizer() throws IOException {
    while (json.nextToken() != JsonToken.END_OBJECT) {
      String field = json.currentName();
      JsonToken value = json.nextToken();
      if (field.equals("model") && value == JsonToken.START_OBJECT) model();
      else if (field.equals("added_tokens") && value == JsonToken.START_ARRAY) addedTokens();
      else json.skipChildren();
    }
  }

  private void model() throws IOException {
    while (json.nextToken() != JsonToken.END_OBJECT) {
      boolean vocab = json.currentName().equals("vocab");
      JsonToken value = json.nextToken();
      if (vocab && value == JsonToken.START_OBJECT) {
        while (json.nextToken() != JsonToken.END_OBJECT) id();
      } else if (vocab && value == JsonToken.START_ARRAY) {
        // Unigram models list [token, score] pairs in the order of their ids.
        for (int i = 1; json.nextToken() != JsonToken.END_ARRAY; i++) {
          json.skipChildren();
          size = Math.max(size, i);
        }
      } else {
        json.skipChildren();
      }
    }
  }

  private void addedTokens() throws IOException {
    while (json.nextToken() != JsonToken.END_ARRAY) {
      if (json.currentToken() != JsonToken.START_OBJECT) {
        json.skipChildren();
        continue;
      }
      while (json.nextToken() != JsonToken.END_OBJECT) {
        boolean id = json.currentName().equals("id");
        json.nextToken();
        if (id) id();
        else json.skipChildren();
      }
    }
  }

  /**
   * Counts the value at hand when it is an id; what else may stand there is for the library to
   * refuse.
   */
  private void id() throws IOException {
    if (json.currentToken() == JsonToken.VALUE_NUMBER_INT)
      size = Math.max(size, json.getIntValue() + 1);
    else if (json.currentToken() != JsonToken.FIELD_NAME) json.skipChildren();
  }
}
