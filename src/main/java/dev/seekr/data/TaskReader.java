package dev.seekr.data;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import dev.seekr.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads a task file: a JSON array of {@code {"prompt": …, "answer": …}}; other fields are ignored.
 */
public final class TaskReader {
  private static final JsonFactory JSON =
      JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private final Path file;
  private final JsonParser json;
  private final List<Example> examples = new ArrayList<>();

  private TaskReader(Path file, JsonParser json) {
    this.file = file;
    this.json = json;
  }

  /**
   * All examples of a file, at least one, in its order.
   *
   * @throws Failure input when the file cannot be read; data, with file, record (from 1) and field,
   *     when it is malformed
   */
  public static List<Example> read(Path file) {
    if (!Files.isRegularFile(file)) throw Failure.input("%s: no such file", file);
    try (var in = Files.newInputStream(file);
        var json = JSON.createParser(in)) {
      var reader = new TaskReader(file, json);
      reader.array();
      return List.copyOf(reader.examples);
    } catch (JsonProcessingException e) {
      // Breaches of the parser's own limits come without a place.
      var at = e.getLocation();
      String place = at == null ? "" : ":%d:%d".formatted(at.getLineNr(), at.getColumnNr());
      throw Failure.data("%s%s: expected JSON, found: %s", file, place, e.getOriginalMessage());
    } catch (IOException e) {
      throw new Failure(Failure.Exit.INPUT, file + ": cannot be read: " + e.getMessage(), e);
    }
  }

  private void array() throws IOException {
    if (json.nextToken() != JsonToken.START_ARRAY) {
      throw Failure.data("%s: expected an array of records, found %s", file, found());
    }
    while (json.nextToken() != JsonToken.END_ARRAY) {
      if (json.currentToken() != JsonToken.START_OBJECT) {
        throw Failure.data("%s: record %d: expected an object, found %s", file, record(), found());
      }
      examples.add(example());
    }
    if (json.nextToken() != null) {
      throw Failure.data(
          "%s:%d: expected nothing after the array, found %s",
          file, json.currentTokenLocation().getLineNr(), found());
    }
    if (examples.isEmpty())
      throw Failure.data("%s: expected at least one record, found none", file);
  }

  private Example example() throws IOException {
    String prompt = null;
    String answer = null;
    while (json.nextToken() != JsonToken.END_OBJECT) {
      String field = json.currentName();
      json.nextToken();
      switch (field) {
        case "prompt" -> prompt = text(field);
        case "answer" -> answer = text(field);
        default -> json.skipChildren();
      }
    }
    if (prompt == null) throw wrong("prompt", "none");
    if (answer == null) throw wrong("answer", "none");
    return new Example(prompt, answer);
  }

  private String text(String field) throws IOException {
    if (json.currentToken() != JsonToken.VALUE_STRING) throw wrong(field, found());
    String text = json.getText();
    if (text.isBlank()) throw wrong(field, text.isEmpty() ? "an empty one" : "only white space");
    return text;
  }

  private Failure wrong(String field, String found) {
    return Failure.data(
        "%s: record %d: field '%s': expected text, found %s", file, record(), field, found);
  }

  /** The number of the record being read. */
  private int record() {
    return examples.size() + 1;
  }

  /** The token at hand, in words. */
  private String found() throws IOException {
    return switch (json.currentToken()) {
      case null -> "an empty file";
      case START_OBJECT -> "an object";
      case START_ARRAY -> "an array";
      case VALUE_STRING -> "a string";
      default -> json.getText();
    };
  }
}
