package dev.seekr.data;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import dev.seekr.Failure;
import dev.seekr.disk.Reading;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.function.Consumer;

/**
 * Reads a task file: a JSON array of {@code {"prompt": …, "answer": …}}; other fields are ignored.
 */
public final class TaskReader {
  private static final JsonFactory JSON =
      JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private static final List<String> FIELDS = List.of("prompt", "answer");

  private final Path file;
  private final JsonParser json;
  private final Consumer<Failure> bad;
  private final List<Example> examples = new ArrayList<>();
  private int record;

  private TaskReader(Path file, JsonParser json, Consumer<Failure> bad) {
    this.file = file;
    this.json = json;
    this.bad = bad;
  }

  /**
   * All examples of a file, at least one, in its order.
   *
   * @param bad gets each record that lacks a prompt or an answer, as a failure of kind data with
   *     file, record (from 1) and field; what it does not throw is left out
   * @throws Failure input when the file cannot be read; data, with the place, when it is malformed
   */
  public static List<Example> read(Path file, Consumer<Failure> bad) {
    if (!Files.isRegularFile(file)) throw Failure.input("%s: no such file", file);
    var decoder = StandardCharsets.UTF_8.newDecoder(); // reports what is not UTF-8
    try (var in = new BufferedReader(new InputStreamReader(Files.newInputStream(file), decoder));
        var json = JSON.createParser(in)) {
      skipMark(in);
      var reader = new TaskReader(file, json, bad);
      reader.array();
      return List.copyOf(reader.examples);
    } catch (JsonProcessingException e) {
      // Breaches of the parser's own limits come without a place.
      var at = e.getLocation();
      String place = at == null ? "" : ":%d:%d".formatted(at.getLineNr(), at.getColumnNr());
      throw Failure.data("%s%s: expected JSON, found: %s", file, place, e.getOriginalMessage());
    } catch (CharacterCodingException e) {
      throw Failure.data("%s: expected UTF-8, found bytes that are not", file);
    } catch (IOException e) {
      throw new Failure(Failure.Exit.INPUT, file + ": cannot be read: " + Reading.reason(e), e);
    }
  }

  /** Leaves out the mark of the order of bytes, which other programs put before UTF-8 too. */
  private static void skipMark(Reader in) throws IOException {
    in.mark(1);
    if (in.read() != '\uFEFF') in.reset();
  }

  private void array() throws IOException {
    if (json.nextToken() != JsonToken.START_ARRAY) {
      throw Failure.data("%s: expected an array of records, found %s", file, found());
    }
    while (json.nextToken() != JsonToken.END_ARRAY) {
      record++;
      if (json.currentToken() != JsonToken.START_OBJECT) {
        throw Failure.data("%s: record %d: expected an object, found %s", file, record, found());
      }
      example();
    }
    if (json.nextToken() != null) {
      throw Failure.data(
          "%s:%d: expected nothing after the array, found %s",
          file, json.currentTokenLocation().getLineNr(), found());
    }
    if (examples.isEmpty())
      throw Failure.data(
          "%s: expected at least one %srecord, found none", file, record > 0 ? "good " : "");
  }

  /** The whole record is read, also a bad one, so that the next one begins where it should. */
  private void example() throws IOException {
    var text = new HashMap<String, String>();
    var wrong = new LinkedHashMap<String, String>(); // what was found in place of text
    FIELDS.forEach(field -> wrong.put(field, "none"));
    while (json.nextToken() != JsonToken.END_OBJECT) {
      String field = json.currentName();
      json.nextToken();
      if (FIELDS.contains(field)) {
        String fault = json.currentToken() == JsonToken.VALUE_STRING ? fault() : found();
        if (fault == null) wrong.remove(field);
        else wrong.put(field, fault);
        if (fault == null) text.put(field, json.getText());
      }
      json.skipChildren();
    }
    if (wrong.isEmpty()) {
      examples.add(new Example(text.get("prompt"), text.get("answer")));
    } else {
      var first = wrong.firstEntry();
      bad.accept(
          Failure.data(
              "%s: record %d: field '%s': expected text, found %s",
              file, record, first.getKey(), first.getValue()));
    }
  }

  /** What is wrong with the string at hand, or null. */
  private String fault() throws IOException {
    String text = json.getText();
    if (!Reading.isWhole(text)) return "half of a character";
    if (!text.isBlank()) return null;
    return text.isEmpty() ? "an empty one" : "only white space";
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
